// Package at is the AT terminal of a simulated modem (ITU-T V.250, 3GPP TS 27.007): what is typed
// becomes commands, and their answers and what the modem says by itself become lines.
//
// It is written from the documents and not from our driver, with the manners of a real one: it
// echoes, takes its time, slips unsolicited lines between the lines of an answer, and can be made to
// lose lines. It has no goroutine and no lock: one goroutine owns it and its Agenda. Start at Terminal.
package at

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"time"
)

const (
	maxLine  = 2048 // characters of a command line or a text; a longer one is an error
	maxTyped = 16   // command lines that wait while one is being done; more are dropped
)

// Terminal is one AT port. The fields are set before it is used and belong to its owner.
type Terminal struct {
	Agenda  *Agenda
	Delay   time.Duration // from the end of a command to its answer; lines are a fifth of it apart
	Out     func([]byte)  // writes; it does not wait and keeps what it is given
	Verbs   map[string]Verb
	Locked  func() error // why commands that need a SIM do not go; nil: they do
	NewsEnd string       // what ends an unsolicited line; "": CR LF
	Unknown string       // the final result of a command that is in no table; "": ERROR

	Echo   bool
	Mute   bool              // writes nothing and echoes nothing
	Values map[string]string // of the settings, by command
	Lost   int               // bytes of lines that found no room

	line    []byte   // being typed
	typed   []string // lines that wait
	chain   []Command
	busy    bool     // a line is being done
	final   bool     // its final result is among the answers
	answers []string // lines of the answer that are still to be written
	news    []string
	pumping bool
	after   []func()                 // done once the final result is written
	prompt  func(text string) Answer // a text is being typed for it
	half    bool
	lose    []string
}

// Reset puts everything to what it is when power comes. Verbs, Values and what concerns the wiring stay.
func (t *Terminal) Reset() {
	t.Echo, t.Mute = true, false
	t.busy, t.final, t.pumping, t.half = false, false, false, false
	t.line, t.typed, t.chain, t.answers, t.news, t.after, t.prompt, t.lose = nil, nil, nil, nil, nil, nil, nil, nil
}

// HalfLine cuts the next line that is written in the middle; its rest and its end are lost.
func (t *Terminal) HalfLine() { t.half = true }

// LoseNext swallows the next unsolicited line that begins with name.
func (t *Terminal) LoseNext(name string) { t.lose = append(t.lose, name) }

// Type takes what the host has typed.
func (t *Terminal) Type(b []byte) {
	if t.Echo && !t.Mute {
		t.Out(append([]byte(nil), b...))
	}
	for _, c := range b {
		switch {
		case t.prompt != nil && (c == 0x1a || c == 0x1b):
			t.text(c == 0x1a)
		case c == '\r' && t.prompt == nil:
			t.enter()
		case c == '\b' && len(t.line) > 0:
			t.line = t.line[:len(t.line)-1]
		case c == 0x1b:
			t.line = t.line[:0]
		case len(t.line) <= maxLine && (c >= ' ' || t.prompt != nil):
			t.line = append(t.line, c)
		}
	}
}

// text ends the text behind a prompt.
func (t *Terminal) text(given bool) {
	text, take := strings.TrimSpace(string(t.line)), t.prompt
	t.line, t.prompt = t.line[:0], nil
	t.Agenda.In(t.Delay, func() {
		a := Answer{}
		if given {
			a = take(text)
		}
		t.take(a)
	})
}

// enter takes the line that is typed. What stands before AT is ignored; a line without AT is none.
func (t *Terminal) enter() {
	line := string(t.line)
	t.line = t.line[:0]
	at := 0
	for at+1 < len(line) && (upper(line[at]) != 'A' || upper(line[at+1]) != 'T') {
		at++
	}
	if at+1 >= len(line) {
		return
	}
	if len(t.typed) >= maxTyped {
		t.Lost += len(line)
		return
	}
	t.typed = append(t.typed, line[at+2:])
	t.nextLine()
}

func (t *Terminal) nextLine() {
	if t.busy || len(t.typed) == 0 {
		return
	}
	line := t.typed[0]
	t.typed, t.busy = t.typed[1:], true
	t.Agenda.In(t.Delay, func() {
		chain, err := ParseLine(line)
		if err != nil || len(line) > maxLine {
			t.finish("ERROR")
			return
		}
		t.chain = chain
		t.step()
	})
}

// step does the next command of the line.
func (t *Terminal) step() {
	if len(t.chain) == 0 {
		t.finish("OK")
		return
	}
	c := t.chain[0]
	t.chain = t.chain[1:]
	t.take(t.do(c))
}

