package ui

import (
	"bytes"
	"testing"

	"branchline/hal/dsp"
)

// Whatever a file holds, drawing it ends, and what is drawn is in bounds.
func FuzzDrawRecording(f *testing.F) {
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEdata\xff\xff\xff\xff"))
	f.Add(dsp.FormatWAV(dsp.WAV{Rate: 8000, Channels: 2, PCM: []int16{1, -32768, 32767, 0}}))
	f.Add(dsp.FormatWAV(dsp.WAV{Rate: 16000, Channels: 1, PCM: make([]int16, 2000)}))
	f.Fuzz(func(t *testing.T, raw []byte) {
		w, err := draw(bytes.NewReader(raw), int64(len(raw)))
		if err != nil {
			return
		}
		if len(w.Left) > wavePieces || w.Right != nil && len(w.Right) != len(w.Left) {
			t.Fatalf("%d and %d pieces", len(w.Left), len(w.Right))
		}
		for _, level := range append(w.Left, w.Right...) {
			if level < 0 || level > 100 {
				t.Fatalf("level %d", level)
			}
		}
	})
}
