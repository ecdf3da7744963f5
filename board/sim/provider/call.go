package provider

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"branchline/board/sim/phone/dialog"
	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/sound"
	"branchline/board/sim/phone/transact"
)

// State is where a call is.
type State string

// All states.
const (
	Calling State = "calling" // the provider's INVITE is on its way
	Rings   State = "rings"   // at the box, or (a call of the box) here
	Talks   State = "talks"
	Over    State = "over"
)

// Call is one call between provider and box.
type Call struct {
	Invite *message.Message // as it came, or went

	p        *Provider
	network  string
	peer     netip.AddrPort
	own      string
	dialog   dialog.Dialog
	theirs   *transact.Server // INVITE of the box
	ours     *transact.Client // INVITE of the provider
	canceled bool
	tag      string
	sound    *sound.Session
	stop     context.CancelFunc
	said     *sound.Description // ours, latest
	version  uint64

	mu    sync.Mutex // guards what follows
	state State
	code  int // of the final response that ended it; 0: BYE
	last  int // of the latest response to a request of ours in the call
}

func codecs() []string { return []string{"PCMA", "PCMU"} }

// State is where the call is, and the code that ended it.
func (c *Call) State() (State, int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.state, c.code
}

// Last is the code of the latest response to a request of ours in the call; 0: none yet.
func (c *Call) Last() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.last
}

// Sound is the sound of the call: to say tones and to listen.
func (c *Call) Sound() *sound.Session { return c.sound }

// Wait waits until the call is in state.
func (c *Call) Wait(ctx context.Context, state State) error {
	err := c.p.Wait(ctx, "wait until the call "+string(state), func() bool {
		s, _ := c.State()
		return s == state || s == Over
	})
	if s, code := c.State(); err == nil && s != state {
		return fmt.Errorf("the call is over (%d), want %s", code, state)
	}
	return err
}

func (c *Call) set(s State, code int) {
	c.mu.Lock()
	was := c.state
	if was != Over {
		c.state, c.code = s, code
	}
	c.mu.Unlock()
	if s == Over && was != Over {
		delete(c.p.calls, c.dialog.CallID)
		c.stop()
	}
	c.p.update(func() {})
}

func (p *Provider) newCall(network string, peer netip.AddrPort, m *message.Message) (*Call, error) {
	s, err := sound.New(p.local.Addr(), nil)
	if err != nil {
		return nil, err
	}
	ctx, stop := context.WithCancel(p.ctx)
	c := &Call{Invite: m, p: p, network: network, peer: peer, own: fmt.Sprintf("<sip:%s;transport=%s>", p.local, strings.ToLower(network)), tag: tag(),
		sound: s, stop: stop, state: Calling}
	p.parts.Go(func() { s.Run(ctx) })
	return c, nil
}

// invited handles a call of the box.
func (p *Provider) invited(network string, s *transact.Server, h Habits) {
	m := s.Request
	switch {
	case h.Invite != 0:
		p.refuse(s, h.Invite, h)
		return
	case !p.proved(s, 407, h):
		return
	}
	s.Respond(m.Response(100, ""))
	c, err := p.newCall(network, s.Source, m)
	if err != nil {
		s.Respond(m.Response(500, tag()))
		return
	}
	c.theirs, c.dialog = s, dialog.Called(m, c.tag, s.Source)
	p.calls[c.dialog.CallID] = c
	c.set(Rings, 0)
	c.respond(180, nil)
	p.update(func() { p.incoming = append(p.incoming, c) })
}

// WaitCall waits for the next call of the box that it has not yet returned. It rings.
func (p *Provider) WaitCall(ctx context.Context) (c *Call, err error) {
	err = p.Wait(ctx, "wait for a call of the box", func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		if len(p.incoming) == 0 {
			return false
		}
		c, p.incoming = p.incoming[0], p.incoming[1:]
		return true
	})
	return c, err
}

func (c *Call) respond(code int, body []byte) {
	r := c.theirs.Request.Response(code, c.tag)
	r.Add("Contact", c.own)
	if body != nil {
		r.Add("Content-Type", "application/sdp")
		r.Body = body
	}
	c.theirs.Respond(r)
}

func (c *Call) at() netip.AddrPort { return netip.AddrPortFrom(c.p.local.Addr(), c.sound.Port()) }

// agree answers an offer of the box and sets the sound.
func (c *Call) agree(body []byte) ([]byte, error) {
	offer, err := sound.Parse(body)
	if err != nil {
		return nil, err
	}
	c.version++
	ours, err := offer.Answer(7, c.version, c.at(), sound.SendRecv, codecs())
	if err != nil {
		return nil, err
	}
	f, err := sound.Agree(ours, offer)
	if err != nil {
		return nil, err
	}
	c.said = ours
	c.sound.Set(f)
	return ours.Bytes(), nil
}

