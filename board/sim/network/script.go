package network

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"branchline/hal"
)

// Script is what a person outside does on a call. The zero value answers at once, says nothing
// and stays on the line. It is made by ParseScript and may be used for many calls.
type Script struct {
	text     string
	from     string        // a caller's number; "" withheld
	patience time.Duration // a caller's; 0: until the network ends it
	refusal  hal.Cause     // how a called person fails to answer; "" answers
	answers  bool          // the script says how the called person answers
	after    time.Duration // how long it rings at a called person
	steps    []step
}

type step struct {
	verb string // wait, tone, quiet, key, play, hangup
	d    time.Duration
	hz   float64
	keys string
	pcm  []int16
}

const (
	maxScript = 64 << 10
	maxSteps  = 1000
	maxWait   = 7 * 24 * time.Hour
)

// String is the text that the script was made of.
func (s Script) String() string { return s.text }

// ParseScript reads a script: steps separated by ";" or line ends, done one after the other.
//
//	from=+4930123456       who calls; from=withheld (or no from) hides the number
//	patience 15s           a caller hangs up when nobody has answered by then (else the network does after 2 min)
//	answer [after 3s]      a called person answers; without it, at once
//	busy | reject | no answer | switched off | unallocated | congestion  [after 3s]
//	                       a called person does not; "no answer" rings for 30 s
//
// and, once the call is answered:
//
//	wait 2s                does nothing else
//	tone 440 [2s]          sounds 440 Hz from now on, or for 2 s and then the next step
//	quiet                  ends the tone
//	key 12# [200ms]        presses keys, 100 ms each
//	play file.wav          plays a WAV file of 8000 Hz, mono, 16 bit, 10 minutes at most
//	hangup [after 20s]     hangs up
//
// At the end of the script the person stays until the other side hangs up. The error says which
// step is wrong, where, and what would be right.
func ParseScript(text string) (Script, error) {
	s := Script{text: strings.TrimSpace(text)}
	if len(text) > maxScript {
		return Script{}, fmt.Errorf("script: %d bytes; %d at most", len(text), maxScript)
	}
	at, n := 0, 0
	for _, part := range strings.FieldsFunc(strings.ReplaceAll(text, "\n", ";"), func(r rune) bool { return r == ';' }) {
		at += strings.Index(text[at:], part)
		words := strings.Fields(part)
		if len(words) == 0 {
			continue
		}
		n++
		err := s.add(words)
		if err == nil && n > maxSteps {
			err = fmt.Errorf("too many steps; %d at most", maxSteps)
		}
		if err != nil {
			lead := len(part) - len(strings.TrimLeft(part, " \t\r"))
			return Script{}, fmt.Errorf("script: step %d at column %d, %q: %w", n, at+lead+1, strings.TrimSpace(part), err)
		}
	}
	return s, nil
}

// add takes one step.
func (s *Script) add(words []string) error {
	if from, ok := strings.CutPrefix(words[0], "from="); ok {
		return s.setFrom(from, words[1:])
	}
	verb, rest := words[0], words[1:]
	if len(rest) > 0 && (verb == "no" || verb == "switched") {
		verb, rest = verb+" "+rest[0], rest[1:]
	}
	if cause, ok := refusals(verb); ok || verb == "answer" {
		return s.setAnswer(cause, rest)
	}
	if verb == "patience" {
		d, err := duration(rest, true)
		s.patience = d
		return err
	}
	st, err := parseStep(verb, rest)
	if err != nil {
		return err
	}
	if s.refusal != "" {
		return fmt.Errorf("nothing can follow when the person does not answer (%s)", s.refusal)
	}
	s.steps = append(s.steps, st)
	return nil
}

func (s *Script) setFrom(from string, rest []string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("what is %q? a number has no spaces", strings.Join(rest, " "))
	case len(s.steps) > 0:
		return fmt.Errorf("from= must come before the steps")
	case from == "withheld":
		s.from = ""
		return nil
	}
	s.from = from
	return checkNumber(from)
}

func (s *Script) setAnswer(refusal hal.Cause, rest []string) error {
	if s.answers || s.refusal != "" {
		return fmt.Errorf("how the person answers is said twice")
	}
	if len(s.steps) > 0 {
		return fmt.Errorf("how the person answers must come before the steps")
	}
	s.refusal, s.answers = refusal, refusal == ""
	if refusal == hal.NoAnswer {
		s.after = 30 * time.Second
	}
	if len(rest) == 0 {
		return nil
	}
	d, err := after(rest)
	s.after = d
	return err
}

func refusals(verb string) (hal.Cause, bool) {
	switch verb {
	case "busy":
		return hal.Busy, true
	case "reject":
		return hal.Rejected, true
	case "no answer":
		return hal.NoAnswer, true
	case "switched off":
		return hal.Unreachable, true
	case "unallocated":
		return hal.Unallocated, true
	case "congestion":
		return hal.Congestion, true
	default:
		return "", false
	}
}

func parseStep(verb string, rest []string) (st step, err error) {
	st.verb = verb
	switch verb {
	case "wait":
		st.d, err = duration(rest, true)
	case "quiet":
		if len(rest) > 0 {
			err = fmt.Errorf("quiet stands alone")
		}
	case "tone":
		if len(rest) == 0 {
			return st, fmt.Errorf("a tone needs Hz: tone 440")
		}
		if st.hz, err = strconv.ParseFloat(rest[0], 64); err != nil || !(st.hz >= 50 && st.hz <= 3800) {
			return st, fmt.Errorf("%q is no tone: 50 to 3800 Hz", rest[0])
		}
		st.d, err = duration(rest[1:], false)
	case "key":
		if len(rest) == 0 || strings.Trim(rest[0], "0123456789*#ABCD") != "" {
			return st, fmt.Errorf("keys are 0-9 * # A-D: key 12#")
		}
		st.keys = rest[0]
		if st.d, err = duration(rest[1:], false); st.d == 0 {
			st.d = keyTime
		}
	case "play":
		if len(rest) == 0 {
			return st, fmt.Errorf("play what? play file.wav")
		}
		st.pcm, err = readWAV(strings.Join(rest, " "))
	case "hangup":
		if len(rest) > 0 {
			st.d, err = after(rest)
		}
	default:
		err = fmt.Errorf("unknown; known are from= patience answer busy reject \"no answer\" \"switched off\" unallocated congestion wait tone quiet key play hangup")
	}
	return st, err
}

// after reads "after 3s".
func after(words []string) (time.Duration, error) {
	if words[0] != "after" {
		return 0, fmt.Errorf("%q: did you mean \"after 3s\"?", strings.Join(words, " "))
	}
	return duration(words[1:], true)
}

// duration reads one duration such as 1.5s, or nothing where it need not be there.
func duration(words []string, needed bool) (time.Duration, error) {
	switch {
	case len(words) == 0 && !needed:
		return 0, nil
	case len(words) != 1:
		return 0, fmt.Errorf("one duration is wanted, such as 500ms, 3s or 2m")
	}
	d, err := time.ParseDuration(words[0])
	if err != nil || d < 0 || d > maxWait {
		return 0, fmt.Errorf("%q is no duration: 500ms, 3s or 2m, a week at most", words[0])
	}
	return d, nil
}

func readWAV(path string) ([]int16, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no file", path)
	}
	pcm, err := parseWAV(f)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return pcm, nil
}
