package wire

import (
	"fmt"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"
)

// client is a request on its way, with sipgo's client transaction, which repeats it and gives up.
type client struct {
	wire   *Wire
	req    *Request
	raw    *sip.Request
	tx     *sip.ClientTx
	on     func(*Response)
	heard  bool // any response
	final  int  // code of the first final response
	cancel *cancellation
	failed bool // never left: on is not called
}

type cancellation struct {
	reason string
	sent   bool
}

// Send starts a transaction with r. on is called on the goroutine of Run with each response: all
// provisional ones, the final one, and for an INVITE every further 2xx, be it repeated or of
// another phone behind the same address. When nothing final comes (timers B and F of RFC 3261, or
// a broken socket) it is called once with a Response that is Local. An error: nothing was sent.
func (w *Wire) Send(r *Request, on func(*Response)) error {
	if r.branch == "" || r.client != nil { // a copy of one that was sent
		r.branch = w.newBranch()
	}
	r.wire, r.sentBy = w, w.sentBy
	return w.start(r, on)
}

func (w *Wire) start(r *Request, on func(*Response)) error {
	raw, err := r.request()
	if err != nil {
		return fmt.Errorf("%s to %s: %w", r.Method, r.URI.Text, err)
	}
	key := r.branch + " " + r.Method
	c := &client{wire: w, req: r, raw: raw, on: on}
	c.tx = sip.NewClientTx(key, raw, &link{wire: w, flow: r.Flow}, w.quiet)
	c.tx.OnTerminate(func(string, error) { _ = w.post(job{r.CallID, func() { c.ended(key) }}) })
	w.clients[key] = c
	r.client = c
	// sipgo hands each response over through an unbuffered channel; ours have been taken before.
	w.drains.Go(func() {
		for {
			select {
			case <-c.tx.Responses():
			case <-c.tx.Done():
				return
			}
		}
	})
	w.door.Welcome(r.Flow.Remote, time.Now().Add(spokenTo))
	if err := c.tx.Init(); err != nil {
		c.failed = true
		c.tx.Terminate()
		return fmt.Errorf("%s to %s: %w", r.Method, r.Flow.Remote, err)
	}
	return nil
}

// Tell sends r without a transaction: the ACK of a 2xx.
func (w *Wire) Tell(r *Request) error {
	r.wire, r.branch, r.sentBy = w, w.newBranch(), w.sentBy
	raw, err := r.request()
	if err != nil {
		return fmt.Errorf("%s to %s: %w", r.Method, r.URI.Text, err)
	}
	return w.write(r.Flow, raw)
}

// Cancel takes back an INVITE that was sent: by a CANCEL as soon as a provisional response has
// come (RFC 3261 9.1), with why in a Reason header (RFC 3326) unless it is "". A 2xx may still
// cross it.
func (r *Request) Cancel(why string) {
	c := r.client
	if c == nil || c.final != 0 || c.cancel != nil {
		return
	}
	c.cancel = &cancellation{reason: why}
	if c.heard {
		c.sendCancel()
	}
}

// Strays is a Handler that is told of a 2xx to an INVITE that we know nothing of: it was sent before a
// restart.
type Strays interface{ Stray(*Response) }

// Branch names the transaction of a request that was sent, or is to be sent next.
func (w *Wire) Branch(r *Request) string {
	if r.branch == "" {
		r.branch = w.newBranch()
	}
	return r.branch
}

// Revoke takes back invite, which was sent under branch before a restart, by a CANCEL with why as in
// Cancel. A refusal that comes of it is acknowledged; a 2xx is a stray.
func (w *Wire) Revoke(invite *Request, branch, why string) {
	invite.wire, invite.branch = w, branch
	w.revoked[branch] = invite
	w.After(64*T1(), "", func() { delete(w.revoked, branch) })
	c := &client{wire: w, req: invite, final: 1, cancel: &cancellation{reason: why}}
	c.sendCancel()
}

// stray handles a response to nothing that we have sent since we run.
func (w *Wire) stray(res *Response, h Handler) {
	if res.method != "INVITE" || res.Code < 200 {
		return
	}
	if invite := w.revoked[res.branch]; invite != nil && res.Code >= 300 {
		if res.Flow.Remote.Addr() == invite.Flow.Remote.Addr() {
			(&client{wire: w, req: invite}).acknowledge(res)
		}
		return
	}
	if s, ok := h.(Strays); ok && res.Code < 300 {
		w.guard(h, "", func() { s.Stray(res) })
	}
}

// GiveUp waits no longer for an answer to a request that was sent: it ends as if its time were over.
func (r *Request) GiveUp() {
	if c := r.client; c != nil && c.final == 0 {
		c.tx.Terminate()
	}
}

// Size is how many octets a request that is to be sent will have, within a few.
func (r *Request) Size() int {
	m, err := r.request()
	if err != nil {
		return 0
	}
	return len(marshal(m)) + branchSize
}

// branchSize is the longest branch, which a request gets when it is sent.
const branchSize = 40

func (c *client) sendCancel() {
	c.cancel.sent = true
	r := c.req
	m := &Request{Method: "CANCEL", URI: r.URI, Flow: r.Flow, From: r.From, To: r.To, CallID: r.CallID,
		CSeq: r.CSeq, Route: r.Route, wire: c.wire, branch: r.branch, sentBy: r.sentBy}
	if c.cancel.reason != "" {
		m.Headers = []Header{{"Reason", c.cancel.reason}}
	}
	if err := c.wire.start(m, func(*Response) {}); err != nil {
		c.wire.log.Warn("CANCEL not sent", "call", r.CallID, "err", err)
	}
	// A peer that never ends the INVITE is given up: RFC 3261 9.1.
	c.wire.After(64*T1(), r.CallID, func() {
		if c.final == 0 {
			c.tx.Terminate()
		}
	})
}

func (c *client) receive(res *Response) {
	invite := c.req.Method == "INVITE"
	switch {
	case res.Flow.Remote.Addr() != c.req.Flow.Remote.Addr():
		c.wire.dropped.Add(1)
		return
	case invite && c.final >= 300:
		if res.Code >= 300 {
			c.acknowledge(res) // our ACK was lost
		}
		return
	case c.final != 0 && !(invite && res.Code/100 == 2):
		return
	}
	if c.final == 0 {
		c.heard = true
		if res.Code >= 200 {
			c.final = res.Code
		}
		c.tx.Receive(sip.NewResponse(res.Code, res.Reason))
	}
	if invite && res.Code >= 300 {
		c.acknowledge(res)
	}
	if c.cancel != nil && !c.cancel.sent && res.Code < 200 {
		c.sendCancel()
	}
	c.on(res)
}

// acknowledge sends the ACK of a refusal (RFC 3261 17.1.1.3). sipgo's own waits 4 s, holding the
// transaction, before it acknowledges a repeated refusal.
func (c *client) acknowledge(res *Response) {
	r := c.req
	to := r.To
	to.Text = res.To.Text
	ack := &Request{Method: "ACK", URI: r.URI, Flow: r.Flow, From: r.From, To: to, CallID: r.CallID,
		CSeq: r.CSeq, Route: r.Route, branch: r.branch, sentBy: r.sentBy}
	if raw, err := ack.request(); err == nil && !strings.ContainsAny(to.Text, "\r\n") {
		_ = c.wire.write(r.Flow, raw)
	}
}

func (c *client) ended(key string) {
	delete(c.wire.clients, key)
	if c.final != 0 || c.failed {
		return
	}
	c.final = 408
	c.on(&Response{Code: 408, Reason: "no answer", Local: true, Flow: c.req.Flow, method: c.req.Method})
}
