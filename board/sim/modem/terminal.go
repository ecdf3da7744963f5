package modem

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

const (
	maxLine  = 2048 // characters of a command line; a longer one is an error
	maxTyped = 16   // command lines that wait while one is being done; more are dropped
)

// answer is what a command comes to.
type answer struct {
	lines []string
	wait  time.Duration // before the final result
	final string        // a final result that ends the whole line, such as NO CARRIER; "": by err
	err   error         // nil: OK
	after func()        // done once the final result of the line is written
}

// cme is an error of 3GPP TS 27.007 9.2.
type cme int

const (
	notAllowed   cme = 3
	notSupported cme = 4
	noSIM        cme = 10
	needPIN      cme = 11
	needPUK      cme = 12
	wrongPIN     cme = 16
	noNetwork    cme = 30
	badParameter cme = 50
)

func (e cme) Error() string {
	switch e {
	case notAllowed:
		return "operation not allowed"
	case notSupported:
		return "operation not supported"
	case noSIM:
		return "SIM not inserted"
	case needPIN:
		return "SIM PIN required"
	case needPUK:
		return "SIM PUK required"
	case wrongPIN:
		return "incorrect password"
	case noNetwork:
		return "no network service"
	case badParameter:
		return "incorrect parameters"
	default:
		return "unknown error"
	}
}

// keystrokes takes what the host has typed.
func (m *Modem) keystrokes(b []byte) {
	if m.power != up {
		return
	}
	if m.echo && !m.mute {
		m.plug.AT.Write(append([]byte(nil), b...))
	}
	for _, c := range b {
		switch {
		case c == '\r':
			m.enter()
		case c == '\b' && len(m.line) > 0:
			m.line = m.line[:len(m.line)-1]
		case c == 0x1b:
			m.line = m.line[:0]
		case c >= ' ' && len(m.line) <= maxLine:
			m.line = append(m.line, c)
		}
	}
}

// enter takes the line that is typed. What stands before AT is ignored; a line without AT is none.
func (m *Modem) enter() {
	line := string(m.line)
	m.line = m.line[:0]
	at := 0
	for at+1 < len(line) && (upper(line[at]) != 'A' || upper(line[at+1]) != 'T') {
		at++
	}
	if at+1 >= len(line) {
		return
	}
	if len(m.typed) >= maxTyped {
		m.typedOver.Add(int64(len(line)))
		return
	}
	m.typed = append(m.typed, line[at+2:])
	m.nextLine()
}

func (m *Modem) nextLine() {
	if m.busy || len(m.typed) == 0 {
		return
	}
	line := m.typed[0]
	m.typed, m.busy = m.typed[1:], true
	m.agenda.in(m.o.Delay, func() {
		chain, err := parseLine(line)
		if err != nil || len(line) > maxLine {
			m.finish("ERROR")
			return
		}
		m.chain = chain
		m.step()
	})
}

// step does the next command of the line.
func (m *Modem) step() {
	if len(m.chain) == 0 {
		m.finish("OK")
		return
	}
	c := m.chain[0]
	m.chain = m.chain[1:]
	a := m.do(c)
	m.answers = append(m.answers, a.lines...)
	if a.after != nil {
		m.after = append(m.after, a.after)
	}
	switch {
	case a.final != "":
		m.finish(a.final)
	case a.err != nil:
		m.finish(m.errorText(a.err))
	case a.wait > 0:
		m.pump()
		m.agenda.in(a.wait, m.step)
	default:
		m.step()
	}
}

// do finds the command in the tables and does it.
func (m *Modem) do(c command) answer {
	v, known := m.verbs[c.name]
	if !known {
		return answer{err: errSyntax}
	}
	if v.sim && c.form != test && m.sim != simReady {
		return answer{err: m.simError()}
	}
	switch {
	case c.form == test && v.test == "" && v.set == nil && v.exec == nil:
		return answer{err: errSyntax}
	case c.form == test && v.test == "":
		return answer{}
	case c.form == test:
		return answer{lines: []string{c.name + ": " + v.test}}
	case c.form == read && v.read != nil:
		return v.read()
	case c.form == set && v.set != nil:
		return v.set(c.args)
	case c.form == exec && v.exec != nil:
		return v.exec()
	default:
		return answer{err: errSyntax}
	}
}

func (m *Modem) simError() error {
	switch m.sim {
	case simAbsent:
		return noSIM
	case simPUK:
		return needPUK
	default:
		return needPIN
	}
}

func (m *Modem) errorText(err error) string {
	var e cme
	switch {
	case !errors.As(err, &e) || m.values["+CMEE"] == "0":
		return "ERROR"
	case m.values["+CMEE"] == "2":
		return "+CME ERROR: " + e.Error()
	default:
		return fmt.Sprintf("+CME ERROR: %d", int(e))
	}
}

// finish ends the line with its final result; the next line waits until that is written.
func (m *Modem) finish(final string) {
	m.chain, m.final = nil, true
	m.answers = append(m.answers, final)
	m.pump()
}

// urc writes an unsolicited line as soon as the line that is being written is out.
func (m *Modem) urc(line string) {
	if m.power != up && m.power != booting {
		return
	}
	for i, name := range m.lose {
		if strings.HasPrefix(line, name) {
			m.lose = append(m.lose[:i:i], m.lose[i+1:]...)
			m.log.Debug("simulated modem loses a line", "number", m.o.Number, "line", line)
			return
		}
	}
	m.urcs = append(m.urcs, line)
	m.pump()
}

// pump writes what is waiting line by line with a gap between. Unsolicited lines go first: so
// they come between the lines of an answer, as they do with the real one.
func (m *Modem) pump() {
	if m.pumping {
		return
	}
	switch {
	case len(m.urcs) > 0:
		m.writeLine(m.urcs[0])
		m.urcs = m.urcs[1:]
	case len(m.answers) > 0:
		m.writeLine(m.answers[0])
		m.answers = m.answers[1:]
		m.answered()
	default:
		return
	}
	m.pumping = true
	m.agenda.in(m.gap(), func() {
		m.pumping = false
		m.pump()
	})
}

// answered looks whether the answer is out with its final result, and goes on to the next line.
func (m *Modem) answered() {
	if len(m.answers) > 0 || !m.final {
		return
	}
	m.busy, m.final = false, false
	after := m.after
	m.after = nil
	for _, f := range after {
		f()
	}
	m.nextLine()
}

func (m *Modem) gap() time.Duration { return m.o.Delay / 5 }

func (m *Modem) writeLine(line string) {
	out := "\r\n" + line + "\r\n"
	if m.halve {
		m.halve = false
		out = out[:2+len(line)/2]
	}
	if !m.mute {
		m.plug.AT.Write([]byte(out))
	}
}
