package main

import (
	"math"

	"branchline/hal/dsp"
)

const (
	rate  = 8000
	loud  = -18  // dBFS of speech: the mean of Debian's English recordings
	peak  = 0.8  // of full scale; theirs is 0.7 to 0.8
	knee  = 0.5  // of full scale: what is louder is rounded off, not cut
	quiet = -45. // dBFS; below it nothing is said
	frame = rate / 100
)

// resample brings sound of another rate to ours: a sinc under a Hann window, low enough that no
// alias is heard.
func resample(in []int16, from int) []int16 {
	if from == rate {
		return in
	}
	const half = 32 // samples of the lower rate on each side
	step := float64(from) / rate
	cut := 0.92 * min(1, 1/step) // of from's half
	reach := half * max(1, step)
	out := make([]int16, int(float64(len(in))/step))
	for i := range out {
		at := float64(i) * step
		sum := 0.
		for k := max(0, int(math.Ceil(at-reach))); k < len(in) && float64(k) <= at+reach; k++ {
			d := float64(k) - at
			sum += float64(in[k]) * cut * sinc(cut*d) * (0.5 + 0.5*math.Cos(math.Pi*d/reach))
		}
		out[i] = dsp.Clip(int32(math.Round(sum)))
	}
	return out
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// trim cuts off what is quiet at both ends, but for 20 ms before and 60 ms after what is said.
func trim(pcm []int16) []int16 {
	first, last := -1, 0
	for at := 0; at+frame <= len(pcm); at += frame {
		if dsp.DBFS(dsp.RMS(pcm[at:at+frame])) > quiet {
			if first < 0 {
				first = at
			}
			last = at + frame
		}
	}
	if first < 0 {
		return nil
	}
	return pcm[max(0, first-2*frame):min(len(pcm), last+6*frame)]
}

// loudness is the mean level in dBFS of those parts of pcm in which something is said.
func loudness(pcm []int16) float64 {
	sum, n := 0., 0
	for at := 0; at+frame <= len(pcm); at += frame {
		if r := dsp.RMS(pcm[at : at+frame]); dsp.DBFS(r) > quiet {
			sum += r * r
			n++
		}
	}
	return dsp.DBFS(math.Sqrt(sum / float64(max(n, 1))))
}

// level gives pcm the loudness of the others. Rounding off the peaks takes some of it away, so it is
// done in steps.
func level(pcm []int16) []int16 {
	out := pcm
	gain := 1.
	for range 4 {
		gain *= math.Pow(10, (loud-loudness(out))/20)
		out = make([]int16, len(pcm))
		for i, x := range pcm {
			out[i] = int16(math.Round(32767 * soft(gain*float64(x)/32768)))
		}
	}
	return out
}

// soft lets through what is below the knee and rounds off the rest below peak.
func soft(x float64) float64 {
	a := math.Abs(x)
	if a > knee {
		a = knee + (peak-knee)*math.Tanh((a-knee)/(peak-knee))
	}
	return math.Copysign(a, x)
}
