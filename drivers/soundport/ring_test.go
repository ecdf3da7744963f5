package soundport

import (
	"slices"
	"testing"
)

func TestRingMendsClocksThatDrift(t *testing.T) {
	for _, c := range []struct {
		name             string
		in               int // samples that come per 20 ms
		dropped, repeats bool
	}{{"equal", 160, false, false}, {"the wire is faster", 162, true, false}, {"the wire is slower", 158, false, true}} {
		t.Run(c.name, func(t *testing.T) {
			r := new(ring)
			pcm := make([]int16, frame)
			silent := 0
			for i := range 3000 {
				r.push(make([]int16, c.in))
				if r.pop(pcm) == 0 && i > 5 {
					silent++
				}
				if fill := r.in.Load() - r.out.Load(); fill > ringHigh+2*frame {
					t.Fatalf("%d samples wait: the sound is late", fill)
				}
			}
			if got := r.dropped.Load() > 0; got != c.dropped {
				t.Errorf("dropped %d samples", r.dropped.Load())
			}
			if got := r.repeated.Load() > 0; got != c.repeats {
				t.Errorf("repeated %d frames", r.repeated.Load())
			}
			if silent > 60 {
				t.Errorf("silent for %d of 3000 frames", silent)
			}
		})
	}
}

func TestRingGivesBackWhatWasPutIn(t *testing.T) {
	r := new(ring)
	var in, out []int16
	pcm := make([]int16, frame)
	for i := range 500 {
		f := make([]int16, frame)
		for j := range f {
			f[j] = int16(i*frame + j)
		}
		in = append(in, f...)
		r.push(f)
		out = append(out, pcm[:r.pop(pcm)]...)
	}
	if !slices.Equal(out, in[:len(out)]) || len(in)-len(out) > ringStart {
		t.Errorf("%d samples in, %d out, and not the same", len(in), len(out))
	}
}

func TestFullRingDropsAndCounts(t *testing.T) {
	r := new(ring)
	if n := r.push(make([]int16, ringSize+100)); n != ringSize || r.dropped.Load() != 100 {
		t.Errorf("took %d, dropped %d", n, r.dropped.Load())
	}
}

func TestSoundPathDoesNotAllocate(t *testing.T) {
	s := new(Sound)
	pcm := make([]int16, frame)
	if n := testing.AllocsPerRun(1000, func() {
		s.Heard(pcm)
		s.Read(pcm)
		s.Write(pcm)
		s.Say(pcm)
	}); n != 0 {
		t.Errorf("%v allocations per frame", n)
	}
}
