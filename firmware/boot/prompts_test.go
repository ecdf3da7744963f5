package boot

import (
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"branchline/hal/dsp"
	"branchline/pbx/config"
	"branchline/pbx/prompt"
)

// shelf is a data folder with recordings in it, and a folder as if beside the program.
type shelf struct {
	t       *testing.T
	data    string
	shipped string
}

func newShelf(t *testing.T) *shelf {
	return &shelf{t, t.TempDir(), t.TempDir()}
}

// put lays down recordings that say x.
func (s *shelf) put(place, language string, x int16, names ...string) {
	s.t.Helper()
	for _, name := range names {
		s.file(filepath.Join(place, language, name+".wav"), dsp.FormatWAV(dsp.WAV{Rate: 8000, Channels: 1, PCM: []int16{x}}))
	}
}

func (s *shelf) file(path string, b []byte) {
	s.t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		s.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o644); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shelf) own() string { return filepath.Join(s.data, "prompts") }

func (s *shelf) voice(language string) *prompts {
	p := findPrompts(s.data, language, slog.New(slog.DiscardHandler))
	p.places = []string{s.own(), s.shipped}
	p.speak(language)
	return p
}

func TestARecordingIsTakenFromTheOwnerFirstThenInEnglishThenAsTones(t *testing.T) {
	s := newShelf(t)
	s.put(s.shipped, "en", 1, append(prompt.English.Recordings(), "hello", "welcome", "music")...)
	s.put(s.shipped, "zh-CN", 2, append(prompt.Chinese.Recordings(), "hello", "welcome")...)
	s.put(s.own(), "zh-CN", 3, "welcome")
	p := s.voice("zh-CN")
	for name, want := range map[string]int16{"welcome": 3, "hello": 2, "music": 1, "agent-ready": 2} {
		if pcm, err := p.Load(name); err != nil || len(pcm) != 1 || pcm[0] != want {
			t.Errorf("%s: %v, %v, want %d", name, pcm, err, want)
		}
	}
	if pcm, err := p.Load("nowhere"); err != nil || dsp.RMS(pcm) < 0.01 {
		t.Errorf("what is nowhere is no tone: %v, %v", pcm, err)
	}
	if pcm, err := p.Load("digits/99"); err != nil || len(pcm) != 0 {
		t.Errorf("a part of a number is said in tones: %v, %v", pcm, err)
	}
	doc := &config.Doc{Site: config.Site{Language: "en"}}
	p.speak("en")
	if pcm, _ := p.Load("hello"); len(pcm) != 1 || pcm[0] != 1 {
		t.Errorf("after the change to English hello says %v", pcm)
	}
	if got := p.spoken(doc); got != doc || !p.found() {
		t.Errorf("spoken %+v, found %v", got.Site, p.found())
	}
}

func TestABoxWithoutTheRecordingsOfItsLanguageSpeaksEnglish(t *testing.T) {
	s := newShelf(t)
	s.put(s.shipped, "en", 1, prompt.English.Recordings()...)
	s.put(s.shipped, "zh-CN", 2, prompt.Chinese.Recordings()[1:]...)
	doc := &config.Doc{Site: config.Site{Name: "Beijing", Language: "zh-CN"}}
	p := s.voice("zh-CN")
	if got := p.spoken(doc); got.Site.Language != "en" || got.Site.Name != "Beijing" || doc.Site.Language != "zh-CN" {
		t.Errorf("spoken %+v of %+v", got.Site, doc.Site)
	}
	if got := p.judge(doc); len(got) != 1 || got[0].Path != "site.language" || !got[0].Warning || got[0].Cure.EN == "" {
		t.Errorf("judged %v", got)
	}
	s.put(s.own(), "zh-CN", 3, prompt.Chinese.Recordings()[0])
	p.speak("zh-CN")
	if got := p.spoken(doc); got != doc {
		t.Errorf("with the last one there it still speaks %s", got.Site.Language)
	}
}

func TestAPromptThatIsNowhereIsToldWithItsCure(t *testing.T) {
	s := newShelf(t)
	doc := &config.Doc{
		Site:   config.Site{Language: "zh-CN"},
		Queues: []config.Queue{{Name: "sales", Music: []string{"waltz", "hello"}}},
		Flows: []config.Flow{{Name: "main", Steps: []config.Step{
			{Play: []string{"hello", "helo", "fast"}},
			{Menu: &config.Menu{Prompt: []string{"welcome"}, Invalid: []string{"../../secret"}}},
		}}},
	}
	p := s.voice("zh-CN")
	found := p.judge(doc)
	if len(found) != 6 || len(config.Wrong(found)) != 0 {
		t.Errorf("a box without recordings says %v", found)
	}

	s.put(s.shipped, "en", 1, append(prompt.English.Recordings(), "waltz")...)
	s.put(s.shipped, "zh-CN", 2, append(prompt.Chinese.Recordings(), "hello")...)
	s.put(s.own(), "zh-CN", 3, "welcome")
	s.file(filepath.Join(s.own(), "zh-CN", "fast.wav"), dsp.FormatWAV(dsp.WAV{Rate: 44100, Channels: 2, PCM: []int16{1, 2}}))
	want := []struct {
		path, text string
		warning    bool
	}{
		{"queues[0].music[0]", "in English", true},
		{"flows[0].steps[0].play[1]", `did you mean "hello"`, false},
		{"flows[0].steps[0].play[2]", "44100 Hz", false},
	}
	found = p.judge(doc)
	for i, w := range want {
		if i >= len(found) || found[i].Path != w.path || found[i].Warning != w.warning || !strings.Contains(found[i].String(), w.text) {
			t.Errorf("%s: no such problem with %q among %v", w.path, w.text, found)
		}
	}
	if len(found) != len(want) {
		t.Errorf("%d problems, want %d: %v", len(found), len(want), found)
	}
	if cure := found[1].Cure.EN; !strings.Contains(cure, filepath.Join(s.own(), "zh-CN", "helo.wav")) {
		t.Errorf("the cure does not say where to put it: %s", cure)
	}
}

func TestAHostileDocumentReadsNoFileElsewhere(t *testing.T) {
	s := newShelf(t)
	p := s.voice("../../..")
	for _, dir := range p.voice.Load().folder.Dirs {
		if !slices.Contains([]string{filepath.Join(s.own(), "en"), filepath.Join(s.shipped, "en")}, dir) {
			t.Errorf("prompts are looked for in %s", dir)
		}
	}
	doc := &config.Doc{Site: config.Site{Language: "../../.."}, Queues: []config.Queue{{Music: []string{"x"}}}}
	if got := p.judge(doc); len(got) != 0 {
		t.Errorf("judged %v", got)
	}
}
