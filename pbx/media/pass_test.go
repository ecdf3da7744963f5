package media

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
	"testing"

	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/media/rtp"
)

func TestKeyIsPassedOnWithItsOwnTypeAndTimeAndToldOnce(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", Session{Codec: PCMU, PayloadType: 0, DTMF: 96})
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(200)
	tab.silent["a"] = true // a phone sends no sound beside a key
	n, began := len(b.heads), a.head.Timestamp
	shift := b.heads[n-1].Timestamp + frame - began
	for i := range 8 {
		end := byte(0)
		if i > 4 {
			end = 0x80
		}
		head := a.head
		a.head.Timestamp, a.head.SSRC = began, head.SSRC
		packet := a.event(5, end|10, 0, byte(160*min(i+1, 5)/8))
		a.head.Timestamp = head.Timestamp
		packet[1] |= byte(map[bool]int{true: 0x80}[i == 0])
		a.say(packet)
		tab.pass(20)
	}
	events := slices.Clone(b.heads[n:])
	if len(events) != 8 {
		t.Fatalf("%d packets of a key came, want 8", len(events))
	}
	for i, h := range events {
		if h.PayloadType != 96 || h.Timestamp != began+shift || h.Marker != (i == 0) {
			t.Errorf("packet %d: %+v, want type 96 at %d", i, h, began+shift)
		}
	}
	tab.silent["a"] = false
	tab.pass(200)
	b.numbers()
	if jumps, _ := b.jumps(a); len(jumps) != 0 {
		t.Errorf("after the key the sound is off by %v", jumps)
	}
	got := d.told()
	if len(got) != 1 || got[0].(hal.Digit).Key != '5' || !got[0].(hal.Digit).Passed {
		t.Errorf("told %+v, want one 5 that was passed on", got)
	}
}

func TestKeyIsPassedOnWhollyOrNotAtAll(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(200)
	a.say(a.event(7, 10, 0, 160)) // begins, and the passage ends before it does
	d.order(hal.Play{Bridge: "x", Ref: "p", Items: []hal.Item{{Tone: "dial"}}})
	tab.pass(100)
	var ends int
	for i, h := range b.heads {
		if h.PayloadType == 101 && b.bytes[i][1]&0x80 != 0 {
			ends++
		}
	}
	if ends != 3 {
		t.Errorf("the key was ended by %d packets, want 3", ends)
	}
	tab.pass(400)
	a.say(a.event(8, 10, 0, 160)) // begins in the mix
	d.order(hal.Stop{Ref: "p"})
	tab.pass(60)
	n := len(b.heads)
	a.head.Timestamp -= 3 * frame
	a.say(a.event(8, 0x80|10, 2, 0x80))
	a.head.Timestamp += 3 * frame
	tab.pass(300)
	for _, h := range b.heads[n:] {
		if h.PayloadType == 101 {
			t.Error("the end of a key was passed on, whose beginning was not")
		}
	}
	b.numbers()
	got := d.told()
	if len(got) != 3 || !got[0].(hal.Digit).Passed || got[2].(hal.Digit).Passed {
		t.Errorf("told %+v, want 7 passed on, the end of the tone, and 8 not passed on", got)
	}
}

func TestOwnKeysEndThePassageForAsLongAsTheySound(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(200)
	b.port.SendKeys("k", "42")
	d.settle()
	tab.pass(600)
	keys, in := "", rtp.KeysIn{}
	for i, h := range b.heads {
		if h.PayloadType == 101 {
			in.Put(h.Timestamp, b.bytes[i], false)
			if press, ok := in.Tick(); ok {
				keys += string(press.Key)
			}
		}
	}
	relayed := a.port.Stats().Relayed
	tab.pass(200)
	if got := a.port.Stats().Relayed - relayed; keys != "42" || got != 10 {
		t.Errorf("keys %q came, and then %d packets passed in 200 ms", keys, got)
	}
	b.numbers()
}

