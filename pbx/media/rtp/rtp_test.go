package rtp

import (
	"slices"
	"testing"
	"time"
)

func TestPacketComesBackAsItWasPut(t *testing.T) {
	in := Packet{Marker: true, PayloadType: 101, Seq: 65535, Timestamp: 1 << 31, SSRC: 7}
	b := make([]byte, HeaderLen, HeaderLen+3)
	in.PutHeader(b)
	out, ok := Parse(append(b, 1, 2, 3))
	if !ok || len(out.Payload) != 3 {
		t.Fatalf("%+v, %v", out, ok)
	}
	if out.Payload = nil; out.Marker != in.Marker || out.PayloadType != in.PayloadType || out.Seq != in.Seq ||
		out.Timestamp != in.Timestamp || out.SSRC != in.SSRC {
		t.Errorf("%+v, want %+v", out, in)
	}
}

func TestParseStepsOverSourcesExtensionAndPadding(t *testing.T) {
	b := []byte{0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3 /* source */, 9, 9, 9, 9 /* extension */, 0, 0, 0, 1, 8, 8, 8, 8, 42, 43, 0, 2}
	p, ok := Parse(b)
	if !ok || len(p.Payload) != 2 || p.Payload[0] != 42 {
		t.Fatalf("payload %v, %v", p.Payload, ok)
	}
	for n := range len(b) - 1 {
		if p, ok := Parse(b[:n]); ok && len(p.Payload) > n {
			t.Errorf("cut at %d: %v", n, p)
		}
	}
	for _, bad := range [][]byte{
		{0x40, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1},       // version 1
		{0xa0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0},       // padding of none
		{0xa0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 200},     // padding longer than all
		{0x8f, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1},       // fifteen sources that are not there
		{0x90, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 9}, // half an extension
	} {
		if _, ok := Parse(bad); ok {
			t.Errorf("%v was taken", bad)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte{0xb1, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 9, 9, 9, 9, 0, 0, 0, 1, 8, 8, 8, 8, 42, 43, 0, 2})
	f.Add([]byte{0x80, 0x80, 0, 1, 0, 0, 0, 2, 0, 0, 0, 3, 1})
	f.Fuzz(func(t *testing.T, b []byte) {
		if p, ok := Parse(b); ok && len(p.Payload) > len(b)-HeaderLen {
			t.Errorf("%d bytes of payload in %d", len(p.Payload), len(b))
		}
	})
}

// line is a sender whose samples count up, so that a test sees which of them come out.
type line struct {
	j    *Jitter
	next uint32
}

const around = 200 * Frame // samples count up to this and begin again

func (l *line) packet(n int) (uint32, []int16) {
	at := l.next
	pcm := make([]int16, n)
	for i := range pcm {
		pcm[i] = int16((at+uint32(i))%around) + 1
	}
	l.next += uint32(n)
	return at, pcm
}

func (l *line) send(n int) {
	at, pcm := l.packet(n)
	l.j.Put(at, false, pcm)
}

// follow takes a frame and tells the number of its first sample, -1 for silence.
func (l *line) follow() int {
	pcm := make([]int16, Frame)
	if !l.j.Get(pcm) {
		return -1
	}
	behind := (l.next%around + around - uint32(pcm[0]-1)) % around
	return int(l.next - behind)
}

func TestEvenStreamComesOutWholeAndFortyMillisecondsLate(t *testing.T) {
	l := &line{j: new(Jitter)}
	for i := range 200 {
		l.send(Frame)
		if got, want := l.follow(), (i-1)*Frame; got != max(want, -1) && !(i == 0 && got == -1) {
			t.Fatalf("tick %d: sample %d, want %d", i, got, want)
		}
	}
	if l.j.Lost+l.j.Late+l.j.Duplicate+l.j.Resync != 0 {
		t.Errorf("trouble was counted: %+v", l.j.Lost)
	}
}

func TestPacketsOfAnyLengthMakeAnEvenStream(t *testing.T) {
	for _, ms := range []int{10, 20, 30, 40, 60} {
		l := &line{j: new(Jitter)}
		size, last, lost := ms*8, -1, 0
		for i := range 300 {
			for int(l.next) < (i+1)*Frame {
				l.send(size)
			}
			if got := l.follow(); got >= 0 {
				if last >= 0 && got != last+Frame {
					lost++
				}
				last = got
			}
		}
		if lost > 0 || last < 280*Frame {
			t.Errorf("%d ms: %d breaks, ended at %d", ms, lost, last)
		}
	}
}

func TestReorderedAndDoubledPacketsSoundOnceInOrder(t *testing.T) {
	l := &line{j: new(Jitter)}
	want := 0
	for i := range 100 {
		a, pcmA := l.packet(Frame)
		b, pcmB := l.packet(Frame)
		l.j.Put(b, false, pcmB)
		l.j.Put(a, false, pcmA)
		l.j.Put(b, false, pcmB)
		for range 2 {
			got := l.follow()
			if got != want {
				t.Fatalf("pair %d: sample %d, want %d", i, got, want)
			}
			want += Frame
		}
	}
	if l.j.Duplicate != 100 {
		t.Errorf("%d duplicates counted, want 100", l.j.Duplicate)
	}
}

func TestLostPacketIsMadeUpAndTheRestKeepsItsPlace(t *testing.T) {
	l := &line{j: new(Jitter)}
	for i := range 50 {
		if i == 20 {
			l.packet(Frame)
		} else {
			l.send(Frame)
		}
		got, want := l.follow(), (i-1)*Frame
		if i == 0 || i == 21 {
			if i == 21 && got < 0 {
				t.Error("nothing was made up for the lost frame")
			}
			continue
		}
		if got != want {
			t.Fatalf("tick %d: sample %d, want %d", i, got, want)
		}
	}
	if l.j.Lost != 1 {
		t.Errorf("%d lost, want 1", l.j.Lost)
	}
}

func TestBacklogIsThrownAwayAndTheStreamIsSoonInTimeAgain(t *testing.T) {
	l := &line{j: new(Jitter)}
	for range 50 {
		l.send(Frame)
		l.follow()
	}
	for range 150 { // three seconds that the net held back
		l.follow()
	}
	for range 150 {
		l.send(Frame)
	}
	for range 100 {
		l.send(Frame)
		l.follow()
	}
	l.send(Frame)
	if behind := int(l.next) - l.follow(); behind > maxTarget+Frame {
		t.Errorf("%d samples behind two seconds after a backlog", behind)
	}
}

func TestRoughNetDeepensTheBufferAndACalmOneMakesItShallow(t *testing.T) {
	l := &line{j: new(Jitter)}
	silent := 0
	for range 20 {
		l.send(Frame)
		l.follow()
	}
	for i := range 400 { // packets come four together
		for range 4 {
			if i%4 == 3 {
				l.send(Frame)
			}
		}
		if l.follow(); i > 100 && l.j.mending > 0 {
			silent++
		}
	}
	if silent > 0 {
		t.Errorf("%d made-up frames after two seconds of a steady rough net", silent)
	}
	if l.j.target <= minTarget {
		t.Errorf("target %d on a rough net", l.j.target)
	}
	for range 3 * calmEnough {
		l.send(Frame)
		l.follow()
	}
	l.send(Frame)
	if behind := int(l.next) - l.follow(); behind > minTarget+Frame {
		t.Errorf("%d samples behind on a calm net", behind)
	}
}

func TestPauseInSpeechAddsNoDelay(t *testing.T) {
	for _, pause := range []int{1, 2, 3, 4, 5, 6, 7, 20, 500} {
		l := &line{j: new(Jitter)}
		for range 20 {
			l.send(Frame)
			l.follow()
		}
		for range pause {
			l.packet(Frame)
			l.follow()
		}
		for range 10 {
			l.send(Frame)
			l.follow()
		}
		l.send(Frame)
		if behind := int(l.next) - l.follow(); behind > minTarget+Frame {
			t.Errorf("%d samples behind after a pause of %d frames", behind, pause)
		}
	}
}

func TestSenderWhoseClockJumpsIsFollowed(t *testing.T) {
	for _, jump := range []uint32{1 << 31, 1<<32 - 80000, 80000, 1<<32 - 8000, 4096, 1<<32 - 4096} {
		l := &line{j: new(Jitter)}
		for range 20 {
			l.send(Frame)
			l.follow()
		}
		l.next += jump
		heard := 0
		for i := range 20 {
			l.send(Frame)
			if l.follow(); i > 10 && l.j.mending == 0 && l.j.playing {
				heard++
			}
		}
		if heard != 9 {
			t.Errorf("jump of %d: %d of 9 frames heard", int32(jump), heard)
		}
	}
}

func TestTheBufferAllocatesNothing(t *testing.T) {
	j, pcm, at := new(Jitter), make([]int16, Frame), uint32(0)
	var in KeysIn
	var out KeysOut
	if n := testing.AllocsPerRun(500, func() {
		at += Frame
		j.Put(at, false, pcm)
		j.Get(pcm)
		in.Put(at, []byte{1, 0x80, 3, 0x20}, false)
		in.Tick()
		out.Tick(at)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// FuzzJitter plays any order of packets and ticks; it must neither panic nor keep more than it may.
func FuzzJitter(f *testing.F) {
	f.Add([]byte{0, 1, 2, 255, 3, 255, 255, 9, 0x80, 255})
	f.Fuzz(func(t *testing.T, script []byte) {
		var j Jitter
		pcm, at := make([]int16, maxPacket), uint32(0xfffff000)
		for i, b := range script {
			switch {
			case b == 255:
				j.Get(pcm[:Frame])
			case b >= 240:
				at += uint32(b) << (uint(i) % 25)
			case b >= 200:
				at -= uint32(b-199) * 80
			default:
				j.Put(at, b&1 == 1, pcm[:min(int(b)*8, maxPacket)])
				at += uint32(b%8) * 80
			}
			if level := int32(j.end - j.head); level < 0 || level > limit {
				t.Fatalf("step %d: %d samples are kept", i, level)
			}
		}
	})
}

func event(code byte, end bool, duration int) []byte {
	b := []byte{code, 10, byte(duration >> 8), byte(duration)}
	if end {
		b[1] |= 0x80
	}
	return b
}

func keys(k *KeysIn, ticks int) (got []Press) {
	for range ticks {
		if p, ok := k.Tick(); ok {
			got = append(got, p)
		}
	}
	return got
}

func TestKeyIsToldOnceHoweverItsPacketsCome(t *testing.T) {
	const ms100 = 800
	for name, play := range map[string]func(k *KeysIn){
		"as it should": func(k *KeysIn) {
			for d := 160; d <= ms100; d += 160 {
				k.Put(1000, event(5, false, d), false)
			}
			for range 3 {
				k.Put(1000, event(5, true, ms100), false)
			}
		},
		"only one end packet":     func(k *KeysIn) { k.Put(1000, event(5, true, ms100), false) },
		"no end packet":           func(k *KeysIn) { k.Put(1000, event(5, false, ms100), false) },
		"an update after the end": func(k *KeysIn) { k.Put(1000, event(5, true, ms100), false); k.Put(1000, event(5, false, 640), false) },
		"a new source after it":   func(k *KeysIn) { k.Put(1000, event(5, false, ms100), false); k.Restart() },
		"garbage around it": func(k *KeysIn) {
			k.Put(900, []byte{5}, false)
			k.Put(1000, event(5, true, ms100), false)
			k.Put(2000, event(99, true, 5), false)
		},
		"timestamps from far away": func(k *KeysIn) { k.Put(1000+1<<31, event(5, true, ms100), false) },
	} {
		var k KeysIn
		play(&k)
		got := keys(&k, 20)
		if len(got) != 1 || got[0] != (Press{Key: '5', For: 100 * time.Millisecond}) {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSameKeyTwiceIsTwoKeysAndALostEndDoesNotHideTheNext(t *testing.T) {
	var k KeysIn
	k.Put(1000, event(1, true, 800), false)
	k.Put(2600, event(1, false, 800), false) // its end is lost
	k.Put(4200, event(11, true, 800), false)
	k.Put(2600, event(1, true, 800), false) // comes far too late
	got := ""
	for _, p := range keys(&k, 20) {
		got += string(p.Key)
	}
	if got != "11#" {
		t.Errorf("told %q, want 11#", got)
	}
}

func TestLateEndOfOneKeyDoesNotEndTheNext(t *testing.T) {
	var k KeysIn
	k.Put(1000, event(1, false, 2400), false)
	k.Put(4200, event(2, false, 160), false)
	k.Put(1000, event(1, true, 2400), false)
	k.Put(4200, event(2, true, 800), false)
	want := []Press{{Key: '1', For: 300 * time.Millisecond}, {Key: '2', For: 100 * time.Millisecond}}
	if got := keys(&k, 20); !slices.Equal(got, want) {
		t.Errorf("told %v, want %v", got, want)
	}
}

func TestLongPressInSegmentsIsOneKey(t *testing.T) {
	var k KeysIn
	at := uint32(0xffff0000)
	for range 2 {
		for d := 0; d < 0xffff; d += 160 {
			k.Put(at, event(0, false, d), false)
		}
		at += 0xffff
	}
	k.Put(at, event(0, true, 8000), false)
	got := keys(&k, 20)
	if len(got) != 1 || got[0].For.Round(10*time.Millisecond) != 17380*time.Millisecond {
		t.Errorf("told %v, want 0 for 17.38 s", got)
	}
}

func TestKeysSentAreTheKeysHeard(t *testing.T) {
	var out KeysOut
	var in KeysIn
	const sent = "0123456789*#ABCD!55"
	if !out.Add(sent) || out.Add("x") || out.Add(string(make([]byte, 65))) {
		t.Fatal("queue takes what it must not, or the other way round")
	}
	got, ends, marks := "", 0, 0
	for i := range len(sent)*keyTicks + 20 {
		p, send, _ := out.Tick(uint32(i * Frame))
		if send {
			in.Put(p.Timestamp, p.Payload[:], false)
			if p.Payload[1]&0x80 != 0 {
				ends++
			}
			if p.Marker {
				marks++
			}
		}
		if press, ok := in.Tick(); ok {
			got += string(press.Key)
			if press.For != 100*time.Millisecond {
				t.Errorf("%c lasted %v", press.Key, press.For)
			}
		}
	}
	if got != sent || ends != 3*len(sent) || marks != len(sent) {
		t.Errorf("heard %q with %d ends and %d marks", got, ends, marks)
	}
}

func FuzzKeysIn(f *testing.F) {
	f.Add(uint32(1000), event(5, true, 800), uint32(2000), event(5, false, 800))
	f.Fuzz(func(t *testing.T, at uint32, a []byte, then uint32, b []byte) {
		var k KeysIn
		k.Put(at, a, false)
		k.Put(then, b, false)
		if got := keys(&k, 30); len(got) > 2 {
			t.Errorf("two packets made %v", got)
		}
	})
}
