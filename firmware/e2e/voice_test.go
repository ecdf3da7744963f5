package e2e

import (
	"errors"
	"hash/fnv"
	"io/fs"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"branchline/hal/dsp"
	"branchline/pbx/call"
	"branchline/pbx/prompt"
)

const unpacked = "../../build/prompts" // where make prompts leaves the recordings

// made tells whether make prompts made the folder of a language. Where it could not, it has left the
// reason; where it was never called, the test fails.
func made(t *testing.T, tag, reason string) bool {
	t.Helper()
	if _, err := os.Stat(filepath.Join(unpacked, tag, "VERSION")); err == nil {
		return true
	}
	why, err := os.ReadFile(filepath.Join(unpacked, reason))
	if err != nil {
		t.Fatalf("there are no prompts in %s, and no reason: run make prompts first", unpacked)
	}
	t.Logf("%s: %s", tag, why)
	return false
}

func TestTheFoldersThatMakePromptsMadeHoldAllThatTheBoxSays(t *testing.T) {
	t.Parallel()
	for _, l := range []struct{ tag, reason string }{{"en", "MISSING"}, {"zh-CN", "MISSING.zh-CN"}} {
		if !made(t, l.tag, l.reason) {
			continue
		}
		for _, name := range prompt.In(l.tag).Recordings() {
			pcm := recording(t, filepath.Join(unpacked, l.tag), name)
			if len(pcm) < 800 || dsp.DBFS(dsp.RMS(pcm)) < -40 {
				t.Errorf("%s/%s: %d samples at %.0f dBFS", l.tag, name, len(pcm), dsp.DBFS(dsp.RMS(pcm)))
			}
		}
	}
}

// recording is the sound of a file as the box takes it.
func recording(t *testing.T, dir, name string) []int16 {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join(dir, filepath.FromSlash(name)+".wav"))
	if err != nil {
		t.Fatal(err)
	}
	w, err := dsp.ParseWAV(raw)
	if err != nil || w.Rate != 8000 || w.Channels != 1 {
		t.Fatalf("%s: %d Hz, %d channels, %v", name, w.Rate, w.Channels, err)
	}
	return w.PCM
}

// chinese puts the Chinese recordings into dir: those of make prompts, or, where espeak-ng could not
// be had, noises that differ.
func chinese(t *testing.T, dir string) {
	t.Helper()
	if made(t, "zh-CN", "MISSING.zh-CN") {
		if err := os.CopyFS(dir, os.DirFS(filepath.Join(unpacked, "zh-CN"))); err != nil && !errors.Is(err, fs.ErrExist) {
			t.Fatal(err)
		}
		return
	}
	for _, name := range prompt.Chinese.Recordings() {
		seed := fnv.New64a()
		seed.Write([]byte(name))
		noise := rand.New(rand.NewPCG(seed.Sum64(), 1))
		pcm := make([]int16, 3200)
		for i := range pcm {
			pcm[i] = int16(noise.IntN(12000) - 6000)
		}
		file := filepath.Join(dir, filepath.FromSlash(name)+".wav")
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, dsp.FormatWAV(dsp.WAV{Rate: 8000, Channels: 1, PCM: pcm}), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// An agent of a Chinese branch signs in: the phone hears the Chinese recordings, one after the other
// without a gap, his number digit by digit among them.
func TestAChineseSiteConfirmsTheSignInInChineseWithTheAgentsNumber(t *testing.T) {
	t.Parallel()
	r := startIn(t, boxes.next(), func(dir string) { chinese(t, filepath.Join(dir, "prompts", "zh-CN")) }, "language: en", "language: zh-CN")
	said := func(names ...string) (pcm []int16) {
		for _, name := range names {
			pcm = append(pcm, recording(t, filepath.Join(r.dir, "prompts", "zh-CN"), name)...)
		}
		return pcm
	}
	ana := r.phone("201", nil)
	c, err := ana.Dial(r.ctx(), "*22")
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range []struct{ asked, keys string }{{"agent-user", "1001#"}, {"agent-pass", "4711#"}} {
		words := said(field.asked)
		words = words[:min(len(words), 6000)]
		r.eventually("the phone to hear "+field.asked, func() bool {
			<-time.After(100 * time.Millisecond) // looking costs more than waiting
			return alike(c.Heard(), words) > 0.9
		})
		if err := c.SendKeys(field.keys); err != nil {
			t.Fatal(err)
		}
	}
	r.within("the box to hang up", c.Gone())
	r.waitAgent("1001", call.Ready)
	heard := c.Heard()
	words := said("agent-number", "digits/1", "digits/0", "digits/0", "digits/1", "agent-loginok")
	if a := alike(heard, words); a < 0.9 {
		t.Errorf("what the phone heard at the end is like 工号 一零零一 已签入 by %.2f, want 0.9", a)
	}
	if a := alike(heard, said("agent-number", "digits/2", "digits/7", "digits/9", "digits/4", "agent-loginok")); a > 0.8 {
		t.Errorf("it is like 工号 二七九四 已签入 by %.2f: the measure cannot tell", a)
	}
}

// A prompt that is misspelt is told when the configuration is checked, with what was meant.
func TestACheckOfTheConfigurationNamesAPromptThatIsNowhere(t *testing.T) {
	t.Parallel()
	r := startIn(t, boxes.next(), func(dir string) { chinese(t, filepath.Join(dir, "prompts", "zh-CN")) })
	text := document(t, r.ip, "language: en", "language: zh-CN", "[vm-goodbye]", "[vm-godbye]")
	wrong := r.check(text)
	found := false
	for _, f := range wrong.Faults {
		found = found || !f.Warning && f.Line > 0 && f.Cure[:min(len(f.Cure), 26)] == `did you mean "vm-goodbye"?`
	}
	if wrong.OK || !found {
		t.Errorf("check says %+v", wrong)
	}
}

// alike is how like words the likest place of heard is: the cosine of the angle between the two, 1
// where they are equal but for their loudness.
func alike(heard, words []int16) float64 {
	heard = append(slices.Clone(heard), make([]int16, 800)...) // the last packet may come after the hang-up
	head := words[:min(len(words), 800)]
	at, best := 0, 0.0
	for i := 0; i+len(words) <= len(heard); i++ {
		if c := cosine(heard[i:i+len(head)], head); c > best {
			at, best = i, c
		}
	}
	if len(words) == 0 || at+len(words) > len(heard) {
		return 0
	}
	return cosine(heard[at:at+len(words)], words)
}

func cosine(a, b []int16) float64 {
	var ab, aa, bb float64
	for i := range b {
		x, y := float64(a[i]), float64(b[i])
		ab, aa, bb = ab+x*y, aa+x*x, bb+y*y
	}
	if aa == 0 || bb == 0 {
		return 0
	}
	return ab / math.Sqrt(aa*bb)
}