func TestCodecThatWeCannotDecodePassesBetweenLegsThatShareIt(t *testing.T) {
	d := wired(t, Options{})
	opus := Session{Codec: Raw, Format: "opus/48000/2", ClockHz: 48000, PayloadType: 111}
	a := d.far("a", opus)
	opus.PayloadType = 98
	b := d.far("b", opus)
	opus.Format = "G729/8000"
	c := d.far("c", opus)
	d.order(join("a", "x"), join("b", "x"))
	d.ticks(1)
	for i := range 50 {
		head := rtp.Packet{PayloadType: 111, Seq: uint16(i), Timestamp: uint32(i * 960), SSRC: 5}
		p := make([]byte, rtp.HeaderLen)
		head.PutHeader(p)
		a.say(append(p, fmt.Sprint("packet ", i)...))
		d.tick()
	}
	b.listen(0)
	if len(b.heads) != 50 || !bytes.Equal(b.bytes[49], []byte("packet 49")) || b.heads[49].PayloadType != 98 ||
		b.heads[49].Timestamp-b.heads[0].Timestamp != 49*960 {
		t.Errorf("%d packets came, the last is %q", len(b.heads), b.bytes[len(b.bytes)-1])
	}
	d.order(hal.Play{Leg: "b", Ref: "p", Items: []hal.Item{{Tone: "dial"}}}, join("c", "y"), join("a", "y"))
	d.ticks(20)
	a.say(a.packet(frame))
	b.listen(0)
	c.listen(0)
	if len(b.heads) != 50 || len(c.heads) != 0 {
		t.Errorf("sent %d packets that cannot be made, and %d of another codec", len(b.heads)-50, len(c.heads))
	}
}

func TestAnotherCodecThatTheSenderMayUseIsConverted(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMA)), d.far("b", agreed(PCMA))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(100)
	packet := a.packet(frame)
	packet[1] = 0 // it says PCMU
	n := len(b.heads)
	a.say(packet)
	b.listen(0)
	if len(b.heads) != n+1 || b.heads[n].PayloadType != 8 {
		t.Fatalf("%d packets came", len(b.heads)-n)
	}
	want, pcm := make([]byte, frame), make([]int16, frame)
	dsp.DecodeULaw(pcm, packet[rtp.HeaderLen:])
	dsp.EncodeALaw(want, pcm)
	if !bytes.Equal(b.bytes[n], want) {
		t.Error("it came as other sound")
	}
}

func TestFloodAndGarbageOnOneLegAreBoundedAndDoNotTearTheOthersNumbers(t *testing.T) {
	for name, next := range map[string]func(a *far, i int) []byte{
		"a thousand packets a second": func(a *far, i int) []byte { return a.packet(8) },
		"a new SSRC each time":        func(a *far, i int) []byte { a.head.SSRC++; return a.packet(8) },
		"numbers that mean nothing": func(a *far, i int) []byte {
			b := a.packet(8)
			binary.BigEndian.PutUint16(b[2:], uint16(i*7919))
			binary.BigEndian.PutUint32(b[4:], uint32(i*2654435761))
			return b
		},
		"keys that mean nothing": func(a *far, i int) []byte { a.head.Timestamp += 800; return a.event(byte(i%16), 10, 1, 0) },
		"no RTP":                 func(a *far, i int) []byte { return a.sound[i : i+40] },
	} {
		t.Run(name, func(t *testing.T) {
			d := wired(t, Options{})
			a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
			d.order(join("a", "x"), join("b", "x"))
			d.ticks(2)
			for i := range 1000 {
				a.say(next(a, i))
				if i%20 == 0 {
					d.tick()
				}
				b.listen(0)
			}
			if n := len(b.heads); n > 32+4*51 {
				t.Errorf("%d of 1,000 packets came", n)
			}
			for i := 1; i < len(b.heads); i++ {
				p, q := b.heads[i-1], b.heads[i]
				if gap := int16(q.Seq - p.Seq); q.SSRC != p.SSRC || gap > 100 || gap < -100 {
					t.Fatalf("packet %d: %+v after %+v", i, q, p)
				}
			}
			s := a.port.Stats()
			if int(s.Relayed) != len(b.heads) || s.Relayed+s.Excess+s.Invalid == 0 {
				t.Errorf("counted %+v, %d came", s, len(b.heads))
			}
			n := len(b.heads)
			d.ticks(10)
			newTable(d, 0, b, a).pass(400) // both speak as they should
			if got := len(b.heads) - n; got < 18 {
				t.Errorf("after it %d packets came in 400 ms", got)
			}
		})
	}
}