// Early lets the box hear the provider before the answer: 183 with sound.
func (c *Call) Early(ctx context.Context) error {
	return c.p.ask(ctx, func() error {
		body, err := c.agree(c.theirs.Request.Body)
		if err == nil {
			c.respond(183, body)
		}
		return err
	})
}

// Answer takes a call of the box.
func (c *Call) Answer(ctx context.Context) error {
	return c.p.ask(ctx, func() error {
		body, err := c.agree(c.theirs.Request.Body)
		if err != nil {
			return err
		}
		c.respond(200, body)
		c.dialog.Established = true
		c.set(Talks, 0)
		return nil
	})
}

// Refuse refuses a call of the box.
func (c *Call) Refuse(ctx context.Context, code int) error {
	return c.p.ask(ctx, func() error { c.respond(code, nil); c.set(Over, code); return nil })
}

// Call calls the box at number, from somebody. change may alter the INVITE; it may be nil.
func (p *Provider) Call(ctx context.Context, number, from string, change func(*message.Message)) (c *Call, err error) {
	err = p.ask(ctx, func() error {
		var to binding
		for _, b := range p.bindings {
			to = b
		}
		if to.uri == "" {
			return errors.New("provider: nobody is signed in")
		}
		c, err = p.call(to, number, from, change)
		return err
	})
	return c, err
}

// CallAt is Call to a box that does not sign in.
func (p *Provider) CallAt(ctx context.Context, at netip.AddrPort, number, from string, change func(*message.Message)) (c *Call, err error) {
	err = p.ask(ctx, func() error {
		c, err = p.call(binding{uri: "sip:" + at.String(), network: "UDP", from: at}, number, from, change)
		return err
	})
	return c, err
}

func (p *Provider) call(to binding, number, from string, change func(*message.Message)) (*Call, error) {
	target := to.uri
	if !p.Habits().ToContact {
		u, _ := message.ParseURI(to.uri)
		target = fmt.Sprintf("sip:%s@%s:%d", number, u.Host, u.Port)
	}
	m := &message.Message{Method: "INVITE", URI: target}
	c, err := p.newCall(to.network, to.from, m)
	if err != nil {
		return nil, err
	}
	c.dialog = dialog.Calling(rand.Text(), c.tag, fmt.Sprintf("<sip:%s@provider.example>;tag=%s", from, c.tag), "sip:"+number+"@provider.example", to.from)
	c.dialog.Target = target
	p.calls[c.dialog.CallID] = c
	c.said = sound.Offer(7, 1, c.at(), sound.SendRecv, codecs())
	c.version = 1
	r := c.dialog.Request("INVITE", c.dialog.Next())
	r.Add("Contact", c.own)
	r.Add("Content-Type", "application/sdp")
	r.Body = c.said.Bytes()
	if change != nil {
		change(r)
	}
	c.ours, err = c.send(r, c.onAnswer)
	*m = *r
	return c, err
}

// send completes a request of ours and sends it.
func (c *Call) send(r *message.Message, on func(*message.Message)) (*transact.Client, error) {
	c.p.branch++
	via := fmt.Sprintf("SIP/2.0/%s %s;branch=z9hG4bKprovider%d%s;rport", c.network, c.p.local, c.p.branch, rand.Text()[:6])
	r.Fields = append([]message.Field{{Name: "Via", Value: via}, {Name: "Max-Forwards", Value: "70"}}, r.Fields...)
	if r.Method == "ACK" {
		c.p.send(c.network, c.peer, r.Bytes())
		return nil, nil
	}
	return c.p.layers[c.network].Request(r, c.peer, on)
}

// onAnswer takes a response of the box to our first INVITE.
func (c *Call) onAnswer(r *message.Message) {
	state, _ := c.State()
	switch {
	case r == nil:
		c.set(Over, 408)
	case r.Code < 200:
		if r.Code >= 180 && state == Calling {
			c.set(Rings, 0)
		}
		c.hear(r.Body)
	case r.Code >= 300:
		c.set(Over, r.Code)
	default:
		c.dialog.Learn(r)
		n, _, _ := r.CSeq()
		_, _ = c.send(c.dialog.Request("ACK", n), nil)
		if c.canceled {
			c.bye()
			return
		}
		c.hear(r.Body)
		c.dialog.Established = true
		if state != Talks {
			c.set(Talks, 0)
		}
	}
}

