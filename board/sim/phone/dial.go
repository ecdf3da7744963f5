package phone

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"branchline/board/sim/phone/account"
	"branchline/board/sim/phone/dialog"
	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/sound"
)

// Dial calls number through the box, or a whole "sip:user@address:port" directly. It returns when
// the INVITE is on the wire; WaitState tells what comes of it. ctx bounds this only, not the call.
func (p *Phone) Dial(ctx context.Context, number string) (*Call, error) {
	return p.dialReplacing(ctx, number, "")
}

// dialReplacing is Dial with a Replaces header (RFC 3891), unless it is "".
func (p *Phone) dialReplacing(ctx context.Context, number, replaces string) (*Call, error) {
	uri, to, err := p.whither(number)
	if err != nil {
		return nil, fmt.Errorf("phone %s: dial %q: %w", p.opt.User, number, err)
	}
	var c *Call
	err = p.ask(ctx, func() error {
		c, err = p.dial(&Call{id: rand.Text(), from: number, replaces: replaces}, uri, to)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("phone %s: dial %q: %w", p.opt.User, number, err)
	}
	return c, nil
}

func (p *Phone) whither(number string) (uri string, to netip.AddrPort, err error) {
	if strings.HasPrefix(number, "sip:") {
		u, err := message.ParseURI(number)
		if err != nil {
			return "", to, err
		}
		to, ok := u.AddrPort()
		if !ok {
			return "", to, errors.New("the host must be an address")
		}
		return number, to, nil
	}
	if !p.opt.Server.IsValid() {
		return "", to, errors.New("a bare number needs a server")
	}
	escaped := strings.ReplaceAll(number, "#", "%23") // RFC 3261 25.1: # is not for the user part
	if number == "" || strings.ContainsAny(number, " \t\r\n<>@?\";") {
		return "", to, errors.New("no number that can be dialled")
	}
	return account.URIAt(escaped, p.opt.Server), p.opt.Server, nil
}

func (p *Phone) dial(c *Call, uri string, to netip.AddrPort) (*Call, error) {
	if p.leaving {
		return nil, ErrStopped
	}
	tag := account.NewTag()
	c.dialog = dialog.Calling(c.id, tag, p.acct.From(tag), uri, to)
	c, err := p.newCall(c, Dialling)
	if err != nil {
		return nil, err
	}
	p.note(c.event(Dials))
	if c.ours, err = c.describe(nil, sound.SendRecv); err != nil {
		c.end(false, 488, "no sound")
		return nil, err
	}
	c.listenEarly()
	c.out = p.acct.Exchange(to, c.inviteRequest, c.onInvite)
	return c, nil
}

// listenEarly makes sound audible that comes before any answer (RFC 3264 5.1).
func (c *Call) listenEarly() {
	f := sound.Flow{Receives: true}
	for _, codec := range c.ours.Codecs {
		f.In[codec.Payload] = codec.Name
	}
	c.sound.Set(f)
}

// inviteRequest is the INVITE, or a re-INVITE once the dialog stands; its body is c.ours.
func (c *Call) inviteRequest() *message.Message {
	m := c.dialog.Request("INVITE", c.dialog.Next())
	m.Add("Contact", "<"+c.p.acct.Contact()+">")
	m.Add("Allow", account.Allowed)
	m.Add("Accept", "application/sdp")
	if c.replaces != "" && !c.dialog.Established {
		m.Add("Replaces", c.replaces)
	}
	m.Add("Content-Type", "application/sdp")
	m.Body = c.ours.Bytes()
	return m
}

// onInvite is every response to our first INVITE; nil: there was none.
func (c *Call) onInvite(r *message.Message) {
	switch {
	case r == nil:
		c.end(false, 408, "no answer from the box")
	case r.Code < 200:
		c.progress(r)
	case r.Code < 300:
		c.accepted(r)
	case c.leaving:
		c.end(false, r.Code, "cancelled")
	default:
		c.end(true, r.Code, causeOf(r, r.Reason))
	}
}

// progress is a 1xx. Each fork of the call may send its own; the latest description is listened to.
func (c *Call) progress(r *message.Message) {
	if c.leaving {
		c.cancel() // it had to wait for this: RFC 3261 9.1
		return
	}
	if theirs, err := sound.Parse(r.Body); err == nil && len(r.Body) > 0 {
		if err := c.agree(theirs); err != nil {
			c.p.opt.Log.Debug("early sound not understood", "call", c.id, "err", err)
		}
	}
	if r.Code == 180 {
		c.enter(Alerting, Alerts)
	}
}

// accepted is a 2xx: the first, a repetition of it, or that of another fork.
func (c *Call) accepted(r *message.Message) {
	to, _ := message.ParseAddress(r.Get("To"))
	d := &c.dialog
	switch {
	case d.Established && to.Tag() == d.RemoteTag:
		c.acknowledge(r)
	case d.Established || c.State() == Gone:
		c.dropFork(r)
	default:
		d.Established = true
		d.Learn(r)
		c.acknowledge(r)
		c.answered(r)
	}
}

func (c *Call) answered(r *message.Message) {
	theirs, err := sound.Parse(r.Body)
	if err == nil {
		err = c.agree(theirs)
	}
	switch {
	case c.leaving: // our CANCEL came too late
		c.bye()
		c.end(false, 487, "cancelled")
	case err != nil:
		c.p.opt.Log.Warn("answer without usable sound", "call", c.id, "err", err)
		c.bye()
		c.end(false, 488, "no common sound")
	default:
		c.isHeld = !theirs.Direction.Receives()
		c.settle()
	}
}

// acknowledge sends the ACK of a 2xx, each time that it comes (13.2.2.4). It tells whether it came
// for the first time.
func (c *Call) acknowledge(r *message.Message) (first bool) {
	seq, _, _ := r.CSeq()
	first = seq > c.acked
	c.acked = max(c.acked, seq)
	if !c.p.opt.NoACK {
		c.p.send(c.dialog.Hop(), c.p.ackOf(&c.dialog, seq))
	}
	return first
}

func (p *Phone) ackOf(d *dialog.Dialog, cseq uint32) []byte {
	m := d.Request("ACK", cseq)
	m.Fields = append([]message.Field{{Name: "Via", Value: p.acct.Via()}}, m.Fields...)
	m.Add("Max-Forwards", "70")
	return m.Bytes()
}

// dropFork acknowledges and ends a second answer to one INVITE (13.2.2.4).
func (c *Call) dropFork(r *message.Message) {
	fork := c.dialog
	fork.Learn(r)
	fork.Seq, _, _ = r.CSeq()
	hop := fork.Hop()
	c.p.send(hop, c.p.ackOf(&fork, fork.Seq))
	if !c.droppedBefore(fork.RemoteTag) {
		c.p.acct.Exchange(hop, func() *message.Message { return fork.Request("BYE", fork.Next()) }, func(*message.Message) {})
	}
}

func (c *Call) droppedBefore(tag string) bool {
	if slices.Contains(c.dropped, tag) {
		return true
	}
	c.dropped = append(c.dropped, tag)
	return false
}

// cancel gives up; the CANCEL waits for the first 1xx.
func (c *Call) cancel() {
	c.leaving = true
	if !c.out.GiveUp() || c.patience != nil {
		return
	}
	c.patience = c.p.clock.After(64*c.p.opt.T1, func() { // 9.1: without a final answer it is taken as cancelled
		c.out.Abandon()
		c.end(false, 487, "cancelled")
	})
}