// take goes on by what a command came to.
func (t *Terminal) take(a Answer) {
	t.answers = append(t.answers, a.Lines...)
	if a.After != nil {
		t.after = append(t.after, a.After)
	}
	switch {
	case a.Prompt != nil:
		t.prompt = a.Prompt
		t.write("\r\n> ")
	case a.Final != "":
		t.finish(a.Final)
	case a.Err != nil:
		t.finish(t.errorText(a.Err))
	case a.Wait > 0:
		t.pump()
		t.Agenda.In(a.Wait, t.step)
	default:
		t.step()
	}
}

// do finds the command in the tables and does it.
func (t *Terminal) do(c Command) Answer {
	v, known := t.Verbs[c.Name]
	if !known {
		return Answer{Final: t.Unknown, Err: ErrSyntax}
	}
	if v.SIM && c.Form != Test {
		if err := t.Locked(); err != nil {
			return Fail(err)
		}
	}
	switch {
	case c.Form == Test && v.Test == "" && v.Set == nil && v.Exec == nil:
		return Fail(ErrSyntax)
	case c.Form == Test && v.Test == "":
		return OK()
	case c.Form == Test:
		return Say(c.Name + ": " + v.Test)
	case c.Form == Read && v.Read != nil:
		return v.Read()
	case c.Form == Set && v.Set != nil:
		return v.Set(c.Args)
	case c.Form == Exec && v.Exec != nil:
		return v.Exec()
	default:
		return Fail(ErrSyntax)
	}
}

func (t *Terminal) errorText(err error) string {
	var e CME
	switch {
	case !errors.As(err, &e) || t.Values["+CMEE"] == "0":
		return "ERROR"
	case t.Values["+CMEE"] == "2":
		return "+CME ERROR: " + e.Error()
	default:
		return fmt.Sprintf("+CME ERROR: %d", int(e))
	}
}

// finish ends the line with its final result; the next line waits until that is written.
func (t *Terminal) finish(final string) {
	t.chain, t.final = nil, true
	t.answers = append(t.answers, final)
	t.pump()
}

// News writes an unsolicited line as soon as the line that is being written is out. It waits while a
// text is being typed. lost: it is one that LoseNext meant.
func (t *Terminal) News(line string) (lost bool) {
	for i, name := range t.lose {
		if strings.HasPrefix(line, name) {
			t.lose = append(t.lose[:i:i], t.lose[i+1:]...)
			return true
		}
	}
	t.news = append(t.news, line)
	t.pump()
	return false
}

// pump writes what is waiting line by line with a gap between. Unsolicited lines go first: so
// they come between the lines of an answer, as they do with the real one.
func (t *Terminal) pump() {
	if t.pumping || t.prompt != nil {
		return
	}
	switch {
	case len(t.news) > 0:
		end := t.NewsEnd
		if end == "" {
			end = "\r\n"
		}
		t.writeLine(t.news[0], end)
		t.news = t.news[1:]
	case len(t.answers) > 0:
		t.writeLine(t.answers[0], "\r\n")
		t.answers = t.answers[1:]
		t.answered()
	default:
		return
	}
	t.pumping = true
	t.Agenda.In(t.Gap(), func() {
		t.pumping = false
		t.pump()
	})
}

// answered looks whether the answer is out with its final result, and goes on to the next line.
func (t *Terminal) answered() {
	if len(t.answers) > 0 || !t.final {
		return
	}
	t.busy, t.final = false, false
	after := t.after
	t.after = nil
	for _, f := range after {
		f()
	}
	t.nextLine()
}

// Gap is the time between two lines.
func (t *Terminal) Gap() time.Duration { return t.Delay / 5 }

func (t *Terminal) writeLine(line, end string) {
	out := "\r\n" + line + end
	if t.half {
		t.half = false
		out = out[:2+len(line)/2]
	}
	t.write(out)
}

func (t *Terminal) write(out string) {
	if !t.Mute {
		t.Out([]byte(out))
	}
}

// Know adds verbs, in place of what had their names.
func (t *Terminal) Know(verbs map[string]Verb) {
	if t.Verbs == nil {
		t.Verbs = map[string]Verb{}
	}
	maps.Copy(t.Verbs, verbs)
}

// Store makes the set form of a setting.
func (t *Terminal) Store(name, lists string) func(string) Answer {
	return func(args string) Answer {
		if !Accepts(lists, args) {
			return Fail(BadParameter)
		}
		t.Values[name] = args
		return OK()
	}
}

// Keep is the verb of a value that is only stored, checked against what its test answer lists; behind is
// what the read answer has behind it.
func (t *Terminal) Keep(name, lists, behind string) Verb {
	return Verb{
		Test: lists,
		Read: func() Answer { return Say(name + ": " + t.Values[name] + behind) },
		Set:  t.Store(name, lists),
	}
}