// hear sets the sound to what an answer of the box says.
func (c *Call) hear(body []byte) {
	if len(body) == 0 {
		return
	}
	if d, err := sound.Parse(body); err == nil {
		if f, err := sound.Agree(c.said, d); err == nil {
			c.sound.Set(f)
		}
	}
}

// Hangup ends the call in any state.
func (c *Call) Hangup(ctx context.Context) error {
	return c.p.ask(ctx, func() error {
		switch state, _ := c.State(); {
		case state == Over:
		case c.dialog.Established:
			c.bye()
		case c.theirs != nil:
			c.respond(480, nil)
			c.set(Over, 480)
		default:
			c.canceled = true
			_, _ = c.p.layers[c.network].Request(transact.CancelOf(c.ours.Request), c.peer, func(*message.Message) {})
		}
		return nil
	})
}

func (c *Call) bye() {
	_, _ = c.send(c.dialog.Request("BYE", c.dialog.Next()), func(r *message.Message) {
		if r == nil || r.Code >= 200 {
			c.set(Over, 0)
		}
	})
}

// Reinvite sends an INVITE in the call: with body as it is, an SDP; "" leaves the offer to the box; "hold",
// "resume" are ours. The code of its answer is Last.
func (c *Call) Reinvite(ctx context.Context, body string) error {
	return c.p.ask(ctx, func() error {
		r := c.dialog.Request("INVITE", c.dialog.Next())
		r.Add("Contact", c.own)
		late := body == ""
		if d, ours := map[string]sound.Direction{"hold": sound.SendOnly, "resume": sound.SendRecv}[body]; ours {
			c.version++
			c.said = sound.Offer(7, c.version, c.at(), d, codecs())
			body = string(c.said.Bytes())
		}
		if !late {
			r.Add("Content-Type", "application/sdp")
			r.Body = []byte(body)
		}
		_, err := c.send(r, func(a *message.Message) { c.reinvited(a, late) })
		return err
	})
}

func (c *Call) reinvited(a *message.Message, late bool) {
	code := 408
	if a != nil {
		code = a.Code
	}
	if code < 200 {
		return
	}
	if code/100 == 2 {
		n, _, _ := a.CSeq()
		ack := c.dialog.Request("ACK", n)
		if late {
			if body, err := c.agree(a.Body); err == nil {
				ack.Add("Content-Type", "application/sdp")
				ack.Body = body
			}
		} else {
			c.hear(a.Body)
		}
		_, _ = c.send(ack, nil)
	}
	c.mu.Lock()
	c.last = code
	c.mu.Unlock()
	c.p.update(func() {})
}

// Press sends keys as telephone events.
func (c *Call) Press(keys string) error { return c.sound.Press(keys) }

// onRequest handles a request of the box in the call.
func (c *Call) onRequest(s *transact.Server, h Habits) {
	m := s.Request
	if h.ProveAll && slices.Contains([]string{"BYE", "INVITE", "UPDATE"}, m.Method) && !c.p.proved(s, 407, h) {
		return
	}
	switch m.Method {
	case "BYE":
		s.Respond(m.Response(200, ""))
		c.set(Over, 0)
	case "CANCEL":
		s.Respond(m.Response(200, c.tag))
		if state, _ := c.State(); state == Rings && c.theirs != nil {
			c.respond(487, nil)
			c.set(Over, 487)
		}
	case "INVITE":
		body, err := c.agree(m.Body)
		if err != nil {
			s.Respond(m.Response(488, ""))
			return
		}
		c.theirs = s
		c.respond(200, body)
	default:
		s.Respond(m.Response(200, ""))
	}
}

// onAck handles the ACK of a 2xx.
func (p *Provider) onAck(m *message.Message) {
	if c := p.calls[m.Get("Call-ID")]; c != nil && c.theirs != nil {
		c.theirs.Acked()
	}
}

func seconds(n int) time.Duration { return time.Duration(n) * time.Second }

// Repeat sends the INVITE once more, as if its answer had been lost.
func (c *Call) Repeat(ctx context.Context) error {
	return c.p.ask(ctx, func() error { c.p.send(c.network, c.peer, c.Invite.Bytes()); return nil })
}

// Info presses a key by a message.
func (c *Call) Info(ctx context.Context, key byte) error {
	return c.p.ask(ctx, func() error {
		r := c.dialog.Request("INFO", c.dialog.Next())
		r.Add("Content-Type", "application/dtmf-relay")
		r.Body = fmt.Appendf(nil, "Signal=%c\r\nDuration=100\r\n", key)
		_, err := c.send(r, func(*message.Message) {})
		return err
	})
}

// TakeLast is Last, which is then 0 again.
func (c *Call) TakeLast() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	code := c.last
	c.last = 0
	return code
}
