package phone

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/transact"
)

// transfer is what became of a REFER of ours.
type transfer struct {
	code int  // of the REFER itself, then of the last NOTIFY
	done bool // it is the last word
}

// Transfer asks the box to connect the other side of the call with number (REFER, RFC 3515). What comes of
// it, WaitTransfer tells. The phone hangs up by itself when it is done.
func (c *Call) Transfer(number string) error {
	uri, _, err := c.p.whither(number)
	if err != nil {
		return fmt.Errorf("transfer to %q: %w", number, err)
	}
	return c.ask(func() error { return c.refer("<" + uri + ">") })
}

// TransferTo asks the box to connect the other sides of both calls, of which other is the consultation
// (REFER with Replaces, RFC 3891).
func (c *Call) TransferTo(other *Call) error {
	return c.ask(func() error {
		d := &other.dialog
		if !d.Established {
			return other.wrong("handed on")
		}
		replaces := url.QueryEscape(d.CallID + ";to-tag=" + d.RemoteTag + ";from-tag=" + d.LocalTag)
		return c.refer("<" + d.Target + "?Replaces=" + replaces + ">")
	})
}

func (c *Call) refer(to string) error {
	if !c.dialog.Established || c.State() == Gone {
		return c.wrong("transferred")
	}
	c.watch.update(func() { c.moved = transfer{} })
	c.p.acct.Exchange(c.dialog.Hop(), func() *message.Message {
		m := c.dialog.Request("REFER", c.dialog.Next())
		m.Add("Contact", "<"+c.p.acct.Contact()+">")
		m.Add("Refer-To", to)
		return m
	}, func(r *message.Message) {
		switch {
		case r == nil:
			c.learn(408, true)
		case r.Code >= 300:
			c.learn(r.Code, true)
		}
	})
	return nil
}

func (c *Call) learn(code int, done bool) {
	c.watch.update(func() { c.moved = transfer{code, done} })
}

// onNotify takes how far a transfer of ours is.
func (c *Call) onNotify(s *transact.Server) {
	s.Respond(s.Request.Response(200, ""))
	code, done, ok := transferState(string(s.Request.Body), s.Request.Get("Subscription-State"))
	if !ok {
		return
	}
	c.learn(code, done)
	if done && code < 300 {
		c.hangup()
	}
}

// transferState reads a NOTIFY about a REFER (RFC 3515 clause 2.4.5).
func transferState(body, state string) (code int, done, ok bool) {
	line, _, _ := strings.Cut(body, "\n")
	words := strings.Fields(line)
	if len(words) < 2 || words[0] != "SIP/2.0" {
		return 0, false, false
	}
	code, err := strconv.Atoi(words[1])
	return code, strings.HasPrefix(strings.TrimSpace(state), "terminated"), err == nil
}
