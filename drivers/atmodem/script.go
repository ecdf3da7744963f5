package atmodem

import "time"

// Step is one command of a set-up. What is refused is passed over.
type Step struct {
	Text   string
	Expect string // prefix of its information line, "" for none
	Plain  bool   // the answer has lines without a prefix
	Limit  time.Duration
	Take   func(Reply) // told the answer, also a refusal; nil: nobody cares
}

// Script sends the steps one after the other as Control commands, then calls then. Before each it
// asks on whether to go on; where not, it ends in silence. full is told of ErrFull, which ends it too.
func (m *Modem) Script(steps []Step, on func() bool, then func(), full func(error)) {
	if len(steps) == 0 {
		then()
		return
	}
	s := steps[0]
	c := Command{Text: s.Text, Plain: s.Plain, Limit: s.Limit, Class: Control}
	if s.Expect != "" {
		c.Expect = []string{s.Expect}
	}
	c.Done = func(r Reply) {
		if !on() {
			return
		}
		if r.Err != nil {
			m.log.Debug("passed over", "err", r.Err)
		}
		if s.Take != nil {
			s.Take(r)
		}
		if on() {
			m.Script(steps[1:], on, then, full)
		}
	}
	if err := m.Send(c); err != nil {
		full(err)
	}
}
