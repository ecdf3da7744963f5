package boot

import (
	"errors"
	"io/fs"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"branchline/pbx/config"
	"branchline/pbx/config/both"
	"branchline/pbx/media"
	recorded "branchline/pbx/media/prompts"
	"branchline/pbx/prompt"
)

// prompts is the recorded voice of the box. A recording is looked for in the site's language, then
// in English, each first among the owner's own; what is nowhere is said in tones, so that a box
// without recordings still answers, waits and confirms.
type prompts struct {
	places []string // folders that hold a folder for each language: the owner's, then the box's
	log    *slog.Logger
	voice  atomic.Pointer[voice]

	judging sync.Mutex // one document at a time: each may read all recordings

	mu   sync.Mutex
	told map[string]bool // missing prompts that the log has named
}

// voice is how the box speaks under one document.
type voice struct {
	language string // in which the box itself speaks
	found    bool   // with recordings; else in tones
	folder   *recorded.Folder
}

var _ media.Prompts = (*prompts)(nil)

const maxTold = 1000

// findPrompts makes the voice of a box that lives in data and speaks language. Recordings that came
// with the box lie beside the program, where the build puts them.
func findPrompts(data, language string, log *slog.Logger) *prompts {
	p := &prompts{places: []string{filepath.Join(data, "prompts")}, log: log, told: map[string]bool{}}
	if exe, err := os.Executable(); err == nil {
		p.places = append(p.places, filepath.Join(filepath.Dir(exe), "prompts"))
	}
	p.speak(language)
	return p
}

// speak looks at what is installed and takes up language, or English where its recordings are not
// complete: the grammar of a language needs all of its parts.
func (p *prompts) speak(language string) {
	v := &voice{language: language, found: true, folder: &recorded.Folder{Dirs: p.dirs(language)}}
	if !p.whole(language) {
		v.language, v.found = config.LanguageEnglish, p.whole(config.LanguageEnglish)
	}
	if v.language != language {
		p.log.Warn("recordings of the site's language are not complete", "language", language, "spoken", v.language)
	}
	p.voice.Store(v)
}

// dirs is where the recordings of language are looked for.
func (p *prompts) dirs(language string) (dirs []string) {
	languages := []string{config.LanguageEnglish}
	if speakable(language) && language != config.LanguageEnglish {
		languages = []string{language, config.LanguageEnglish}
	}
	for _, l := range languages {
		for _, place := range p.places {
			dirs = append(dirs, filepath.Join(place, l))
		}
	}
	return dirs
}

// whole tells whether all that the box itself says in language has been recorded.
func (p *prompts) whole(language string) bool {
	if !speakable(language) {
		return false
	}
	for _, name := range prompt.In(language).Recordings() {
		if dir, _ := p.find(p.places, language, name); dir == "" {
			return false
		}
	}
	return true
}

// speakable tells whether the box knows the grammar of language. An old document may name another.
func speakable(language string) bool { return slices.Contains(config.Languages(), language) }

// find is the first of places that has name in language, and the file there.
func (p *prompts) find(places []string, language, name string) (dir, file string) {
	for _, place := range places {
		dir = filepath.Join(place, language)
		file = filepath.Join(dir, filepath.FromSlash(name)+".wav")
		if info, err := os.Stat(file); err == nil && info.Mode().IsRegular() {
			return dir, file
		}
	}
	return "", ""
}

// found tells whether there are recordings; else callers hear tones.
func (p *prompts) found() bool { return p.voice.Load().found }

// spoken is doc for whoever decides what the box says: its language is the one that the box speaks.
func (p *prompts) spoken(doc *config.Doc) *config.Doc {
	v := p.voice.Load()
	if v.language == doc.Site.Language {
		return doc
	}
	d := *doc
	d.Site.Language = v.language
	return &d
}

// Load gives the recording called name, or tones in its place.
func (p *prompts) Load(name string) ([]int16, error) {
	v := p.voice.Load()
	pcm, err := v.folder.Load(name)
	if err == nil {
		return pcm, nil
	}
	p.mu.Lock()
	tell := v.found && !p.told[name] && len(p.told) < maxTold
	if tell {
		p.told[name] = true
	}
	p.mu.Unlock()
	if tell {
		p.log.Warn("tones are played for a prompt", "prompt", name, "err", err)
	}
	return tones(name), nil
}

