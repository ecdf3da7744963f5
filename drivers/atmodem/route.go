package atmodem

import (
	"fmt"
	"slices"
	"strings"
)

// maxSecond bounds the lines that a USSD text may go on for; networks send 182 characters.
const maxSecond = 16

// second is a two-line item of which the rest has not come.
type second struct {
	head string // "" : none is open
	ussd bool   // goes on until its closing quote, else one line of hex
	mine bool   // belongs to the pending answer, else news
	more int
}

// route says what a line is. The order of the questions is what keeps answers and news apart.
func (m *Modem) route(line string) {
	switch {
	case m.second.head != "" && m.continues(line):
	case m.pending != nil && m.echo(line):
	case m.pending != nil && m.final(line):
	case m.pending != nil && begins(line, m.pending.Expect):
		m.item(line, true)
	case begins(line, m.known):
		m.item(line, false)
	case m.pending != nil && m.pending.Plain:
		m.answer(line)
	default:
		m.unknown++
		m.log.Debug("line not understood", "line", clip(hidden(line)))
	}
}

// begins says whether line begins with one of prefixes. A prefix without punctuation at its end
// ("RING", "NO CARRIER") must be the whole line.
func begins(line string, prefixes []string) bool {
	return slices.ContainsFunc(prefixes, func(p string) bool {
		if strings.HasSuffix(p, ":") {
			return strings.HasPrefix(line, p)
		}
		return line == p
	})
}

// echo drops the pending command's own text where the modem repeats it: echo is on after every
// reset of a modem, whatever ATE0 said before.
func (m *Modem) echo(line string) bool {
	if m.echoed || line != m.pending.Text {
		return false
	}
	m.echoed = true
	return true
}

// final completes the pending command if line is its final result.
func (m *Modem) final(line string) bool {
	switch {
	case line == "OK", line == "CONNECT" && m.pending.Dials:
		m.complete(Reply{Lines: m.lines, Final: line})
	case line == "ERROR", strings.HasPrefix(line, "+CME ERROR:"), strings.HasPrefix(line, "+CMS ERROR:"),
		line == "COMMAND NOT SUPPORT", line == "ABORTED", m.pending.Dials && callEnd(line):
		err := fmt.Errorf("%s: %w: %s", hidden(m.pending.Text), ErrRefused, clip(line))
		m.complete(Reply{Lines: m.lines, Final: line, Err: err})
	default:
		return false
	}
	return true
}

func callEnd(line string) bool {
	switch line {
	case "NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE":
		return true
	}
	return false
}

// item takes the first line of an information or news item and keeps it back if more must follow.
func (m *Modem) item(line string, mine bool) {
	s := second{head: line, mine: mine}
	switch {
	case begins(line, []string{"+CMT:", "+CDS:", "+CBM:", "+CMGR:", "+CMGL:"}):
		m.second = s
	case strings.HasPrefix(line, "+CUSD:") && strings.Contains(line, `"`) && !closes(line):
		s.ussd = true
		m.second = s
	default:
		m.whole(s)
	}
}

// continues takes line as the rest of the open item. False: line is something else, and the item,
// useless without its rest, is dropped.
func (m *Modem) continues(line string) bool {
	s := m.second
	m.second = second{}
	if !s.ussd && !hex(line) {
		m.unknown++
		return false
	}
	s.head += "\n" + line
	s.more++
	if s.ussd && !closes(line) && s.more < maxSecond {
		m.second = s
		return true
	}
	m.whole(s)
	return true
}

func (m *Modem) whole(s second) {
	if s.mine && m.pending != nil {
		m.answer(s.head)
		return
	}
	m.news(s.head)
}

func (m *Modem) answer(line string) {
	m.echoed = true
	if len(m.lines) == maxAnswer {
		m.unknown++
		return
	}
	m.lines = append(m.lines, line)
}

// closes says whether line ends a USSD text: `",15`, or the quote alone. A quote within the text
// has something else behind it.
func closes(line string) bool {
	end := strings.LastIndexByte(line, '"')
	if end < 0 || end == strings.IndexByte(line, '"') && strings.HasPrefix(line, "+CUSD:") {
		return false // none, or the opening one
	}
	rest := strings.TrimSpace(line[end+1:])
	return rest == "" || rest[0] == ',' && strings.Trim(rest[1:], "0123456789 ") == ""
}

func hex(line string) bool {
	return len(line)%2 == 0 && strings.Trim(line, "0123456789ABCDEFabcdef") == ""
}

// clip keeps a hostile line from filling a log.
func clip(line string) string {
	if len(line) > 80 {
		return line[:80] + "…"
	}
	return line
}
