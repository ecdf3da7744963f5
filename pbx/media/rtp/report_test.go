package rtp

import (
	"bytes"
	"encoding/hex"
	"math"
	"testing"
	"time"
)

func TestReceptionCountsLossAndJitter(t *testing.T) {
	var r Reception
	at := time.Duration(0)
	for i := range 1000 {
		p := Packet{SSRC: 1, Seq: uint16(65000 + i), Timestamp: uint32(i) * 160}
		at += 20 * time.Millisecond
		if i%10 == 3 { // lost
			continue
		}
		late := time.Duration(0)
		if i%2 == 1 {
			late = 8 * time.Millisecond
		}
		r.Take(&p, at+late, true)
	}
	if expected, lost := r.Counts(); expected != 1000 || lost != 100 {
		t.Errorf("%d of %d lost", lost, expected)
	}
	if j := r.Jitter(); j < 5*time.Millisecond || j > 8*time.Millisecond {
		t.Errorf("jitter %v", j)
	}
	r.Take(&Packet{SSRC: 2, Seq: 9}, at, true)
	r.Take(&Packet{SSRC: 2, Seq: 11}, at, true)
	if expected, lost := r.Counts(); expected != 1003 || lost != 101 {
		t.Errorf("with another sender: %d of %d lost", lost, expected)
	}
	r.Take(&Packet{SSRC: 2, Seq: 11}, at, true) // one that comes twice makes up for none
	r.Take(&Packet{SSRC: 2, Seq: 11}, at, true)
	if _, lost := r.Counts(); lost != 100 {
		t.Logf("twice counted: %d", lost)
	}
}

func TestReportIsReadByAnother(t *testing.T) {
	// a, who sends as 0xa, and b, who sends as 0xb, 30 ms from each other
	var ofB, ofA Reception
	begin := time.Date(2026, 3, 2, 9, 0, 0, 0, time.UTC)
	for i := range 100 {
		now := time.Duration(i) * 20 * time.Millisecond
		if i%4 != 0 {
			ofA.Take(&Packet{SSRC: 0xa, Seq: uint16(i), Timestamp: uint32(160 * i)}, now, true)
		}
		ofB.Take(&Packet{SSRC: 0xb, Seq: uint16(i), Timestamp: uint32(160 * i)}, now, true)
	}
	var b [ReportLen]byte
	at := 2 * time.Second
	a := Report{SSRC: 0xa, NTP: NTP(begin.Add(at)), Timestamp: 16000, Packets: 100, Octets: 16000}
	n := a.Put(b[:], &ofB, at)
	h, ok := ReadReport(b[:n], 0xb)
	if !ok || !h.Sender || h.SSRC != 0xa || !h.About || h.Fraction != 0 || h.Last != 0 {
		t.Fatalf("%v %+v", ok, h)
	}
	ofA.Heard(h, at+30*time.Millisecond)
	at += time.Second
	n = (&Report{SSRC: 0xb}).Put(b[:], &ofA, at)
	h, ok = ReadReport(b[:n], 0xa)
	if !ok || h.Sender || !h.About || h.Fraction != 62 { // of 99 expected 24 lost, before the first nothing is known
		t.Errorf("%v %+v", ok, h)
	}
	took, ok := h.RoundTrip(NTP(begin.Add(at + 30*time.Millisecond)))
	if !ok || took < 59*time.Millisecond || took > 61*time.Millisecond {
		t.Errorf("there and back in %v, %v", took, ok)
	}
	if _, ok := h.RoundTrip(NTP(begin.Add(time.Hour))); ok {
		t.Error("an hour there and back")
	}
}

func TestReportOfNothingIsWhole(t *testing.T) {
	var b [ReportLen]byte
	n := (&Report{SSRC: 0x12345678}).Put(b[:], &Reception{}, 0)
	want := "80c9000112345678" + "81ca0004123456780108" + hex.EncodeToString([]byte("12345678")) + "0000"
	if got := hex.EncodeToString(b[:n]); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestMOSIsThatOfTheEModel(t *testing.T) {
	for _, c := range []struct {
		loss  float64
		delay time.Duration
		want  float64
	}{{0, 0, 4.41}, {0, 150 * time.Millisecond, 4.35}, {0, 400 * time.Millisecond, 3.11}, {0.02, 0, 4.24}, {0.1, 0, 3.45}, {1, time.Second, 1}} {
		if got := MOS(c.loss, c.delay); math.Abs(got-c.want) > 0.1 {
			t.Errorf("loss %v, %v: %.2f, want %.2f", c.loss, c.delay, got, c.want)
		}
	}
}

func FuzzReport(f *testing.F) {
	var b [ReportLen]byte
	r := Reception{}
	r.Take(&Packet{SSRC: 7}, 0, true)
	n := (&Report{SSRC: 9, Packets: 1}).Put(b[:], &r, 0)
	f.Add(b[:n])
	f.Add([]byte{0x9f, 200, 0, 1, 0, 0, 0, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		before := bytes.Clone(data)
		h, ok := ReadReport(data, 7)
		if !ok && h != (Heard{}) || !bytes.Equal(data, before) {
			t.Errorf("%x: %+v", data, h)
		}
		r.Heard(h, time.Second)
		var b [ReportLen]byte
		(&Report{SSRC: 9, Packets: 1}).Put(b[:], &r, 2*time.Second)
		if took, ok := h.RoundTrip(NTP(time.Unix(0, 0))); ok && (took < 0 || took > 10*time.Second) {
			t.Errorf("%v", took)
		}
	})
}
