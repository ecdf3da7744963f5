package sound

import (
	"context"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"branchline/hal/dsp"
)

func local() netip.AddrPort { return netip.MustParseAddrPort("192.0.2.1:4000") }

const carrier = "v=0\r\no=x 5 6 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\na=sendonly\r\n" +
	"m=video 6000 RTP/AVP 99\r\nc=IN IP4 192.0.2.10\r\na=sendrecv\r\n" +
	"m=audio 5000 RTP/AVP 9 18 8 0 97\r\na=rtpmap:97 telephone-event/8000\r\na=rtpmap:9 G722/8000\r\n"

func TestOfferIsAnsweredWithWhatBothKnow(t *testing.T) {
	offer, err := Parse([]byte(carrier))
	if err != nil {
		t.Fatal(err)
	}
	if offer.Addr.String() != "192.0.2.9:5000" || offer.Direction != SendOnly {
		t.Errorf("offer %+v", offer)
	}
	answer, err := offer.Answer(1, 2, local(), SendRecv, []string{"PCMU", "PCMA"})
	if err != nil {
		t.Fatal(err)
	}
	text := string(answer.Bytes())
	for _, want := range []string{"m=video 0 RTP/AVP 99\r\n", "m=audio 4000 RTP/AVP 8 97\r\n", "a=recvonly", "a=rtpmap:97 telephone-event/8000"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
	f, err := Agree(answer, offer)
	if err != nil || f.Codec != (Codec{"PCMA", 8}) || f.Events != 97 || f.Sends || !f.Receives || f.In[97] != "telephone-event" {
		t.Errorf("flow %+v %v", f.Codec, err)
	}
}

func TestDescriptionsThatCannotBeUsed(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":    "",
		"no address": "v=0\r\nm=audio 5000 RTP/AVP 0\r\n",
		"a name":     "v=0\r\nc=IN IP4 host.example\r\nm=audio 5000 RTP/AVP 0\r\n",
		"short":      "v=0\r\nm=audio\r\n",
		"endless":    "v=0\r\n" + strings.Repeat("a=x\r\n", 1000),
	} {
		if d, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: accepted as %+v", name, d)
		}
	}
	d, err := Parse([]byte("v=0\r\nc=IN IP4 192.0.2.9\r\nm=audio 5000 RTP/AVP 18\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Answer(1, 1, local(), SendRecv, []string{"PCMU"}); err == nil {
		t.Error("an offer of G.729 alone was answered")
	}
}

func TestHoldOfTheOldKindIsUnderstood(t *testing.T) {
	d, err := Parse([]byte("v=0\r\nc=IN IP4 0.0.0.0\r\nm=audio 5000 RTP/AVP 0\r\n"))
	if err != nil || d.Direction.Receives() {
		t.Errorf("%+v %v: it wants to hear nothing", d, err)
	}
}

func TestOfferCanBeReadBack(t *testing.T) {
	d := Offer(7, 8, local(), Inactive, []string{"PCMA", "PCMU"})
	back, err := Parse(d.Bytes())
	if err != nil || back.ID != 7 || back.Version != 8 || back.Addr != local() || back.Direction != Inactive || !slices.Equal(back.Codecs, d.Codecs) {
		t.Errorf("%+v %v, want %+v", back, err, d)
	}
}

func frame(v int16) []int16 {
	pcm := make([]int16, frameSize)
	for i := range pcm {
		pcm[i] = v
	}
	return pcm
}

func TestPacketsOutOfOrderAreHeardInOrder(t *testing.T) {
	var e ear
	now := time.Unix(1000, 0)
	stamp := uint32(0xffffff00) // it wraps
	for _, n := range []uint32{0, 2, 1, 1, 4} {
		e.hear(now, 1, stamp+n*frameSize, frame(int16(n+1)))
	}
	pcm := e.last(now, time.Second)
	var got []int16
	for i := 0; i < len(pcm); i += frameSize {
		got = append(got, pcm[i])
	}
	if !slices.Equal(got, []int16{1, 2, 3, 0, 5}) {
		t.Errorf("frames %v, want 1 2 3, a lost one, 5", got)
	}
}

func TestPauseIsHeardAsSilence(t *testing.T) {
	var e ear
	now := time.Unix(1000, 0)
	e.hear(now, 1, 0, frame(9))
	now = now.Add(time.Second)
	if pcm := e.last(now, 100*time.Millisecond); len(pcm) != 800 || slices.Max(pcm) != 0 {
		t.Errorf("%d samples, loudest %d; want 800 of silence", len(pcm), slices.Max(pcm))
	}
	e.hear(now, 2, 77777, frame(5)) // another source goes on
	pcm := e.last(now, 2*time.Second)
	if len(pcm) != 8000+2*frameSize || pcm[0] != 9 || pcm[len(pcm)-1] != 5 || pcm[4000] != 0 {
		t.Errorf("%d samples %d … %d", len(pcm), pcm[0], pcm[len(pcm)-1])
	}
}

func TestRingForgetsWhatIsOld(t *testing.T) {
	var e ear
	now := time.Unix(1000, 0)
	for n := range uint32(600) {
		e.hear(now, 1, n*frameSize, frame(int16(n)))
	}
	pcm := e.last(now, time.Hour)
	if len(pcm) != earSize || pcm[0] != 100 || pcm[earSize-1] != 599 {
		t.Errorf("%d samples from %d to %d, want the last 500 frames", len(pcm), pcm[0], pcm[len(pcm)-1])
	}
}