// judge says what of doc cannot be spoken as it is written. A box without any recordings plays tones
// for all, so there it only warns.
func (p *prompts) judge(doc *config.Doc) (problems []config.Problem) {
	if p == nil {
		return nil // the box has not looked yet: at the first document of a folder
	}
	if !speakable(doc.Site.Language) {
		return nil // Validate says so
	}
	p.judging.Lock()
	defer p.judging.Unlock()
	j := judgement{p: p, language: doc.Site.Language, seen: map[string]config.Problem{}}
	whole := p.whole(j.language)
	j.tones = !whole && !p.whole(config.LanguageEnglish)
	if !whole && !j.tones {
		problems = append(problems, config.Problem{
			Path: "site.language", Warning: true,
			What: both.Say("the recordings of %s are not complete on this box; it speaks English", "本设备的 %s 录音不全，改说英语", j.language),
			Cure: both.Say("put them into %s, and apply again", "请放入 %s，然后重新应用", filepath.Join(p.places[0], j.language)),
		})
	}
	for _, m := range doc.Prompts() {
		problem, seen := j.seen[m.Name]
		if !seen {
			problem = j.of(m.Name)
			j.seen[m.Name] = problem
		}
		if problem.What.EN != "" {
			problem.Path = m.Path
			problems = append(problems, problem)
		}
	}
	return problems
}

// judgement is the judging of one document.
type judgement struct {
	p        *prompts
	language string
	tones    bool                      // nothing is installed
	seen     map[string]config.Problem // by the prompt's name; no What: it is there
	names    []string                  // of all recordings, once they have been listed
}

// of is what is wrong with one prompt.
func (j *judgement) of(name string) config.Problem {
	if !fs.ValidPath(name) || name == "." {
		return config.Problem{} // Validate says so
	}
	dir, file := j.p.find(j.p.places, j.language, name)
	foreign := dir == "" && j.language != config.LanguageEnglish
	if foreign {
		dir, file = j.p.find(j.p.places, config.LanguageEnglish, name)
	}
	own := filepath.Join(j.p.places[0], j.language, filepath.FromSlash(name)+".wav")
	put := both.Say("put the recording at %s (WAV, 8000 Hz, mono, 16-bit)", "请把录音放到 %s（WAV，8000 Hz，单声道，16 位）", own)
	if dir == "" {
		cure := put
		if near := j.nearest(name); near != "" {
			cure = both.Say("did you mean %q? Else %s", "是不是 %q？否则%s", near, put)
		}
		return config.Problem{What: both.Say("there is no recording %q; callers would hear a tone", "没有录音 %q，来电者会听到提示音调", name), Cure: cure, Warning: j.tones}
	}
	_, err := recorded.Read(dir, name)
	switch {
	case err != nil && !errors.Is(err, recorded.ErrNone):
		return config.Problem{
			What: both.Say("%s cannot be played: %v", "%s 无法播放：%v", file, err),
			Cure: both.Say("save it as WAV, 8000 Hz, mono, 16-bit", "请存为 WAV，8000 Hz，单声道，16 位"),
		}
	case foreign:
		return config.Problem{
			What: both.Say("%q is not recorded in %s; callers hear it in English", "%q 没有 %s 录音，来电者会听到英语", name, j.language),
			Cure: put, Warning: true,
		}
	}
	return config.Problem{}
}

// nearest is the recording that name is most like. It gives up where much is missing.
func (j *judgement) nearest(name string) string {
	const maxHints, maxNames = 50, 5000
	if len(j.seen) > maxHints {
		return ""
	}
	if j.names == nil {
		j.names = []string{}
		for _, dir := range j.p.dirs(j.language) {
			_ = fs.WalkDir(os.DirFS(dir), ".", func(path string, _ fs.DirEntry, err error) error {
				if err != nil || len(j.names) >= maxNames {
					return fs.SkipAll // what cannot be listed gives no hint
				}
				if name, ok := strings.CutSuffix(path, ".wav"); ok {
					j.names = append(j.names, name)
				}
				return nil
			})
		}
	}
	return config.Nearest(name, j.names)
}

// tones says name without words: two rising beeps for yes, two falling ones for no, one otherwise,
// and nothing for the parts of numbers and times.
func tones(name string) []int16 {
	kind, _, _ := strings.Cut(name, "/")
	switch {
	case kind == "digits" || kind == "letters" || kind == "time":
		return nil
	case strings.Contains(name, "incorrect") || strings.Contains(name, "invalid") || strings.Contains(name, "none-here"):
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
