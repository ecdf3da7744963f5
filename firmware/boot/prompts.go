package boot

import (
	"math"
	"os"
	"path/filepath"
	"strings"

	"branchline/pbx/media"
	recorded "branchline/pbx/media/prompts"
)

// prompts is the folder of recorded prompts; what it lacks is said in tones, so that a box without
// the recordings still answers, waits and confirms.
type prompts struct {
	folder *recorded.Folder
	found  bool
}

var _ media.Prompts = (*prompts)(nil)

// findPrompts looks for the recordings: in the data folder, then beside the program, where the
// build unpacks them.
func findPrompts(data string) *prompts {
	places := []string{filepath.Join(data, "prompts", "en")}
	if exe, err := os.Executable(); err == nil {
		places = append(places, filepath.Join(filepath.Dir(exe), "prompts", "en"))
	}
	for _, dir := range places {
		if _, err := os.Stat(filepath.Join(dir, "vm-goodbye.wav")); err == nil {
			return &prompts{folder: &recorded.Folder{Dir: dir}, found: true}
		}
	}
	return &prompts{folder: &recorded.Folder{Dir: places[0]}}
}

func (p *prompts) Load(name string) ([]int16, error) {
	pcm, err := p.folder.Load(name)
	if err == nil {
		return pcm, nil
	}
	return tones(name), nil
}

// tones says name without words: two rising beeps for yes, two falling ones for no, one otherwise.
func tones(name string) []int16 {
	switch {
	case strings.Contains(name, "incorrect") || strings.Contains(name, "invalid"):
		return append(beep(600), beep(400)...)
	case strings.HasSuffix(name, "ok") || strings.Contains(name, "activated") || strings.Contains(name, "loggedoff"):
		return append(beep(400), beep(600)...)
	}
	return beep(500)
}

func beep(hz float64) []int16 {
	const rate, sound, pause = 8000, 200, 100 // Hz, ms, ms
	out := make([]int16, rate*(sound+pause)/1000)
	for i := range rate * sound / 1000 {
		out[i] = int16(6000 * math.Sin(2*math.Pi*hz*float64(i)/rate))
	}
	return out
}
