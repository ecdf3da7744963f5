package phone

import (
	"net/netip"
	"strconv"
	"strings"

	"branchline/board/sim/phone/account"
	"branchline/board/sim/phone/dialog"
	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/sound"
	"branchline/board/sim/phone/transact"
)

// onRequest is every new request of the other side but ACK.
func (p *Phone) onRequest(s *transact.Server) {
	m := s.Request
	if u, err := message.ParseURI(m.URI); err != nil || p.opt.User != "" && u.User != "" && u.User != p.opt.User {
		code := 404
		if err != nil {
			code = 416
		}
		s.Respond(m.Response(code, account.NewTag()))
		return
	}
	if required := m.List("Require"); len(required) > 0 && m.Method != "CANCEL" {
		r := m.Response(420, account.NewTag())
		r.Add("Unsupported", strings.Join(required, ", "))
		s.Respond(r)
		return
	}
	to, _ := message.ParseAddress(m.Get("To"))
	switch {
	case m.Method == "CANCEL":
		p.onCancel(s)
	case m.Method == "OPTIONS":
		r := m.Response(200, account.NewTag())
		r.Add("Allow", account.Allowed)
		r.Add("Accept", "application/sdp, application/dtmf-relay")
		s.Respond(r)
	case m.Method == "NOTIFY" && to.Tag() == "":
		p.onNotify(s)
	case m.Method == "INVITE" && to.Tag() == "":
		p.onInvite(s)
	case m.Method == "INVITE", m.Method == "BYE", m.Method == "INFO", m.Method == "UPDATE", m.Method == "NOTIFY":
		c := p.inDialog(m)
		if c == nil && m.Method == "NOTIFY" { // of a subscription
			p.onNotify(s)
			return
		}
		if c == nil {
			s.Respond(m.Response(481, account.NewTag()))
			return
		}
		c.onRequest(s)
	default:
		r := m.Response(405, account.NewTag())
		r.Add("Allow", account.Allowed)
		s.Respond(r)
	}
}

// onNotifyOf takes one in a call: of a transfer, or of the phone's keys.
func (p *Phone) onNotifyOf(c *Call, s *transact.Server) {
	if event, _, _ := strings.Cut(s.Request.Get("Event"), ";"); strings.EqualFold(strings.TrimSpace(event), "refer") {
		c.onNotify(s)
		return
	}
	p.onNotify(s)
}

// onNotify takes what a box tells its phones unasked; "talk" and "hold" press the phone's keys.
func (p *Phone) onNotify(s *transact.Server) {
	event, _, _ := strings.Cut(s.Request.Get("Event"), ";")
	switch strings.ToLower(strings.TrimSpace(event)) {
	case "talk":
		for _, c := range p.calls {
			if c.State() == Ringing {
				p.warn(c, "answer", c.answer())
			} else if c.holds {
				p.warn(c, "resume", c.want(false))
			}
		}
	case "hold":
		for _, c := range p.calls {
			if c.State() == Talking {
				p.warn(c, "hold", c.want(true))
			}
		}
	case "dialog":
		p.onLamp(s)
		return
	case "message-summary", "check-sync", "keep-alive":
	default:
		s.Respond(s.Request.Response(489, account.NewTag()))
		return
	}
	s.Respond(s.Request.Response(200, account.NewTag()))
}

func (p *Phone) warn(c *Call, what string, err error) {
	if err != nil {
		p.opt.Log.Warn("not done", "phone", p.opt.User, "what", what, "call", c.id, "err", err)
	}
}

// onInvite is a new call.
func (p *Phone) onInvite(s *transact.Server) {
	m := s.Request
	from, _ := message.ParseAddress(m.Get("From"))
	refuse := func(code int) { s.Respond(m.Response(code, account.NewTag())) }
	for _, c := range p.calls { // the same INVITE by another way: 8.2.2.2
		if c.id == m.Get("Call-ID") && c.dialog.RemoteTag == from.Tag() {
			refuse(482)
			return
		}
	}
	offer, ok := readBody(m)
	switch {
	case !ok && len(m.Body) > 0 && !isSDP(m):
		refuse(415)
		return
	case !ok:
		refuse(488)
		return
	case p.leaving:
		refuse(480)
		return
	case p.opt.Lines > 0 && len(p.calls) >= p.opt.Lines:
		refuse(486)
		return
	}
	number := from.URI
	if u, err := message.ParseURI(from.URI); err == nil {
		number = u.User
	}
	c, err := p.newCall(&Call{
		id: m.Get("Call-ID"), from: number, name: from.Name, incoming: true, invite: s, offered: offer,
		dialog: dialog.Called(m, account.NewTag(), s.Source),
	}, Ringing)
	if err != nil {
		p.opt.Log.Warn("call refused", "phone", p.opt.User, "err", err)
		refuse(500)
		return
	}
	p.watch.update(func() {
		p.incoming = append(p.incoming, c)
		if len(p.incoming) > maxUncollected {
			p.incoming = p.incoming[1:]
		}
	})
	p.note(c.event(Rings))
	c.ring()
}

func isSDP(m *message.Message) bool {
	kind, _, _ := strings.Cut(m.Get("Content-Type"), ";")
	return strings.EqualFold(strings.TrimSpace(kind), "application/sdp")
}

