package rtp

import "testing"

func TestNumbersGoOnFromOurSoundToASenderAndBack(t *testing.T) {
	s := Stream{SSRC: 1, Seq: 65535, Timestamp: 1<<32 - Frame}
	want := func(p Packet, seq uint16, timestamp uint32, marker bool) {
		t.Helper()
		if p.SSRC != 1 || p.Seq != seq || p.Timestamp != timestamp || p.Marker != marker {
			t.Fatalf("%+v, want %d at %d, marked %v", p, seq, timestamp, marker)
		}
	}
	relay := func(seq uint16, timestamp uint32) Packet {
		t.Helper()
		p := Packet{SSRC: 2, Seq: seq, Timestamp: timestamp}
		if !s.Relay(&p, Frame) {
			t.Fatalf("%d was refused", seq)
		}
		return p
	}
	refused := func(seq uint16, timestamp uint32) {
		t.Helper()
		if p := (Packet{SSRC: 2, Seq: seq, Timestamp: timestamp}); s.Relay(&p, Frame) {
			t.Fatalf("%d was taken", seq)
		}
	}
	want(s.Sound(0, Frame), 65535, 1<<32-Frame, true)
	s.Join()
	want(relay(700, 5000), 0, 0, false)
	want(relay(702, 5000+2*Frame), 2, 2*Frame, false)
	want(relay(701, 5000+Frame), 1, Frame, false) // it overtook none of ours
	refused(702, 5000+2*Frame)
	refused(699, 5000-Frame)
	s.Withhold(&Packet{SSRC: 2, Seq: 703})
	want(relay(704, 5000+10*Frame), 3, 10*Frame, false) // the sender's pause is ours
	end, speaking := s.Leave()
	if end != 5000+11*Frame || !speaking {
		t.Errorf("left at %d, %v", end, speaking)
	}
	want(s.Sound(0, Frame), 4, 11*Frame, false)
	s.JoinAt(2, 704, 5000+11*Frame, 0)
	want(relay(705, 5000+11*Frame), 5, 12*Frame, false)
	for range 20 {
		s.Tick(Frame)
	}
	if _, speaking = s.Leave(); speaking {
		t.Error("whoever is silent for 400 ms speaks")
	}
	want(s.Sound(0, Frame), 6, 33*Frame, true) // time went on
}

// FuzzStream feeds a stream with anything: what leaves it is one stream all the same.
func FuzzStream(f *testing.F) {
	f.Add([]byte{0, 1, 5, 2, 9, 2, 9, 3, 0, 4, 5, 0, 2, 255, 6, 6, 6, 5, 1, 200, 2})
	f.Fuzz(func(t *testing.T, ops []byte) {
		s := Stream{SSRC: 9}
		in := Packet{SSRC: 1}
		joined := false
		for i, op := range ops {
			before := s
			switch op % 8 {
			case 0:
				in.SSRC, in.Seq, in.Timestamp = uint32(i), uint16(i*7919), uint32(i)*2654435761
			case 1, 2:
				in.Seq += uint16(op / 8)
				in.Timestamp += uint32(op/8) * 1000
				fallthrough
			case 3:
				if !joined {
					s.Join()
					joined = true
				}
				p := in
				if s.Relay(&p, uint32(op%3)*80) && (p.SSRC != 9 || int16(s.Seq-p.Seq) < 1 || int16(s.Seq-p.Seq) > seqWindow+1) {
					t.Fatalf("%+v leaves %+v", p, s)
				}
			case 4:
				s.Withhold(&in)
			case 5:
				s.Leave()
				joined = false
				if p := s.Sound(0, Frame); p.Seq != before.Seq {
					t.Fatalf("sound has number %d, want %d", p.Seq, before.Seq)
				}
			case 6:
				s.Tick(Frame)
			case 7:
				s.Leave()
				s.JoinAt(in.SSRC, in.Seq, in.Timestamp, 0)
				joined = true
			}
			if went := s.Seq - before.Seq; went > seqWindow+1 {
				t.Fatalf("step %d: the numbers went on by %d", i, went)
			}
			if went := int32(s.Timestamp - before.Timestamp); went < 0 {
				t.Fatalf("step %d: time went back by %d", i, -went)
			}
		}
	})
}