func TestStrangersAreNotPassedOn(t *testing.T) {
	d := wired(t, Options{})
	a, b := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU))
	tab := newTable(d, 0, a, b)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(100)
	n, thief := len(b.heads), newSender(77, 1300)
	for range 20 {
		a.port.take(thief.packet(PCMU), remote(9), false)
	}
	b.listen(0)
	if got := len(b.heads) - n; got != 0 || a.port.Stats().Foreign != 20 {
		t.Errorf("%d packets of a stranger came", got)
	}
}

func TestSourcesChangeAndTheNumbersGoOn(t *testing.T) {
	d := wired(t, Options{Prompts: shelf{"words": make([]int16, 800)}})
	a, b, c := d.far("a", agreed(PCMU)), d.far("b", agreed(PCMU)), d.far("c", agreed(PCMU))
	tab := newTable(d, 0, a, b, c)
	d.order(join("a", "x"), join("b", "x"))
	tab.pass(300)
	b.head.SSRC, b.head.Seq, b.head.Timestamp = 99, 5, 5 // another machine behind the same address
	tab.pass(300)
	d.order(hal.Join{Leg: "b"}, hal.Play{Leg: "a", Ref: "p", Items: file("words")}, hal.Play{Leg: "b", Ref: "q", Items: file("words")})
	tab.pass(300)
	d.order(join("c", "x")) // transferred
	tab.pass(300)
	d.Detach("c")
	tab.pass(100)
	d.order(join("b", "y"), join("a", "y"))
	tab.pass(300)
	for _, f := range tab.fars {
		f.numbers()
	}
	if got := a.port.Stats().Relayed; got < 50 {
		t.Errorf("%d packets passed", got)
	}
	for _, l := range d.legs {
		if p := l.port; p.end.Joined() != (l.bridge.pair.a != nil) {
			t.Errorf("%s passes on to a port that is gone", l.id)
		}
	}
}

func TestNumbersOfOneLegAreNotThoseOfTheOther(t *testing.T) {
	d := wired(t, Options{})
	opus := Session{Codec: Raw, Format: "opus/48000/2", ClockHz: 48000, PayloadType: 111, PayloadTypeIn: 96, DTMF: 110, DTMFIn: 102}
	a, b := d.far("a", opus), d.far("b", Session{Codec: Raw, Format: "opus/48000/2", ClockHz: 48000, PayloadType: 98, DTMF: 99})
	d.order(join("a", "x"), join("b", "x"))
	d.tick()
	say := func(payload uint8, n int) {
		head := a.head
		head.PayloadType = payload
		packet := make([]byte, rtp.HeaderLen+n)
		head.PutHeader(packet)
		a.head.Seq++
		a.head.Timestamp += 960
		a.say(packet)
	}
	say(96, 50)  // our number
	say(111, 50) // theirs
	say(102, 4)  // keys
	say(97, 50)  // nobody's
	b.listen(0)
	if len(b.heads) != 3 || b.heads[0].PayloadType != 98 || b.heads[1].PayloadType != 98 || b.heads[2].PayloadType != 99 {
		t.Errorf("came %+v", b.heads)
	}
}