// readBody is the offer in m, nil where it leaves that to us; false: it cannot be read.
func readBody(m *message.Message) (*sound.Description, bool) {
	if len(m.Body) == 0 {
		return nil, true
	}
	if !isSDP(m) {
		return nil, false
	}
	offer, err := sound.Parse(m.Body)
	return offer, err == nil
}

// ring does what the phone is set to do with a call.
func (c *Call) ring() {
	auto := c.p.opt.Auto
	if auto.code != 0 && auto.after == 0 {
		c.p.warn(c, "refuse", c.reject(auto.code))
		return
	}
	r := c.response(180)
	c.invite.Respond(r)
	at := c.p.opt.ringTime
	do := func() error { return c.reject(480) }
	switch {
	case asksAutoAnswer(c.invite.Request):
		c.p.warn(c, "answer", c.answer())
		return
	case auto.answer && auto.after == 0:
		c.p.warn(c, "answer", c.answer())
		return
	case auto.answer:
		at, do = auto.after, c.answer
	case auto.code != 0:
		at, do = auto.after, func() error { return c.reject(auto.code) }
	}
	c.patience = c.p.clock.After(at, func() {
		if c.State() == Ringing {
			c.p.warn(c, "automatic", do())
		}
	})
}

// asksAutoAnswer knows both forms that boxes use to make a desk phone pick up by itself.
func asksAutoAnswer(m *message.Message) bool {
	for _, v := range m.List("Call-Info") {
		if after, ok := message.FindParam(v, "answer-after"); ok {
			seconds, err := strconv.Atoi(after)
			return err == nil && seconds == 0
		}
	}
	return strings.Contains(m.Get("Alert-Info"), "info=alert-autoanswer")
}

// response begins an answer to the latest INVITE of the call, with our tag and Contact.
func (c *Call) response(code int) *message.Message {
	r := c.invite.Request.Response(code, c.dialog.LocalTag)
	if code < 300 {
		r.Add("Contact", "<"+c.p.acct.Contact()+">")
		r.Add("Allow", account.Allowed)
	}
	return r
}

// answer takes the call that rings.
func (c *Call) answer() error {
	if !c.incoming || c.State() != Ringing {
		return c.wrong("answered")
	}
	c.patience.Stop()
	if err := c.accept(); err != nil {
		c.p.warn(c, "answer", err)
		return c.reject(488)
	}
	c.dialog.Established = true
	c.settle()
	return nil
}

// accept answers the latest INVITE with 200 and our description, and waits for the ACK.
func (c *Call) accept() error {
	ours, err := c.describe(c.offered, c.direction())
	if err != nil {
		return err
	}
	c.ours = ours
	if c.offered == nil {
		c.listenEarly() // the answer comes with the ACK
	} else if err := c.agree(c.offered); err != nil {
		return err
	} else {
		c.isHeld = !c.offered.Direction.Receives()
	}
	r := c.response(200)
	r.Add("Content-Type", "application/sdp")
	r.Body = ours.Bytes()
	c.invite.Unacked = func() {
		c.bye()
		c.end(false, 0, "no ACK from the box")
	}
	c.invite.Respond(r)
	return nil
}

// reject refuses the call that rings.
func (c *Call) reject(code int) error {
	if !c.incoming || c.State() != Ringing {
		return c.wrong("refused")
	}
	if code < 400 || code > 699 {
		return c.wrong("refused with " + strconv.Itoa(code))
	}
	r := c.response(code)
	c.invite.Respond(r)
	c.end(false, code, r.Reason)
	return nil
}

// onAck is the ACK of a 2xx of ours.
func (p *Phone) onAck(m *message.Message) {
	c := p.inDialog(m)
	if c == nil || c.invite == nil || !c.invite.Waits() {
		return
	}
	seq, _, _ := m.CSeq()
	if asked, _, _ := c.invite.Request.CSeq(); seq != asked {
		return
	}
	c.invite.Acked()
	if c.leaving {
		c.bye()
		c.end(false, 0, "normal")
		return
	}
	if c.offered != nil {
		return
	}
	theirs, err := sound.Parse(m.Body) // the answer to the offer in our 200
	if err == nil {
		err = c.agree(theirs)
	}
	if err != nil {
		p.warn(c, "answer in ACK", err)
		c.bye()
		c.end(false, 488, "no common sound")
		return
	}
	c.isHeld = !theirs.Direction.Receives()
	c.settle()
}

// onCancel is RFC 3261 9.2.
func (p *Phone) onCancel(s *transact.Server) {
	invite := p.layer.Invite(s)
	if invite == nil {
		s.Respond(s.Request.Response(481, account.NewTag()))
		return
	}
	tag := account.NewTag()
	for _, c := range p.calls {
		if c.invite != invite {
			continue
		}
		tag = c.dialog.LocalTag
		if invite.Final() == 0 {
			invite.Respond(c.response(487))
			c.end(true, 487, causeOf(s.Request, "caller gave up"))
		}
	}
	s.Respond(s.Request.Response(200, tag))
}

// onStray is a response to nothing: one that came after its transaction's time. It is dropped.
func (p *Phone) onStray(r *message.Message, src netip.AddrPort) {
	p.opt.Log.Debug("stray response", "phone", p.opt.User, "from", src, "code", r.Code)
}
