package sip

import (
	"encoding/base64"
	"net"
	"regexp"
	"strings"
	"testing"
	"time"

	"branchline/hal"
	"branchline/pbx/media"
	"branchline/pbx/media/rtp"
	"branchline/pbx/media/srtp"
	"branchline/pbx/sip/dialog"
)

const (
	theirKey = "WVNfX19zZW1jdGwgKCkgewkyMjA7fQp9CnVubGVz" // RFC 4568 section 6.1
	crypto   = "\na=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:" + theirKey + "|2^20"
)

func TestSoundIsEncryptedWhereThePhoneAndItsExtensionWantIt(t *testing.T) {
	s := settings()
	s.Accounts[0].Security, s.Accounts[1].Security = dialog.Offered, dialog.Secret
	h := open(t, s, Options{})
	p, strict, plain := newRaw(t, h.at, "201"), newRaw(t, h.at, "202"), newRaw(t, h.at, "203")
	secret := func(p *raw) string { return strings.Replace(p.sdp("sendrecv"), "RTP/AVP", "RTP/SAVP", 1) + crypto }

	k := plain.call("201", secret(plain))
	k.ackRefusal(plain.code(488, "INVITE"))
	k = strict.call("201", strict.sdp("sendrecv"))
	k.ackRefusal(strict.code(488, "INVITE"))

	k = p.call("203", secret(p))
	in := until[hal.Incoming](h, "")
	h.do(hal.Answer{Leg: in.Leg})
	m := p.code(200, "INVITE")
	k.up(m, "")
	until[hal.Answered](h, in.Leg)
	ours := regexp.MustCompile(`m=audio (\d+) RTP/SAVP 8 101\r\n(?s:.*)a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:(\S+)\r\n`).FindStringSubmatch(m.body)
	if ours == nil {
		t.Fatalf("answer:\n%s", m.body)
	}
	if strings.Contains(h.log.String(), ours[2][:12]) || strings.Contains(h.log.String(), theirKey[:12]) {
		t.Error("a key is in the log")
	}
	port := h.phones.Audio(in.Leg).(*media.Port)
	theirs := media.Key{Suite: media.SHA180}
	b, err := base64.StdEncoding.DecodeString(theirKey)
	if err != nil {
		t.Fatal(err)
	}
	copy(theirs.Bytes[:], b)
	seal, head := srtp.NewSender(theirs), rtp.Packet{SSRC: 1, PayloadType: 8}
	packet := make([]byte, 172+srtp.Overhead)
	for end := time.Now().Add(3 * time.Second); port.Stats().Received < 3; head.Seq++ {
		head.PutHeader(packet)
		if _, err := p.rtp.WriteTo(packet[:seal.Protect(packet, 172)], net.UDPAddrFromAddrPort(port.Local())); err != nil {
			t.Fatal(err)
		}
		<-time.After(5 * time.Millisecond)
		if time.Now().After(end) {
			t.Fatalf("not heard: %+v", port.Stats())
		}
	}
	if s := port.Stats(); s.Forged > 0 {
		t.Errorf("counted %+v", s)
	}
}

func TestBoxOffersEncryptionAndTakesWhatThePhoneAnswers(t *testing.T) {
	s := settings()
	s.Accounts[0].Security, s.Accounts[1].Security = dialog.Offered, dialog.Secret
	h := open(t, s, Options{})
	p, strict := newRaw(t, h.at, "201"), newRaw(t, h.at, "202")
	p.signIn()
	strict.signIn()

	h.do(hal.Dial{Leg: "phones#4-o1", To: "201"})
	m := p.request("INVITE")
	if strings.Count(m.body, "a=crypto:") != 2 || !strings.Contains(m.body, " RTP/AVP 8 0 101\r\n") {
		t.Errorf("offer\n%s", m.body)
	}
	p.reply(m, 200, "x", "", p.sdp("sendrecv")) // a phone that cannot
	p.request("ACK")
	until[hal.Answered](h, "phones#4-o1")

	h.do(hal.Dial{Leg: "phones#4-o2", To: "202"})
	m = strict.request("INVITE")
	if strings.Count(m.body, "a=crypto:") != 2 || !strings.Contains(m.body, " RTP/SAVP 8 0 101\r\n") {
		t.Errorf("offer\n%s", m.body)
	}
	strict.reply(m, 200, "y", "", strict.sdp("sendrecv"))
	strict.request("ACK")
	strict.reply(strict.request("BYE"), 200, "", "", "")
	if g := until[hal.Gone](h, "phones#4-o2"); g.Cause != hal.Media {
		t.Errorf("told %+v", g)
	}
}

func TestFaxIsRefusedAndTheCallGoesOn(t *testing.T) {
	h := open(t, settings(), Options{})
	p := newRaw(t, h.at, "201")
	k, leg := h.talking(p, "202")
	fax := strings.Split(p.sdp("sendrecv"), "m=audio")[0] + "m=image 4000 udptl t38\na=T38FaxVersion:0"
	p.send(k.in("INVITE", p.myContact()+"\nContent-Type: application/sdp", fax))
	k.invite = k.cseq
	k.ackRefusal(p.code(488, "INVITE"))
	p.send(k.in("INVITE", p.myContact()+"\nContent-Type: application/sdp", p.sdp("sendrecv")+"\nm=image 4000 udptl t38"))
	k.invite = k.cseq
	m := p.code(200, "INVITE")
	k.up(m, "")
	if !strings.Contains(m.body, "m=image 0 udptl t38\r\n") {
		t.Errorf("answer\n%s", m.body)
	}
	if h.phones.Audio(leg) == nil {
		t.Error("the call has no sound any more")
	}
}
