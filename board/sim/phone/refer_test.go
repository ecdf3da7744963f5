package phone

import (
	"strings"
	"testing"
)

func TestPhoneLearnsWhatBecameOfItsTransfer(t *testing.T) {
	for _, c := range []struct {
		body, state string
		code        int
		done        bool
	}{
		{"SIP/2.0 100 Trying\r\n", "active;expires=60", 100, false},
		{"SIP/2.0 403 Forbidden", "terminated;reason=noresource", 403, true},
		{"nonsense", "terminated", 0, false},
		{"SIP/2.0 many", "terminated", 0, false},
	} {
		call := &Call{}
		code, done, ok := transferState(c.body, c.state)
		if ok {
			call.learn(code, done)
		}
		if call.moved != (transfer{c.code, c.done}) {
			t.Errorf("%q, %s: %+v", strings.TrimSpace(c.body), c.state, call.moved)
		}
	}
}