func TestKeyIsCountedOncePerPress(t *testing.T) {
	var e ear
	for _, stamp := range []uint32{5, 5, 5, 900, 900} {
		e.press(1, stamp, event{code: 11})
	}
	if string(e.keys) != "##" {
		t.Errorf("keys %q, want ##", e.keys)
	}
}

// pair is a session under test and a socket that plays the other side.
func pair(t *testing.T) (*Session, *net.UDPConn) {
	t.Helper()
	host := netip.MustParseAddr("127.0.0.1")
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0)))
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(host, nil)
	if err != nil {
		t.Fatal(err)
	}
	f := Flow{To: localOf(conn), Sends: true, Receives: true, Codec: Codec{"PCMA", 8}, Events: 101}
	f.In[8], f.In[101] = "PCMA", eventName
	s.Set(f)
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-done; _ = conn.Close() })
	return s, conn
}

func TestKeysGoOutAsTheRFCSays(t *testing.T) {
	s, conn := pair(t)
	if err := s.Press("5"); err != nil {
		t.Fatal(err)
	}
	var all []packet
	ends, after := 0, false
	buf := make([]byte, 2048)
	for !after {
		if err := conn.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := readPacket(slices.Clone(buf[:n]))
		if !ok {
			t.Fatalf("no RTP: %x", buf[:n])
		}
		if p.payloadType == 8 {
			if after = len(all) > 0; after && !p.marker {
				t.Error("sound after the key has no marker")
			}
			continue
		}
		all = append(all, p)
		if e, ok := readEvent(p.payload); !ok || e.code != 5 {
			t.Errorf("event %+v", e)
		} else if e.end {
			ends++
			if e.duration != keyFrames*frameSize {
				t.Errorf("duration %d at the end", e.duration)
			}
		}
	}
	if ends != endPackets || len(all) != keyFrames-1+endPackets {
		t.Errorf("%d packets, %d ends; want %d, %d", len(all), ends, keyFrames-1+endPackets, endPackets)
	}
	for i, p := range all {
		if p.stamp != all[0].stamp || p.seq != all[0].seq+uint16(i) || p.marker != (i == 0) {
			t.Errorf("packet %d: %+v", i, p)
		}
	}
}

func TestSoundIsPacedAndContinuous(t *testing.T) {
	s, conn := pair(t)
	s.SetTone(440)
	var pcm []int16
	var last packet
	buf, out := make([]byte, 2048), make([]int16, frameSize)
	began := time.Now()
	for i := range 25 {
		if err := conn.SetReadDeadline(time.Now().Add(2 * time.Second)); err != nil {
			t.Fatal(err)
		}
		n, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		p, ok := readPacket(buf[:n])
		if !ok || len(p.payload) != frameSize || i > 0 && (p.seq != last.seq+1 || p.stamp != last.stamp+frameSize) {
			t.Fatalf("packet %d: %+v after %+v", i, p, last)
		}
		last = p
		dsp.DecodeALaw(out, p.payload)
		if i >= 5 {
			pcm = append(pcm, out...)
		}
	}
	if took := time.Since(began); took < 400*time.Millisecond || took > 900*time.Millisecond {
		t.Errorf("25 packets took %v, want about 500ms", took)
	}
	if a := dsp.Level(pcm, 8000, 440); a < 0.23 || a > 0.26 {
		t.Errorf("amplitude %v: the phase jumps", a)
	}
}

func TestTakingAPacketAllocatesNothing(t *testing.T) {
	s, _ := pair(t)
	b := make([]byte, headerSize+frameSize)
	packet{payloadType: 8}.header(b)
	pcm := make([]int16, 2048)
	if n := testing.AllocsPerRun(100, func() { s.take(time.Unix(1, 0), b, pcm) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

func FuzzDescription(f *testing.F) {
	f.Add([]byte(carrier))
	f.Add([]byte("v=0\nc=IN IP6 ::1/64\nm=audio 1 RTP/AVP 0 0 0\na=rtpmap:0 PCMA/8000"))
	f.Add([]byte("v=0\nm= audio 5 RTP/AVP 0\nm="))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := Parse(b)
		if err != nil {
			return
		}
		a, err := d.Answer(1, 1, local(), SendRecv, []string{"PCMU", "PCMA"})
		if err != nil {
			return
		}
		back, err := Parse(a.Bytes())
		if err != nil {
			t.Fatalf("our answer cannot be read: %v\n%s", err, a.Bytes())
		}
		if len(back.medias) != len(d.medias) || back.audio != d.audio {
			t.Fatalf("%d streams answered with %d", len(d.medias), len(back.medias))
		}
		if _, err := Agree(a, d); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzPacket(f *testing.F) {
	good := make([]byte, 20)
	packet{payloadType: 101, stamp: 7}.header(good)
	f.Add(good, uint32(1))
	f.Add([]byte("\xbf\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff"), uint32(1<<31))
	f.Fuzz(func(t *testing.T, b []byte, jump uint32) {
		s := &Session{onKey: func(byte) {}}
		fl := Flow{Receives: true}
		fl.In[0], fl.In[8], fl.In[101] = "PCMU", "PCMA", eventName
		s.flow.Store(&fl)
		pcm := make([]int16, 2048)
		now := time.Unix(1000, 0)
		for i := range uint32(3) {
			if len(b) > 2048 {
				b = b[:2048]
			}
			s.take(now, b, pcm)
			if p, ok := readPacket(b); ok {
				p.stamp += jump * i
				p.header(b)
			}
			now = now.Add(time.Duration(jump))
		}
		s.ear.last(now, time.Hour)
	})
}
