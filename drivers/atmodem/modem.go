// Package atmodem is the conversation with a modem in AT commands (ITU-T V.250, 3GPP TS 27.007).
//
// A Modem sends queued commands one at a time, the most urgent first, gathers the answer of each
// out of the news (unsolicited results) that come in between, and finds its way back when an
// answer fails to come. It knows no call and no make of modem. It promises that every command it
// accepted is told exactly once what became of it, until the Modem is thrown away; that nothing
// is sent while a command waits for its answer (a byte typed while ATD or ATA is pending aborts
// the call on several modems); and that no input, however broken, can make it wait, grow or panic.
//
// It is no goroutine and has no lock: one goroutine owns it, gives it what the port said (Take)
// and the time when it asks for it (Next, Tick). Start reading at Modem.
package atmodem

import (
	"fmt"
	"io"
	"log/slog"
	"slices"
	"strings"
	"time"
)

const (
	defaultLimit = 5 * time.Second
	maxQueue     = 256 // commands waiting in all classes
	maxAnswer    = 512 // lines of one answer; AT+CLAC has some 300
)

// Modem is the AT conversation over one port.
type Modem struct {
	port io.Writer
	log  *slog.Logger
	news func(line string)

	known   []string // what begins a line of news
	tok     tokenizer
	second  second
	queue   [classes][]Command
	waiting int

	pending  *Command // sent, its final result has not come
	echoed   bool     // its echo has come, or can come no more
	prompted bool     // its payload is sent
	lines    []string
	deadline time.Time // of pending, or of the ladder's present rung

	ladder  rung
	heard   time.Time // when the last byte came
	unknown uint64
	err     error
}

// New makes the conversation over port. It starts nothing and sends nothing. news is called with
// each line of news from within Take; a two-line item is one call, its lines joined by "\n".
// Know says what is news.
func New(port io.Writer, log *slog.Logger, news func(line string)) *Modem {
	return &Modem{port: port, log: log, news: news, known: common()}
}

// common lists the news that every GSM modem can bring: 3GPP TS 27.007, TS 27.005, V.250.
func common() []string {
	return []string{"RING", "+CRING:", "+CLIP:", "+CCWA:", "+COLP:", "+CSSI:", "+CSSU:",
		"NO CARRIER", "BUSY", "NO ANSWER", "NO DIALTONE", "NO DIAL TONE",
		"+CREG:", "+CEREG:", "+CGREG:", "+CLCC:", "+CUSD:", "+CPIN:", "+CSQ:", "+CFUN:",
		"+CMTI:", "+CMT:", "+CDSI:", "+CDS:", "+CBM:"}
}

// Know adds beginnings of lines that are news with this make of modem.
func (m *Modem) Know(prefixes ...string) { m.known = append(m.known, prefixes...) }

// Send queues c and sends it as soon as nothing more urgent waits. It fails only with ErrFull; else
// c.Done is told what came of it, possibly before Send returns.
func (m *Modem) Send(c Command) error {
	if m.waiting >= maxQueue {
		return fmt.Errorf("%s: %w", hidden(c.Text), ErrFull)
	}
	if c.Limit == 0 {
		c.Limit = defaultLimit
	}
	m.queue[c.Class] = append(m.queue[c.Class], c)
	m.waiting++
	m.start()
	return nil
}

// Take gives the modem what its port said. b is not kept.
func (m *Modem) Take(b []byte) {
	m.heard = time.Now()
	m.tok.feed(b, m.prompting, m.route, m.prompt)
}

// Err is why the conversation is over: the port took no bytes, or ErrSilent. nil: it goes on. After
// an error the Modem is of no more use, and commands that wait are told nothing.
func (m *Modem) Err() error { return m.err }

// Dropped counts what could not be understood: bytes that were noise, and lines that were neither
// an answer nor known news.
func (m *Modem) Dropped() (bytes, lines uint64) { return m.tok.garbage, m.unknown }

// start sends the next command if the modem is free.
func (m *Modem) start() {
	for m.pending == nil && m.ladder == onFoot && m.err == nil {
		c, found := m.next()
		if !found {
			return
		}
		if c.Skip != nil && c.Skip() {
			done(c, Reply{Err: fmt.Errorf("%s: %w", hidden(c.Text), ErrSkipped)})
			continue
		}
		m.send(c)
	}
}

func (m *Modem) next() (Command, bool) {
	for i := range m.queue {
		if q := m.queue[i]; len(q) > 0 {
			c := q[0]
			m.queue[i] = slices.Delete(q, 0, 1)
			m.waiting--
			return c, true
		}
	}
	return Command{}, false
}

func (m *Modem) send(c Command) {
	m.pending, m.lines, m.echoed, m.prompted = &c, nil, false, false
	m.deadline = time.Now().Add(c.Limit)
	m.write(c.Text + "\r")
}

func (m *Modem) write(s string) {
	if _, err := io.WriteString(m.port, s); err != nil && m.err == nil {
		m.err = fmt.Errorf("at command: %w", err)
	}
}

func (m *Modem) prompting() bool {
	return m.pending != nil && m.pending.Payload != "" && !m.prompted
}

func (m *Modem) prompt() {
	m.prompted = true
	m.write(m.pending.Payload + "\x1a")
}

// complete closes the pending command and sends the next one.
func (m *Modem) complete(r Reply) {
	c := *m.pending
	m.pending, m.lines = nil, nil
	if m.ladder != onFoot {
		m.climbed()
		return
	}
	done(c, r)
	m.start()
}

func done(c Command, r Reply) {
	if c.Done != nil {
		c.Done(r)
	}
}

// hidden is a command as it may be logged: a PIN is nobody's business.
func hidden(text string) string {
	if strings.HasPrefix(text, "AT+CPIN=") {
		return "AT+CPIN=…"
	}
	return text
}
