package phone

import (
	"crypto/rand"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/sound"
	"branchline/board/sim/phone/transact"
)

// onRequest is a request inside the call's dialog.
func (c *Call) onRequest(s *transact.Server) {
	m := s.Request
	seq, _, _ := m.CSeq()
	if c.dialog.RemoteSeq != 0 && seq < c.dialog.RemoteSeq { // 12.2.2
		s.Respond(m.Response(500, ""))
		return
	}
	c.dialog.RemoteSeq = seq
	switch m.Method {
	case "BYE":
		s.Respond(m.Response(200, ""))
		if c.incoming && c.invite.Final() == 0 {
			c.invite.Respond(c.response(487)) // 15.1.2
		}
		c.end(true, 0, causeOf(m, "normal"))
	case "INFO":
		s.Respond(m.Response(c.onInfo(m), ""))
	case "NOTIFY":
		c.p.onNotifyOf(c, s)
	case "INVITE":
		c.onReinvite(s)
	case "UPDATE":
		c.onUpdate(s)
	}
}

// onInfo reads a key: application/dtmf-relay ("Signal=5"), or application/dtmf ("5").
func (c *Call) onInfo(m *message.Message) int {
	kind, _, _ := strings.Cut(strings.ToLower(m.Get("Content-Type")), ";")
	text := ""
	switch strings.TrimSpace(kind) {
	case "":
		return 200 // a keep-alive
	case "application/dtmf":
		text = string(m.Body)
	case "application/dtmf-relay":
		for line := range strings.Lines(string(m.Body)) {
			if name, value, ok := strings.Cut(line, "="); ok && strings.EqualFold(strings.TrimSpace(name), "signal") {
				text = value
			}
		}
	default:
		return 415
	}
	key := strings.ToUpper(strings.TrimSpace(text))
	if len(key) != 1 || !strings.Contains("0123456789*#ABCD", key) {
		return 400
	}
	c.sound.NoteKey(key[0])
	c.keyHeard(key[0])
	return 200
}

// onReinvite is a change that the other side wants: hold, resume, another address (14.2).
func (c *Call) onReinvite(s *transact.Server) {
	m := s.Request
	switch {
	case c.out != nil && !c.out.Over():
		s.Respond(m.Response(491, ""))
		return
	case !c.dialog.Established, c.invite != nil && c.invite.Waits():
		r := m.Response(500, "")
		r.Add("Retry-After", strconv.FormatUint(randomUint(10), 10))
		s.Respond(r)
		return
	}
	offer, ok := readBody(m)
	if !ok {
		s.Respond(m.Response(488, ""))
		return
	}
	before, was, ours := c.invite, c.offered, c.ours
	c.invite, c.offered = s, offer
	if err := c.accept(); err != nil {
		c.p.warn(c, "re-INVITE", err)
		c.invite, c.offered, c.ours = before, was, ours
		s.Respond(m.Response(488, ""))
		return
	}
	c.dialog.Retarget(m)
	c.settle()
}

// onUpdate is the same without ACK (RFC 3311); most carry no description, only who is connected now.
func (c *Call) onUpdate(s *transact.Server) {
	m := s.Request
	offer, ok := readBody(m)
	r := m.Response(200, "")
	r.Add("Contact", "<"+c.p.acct.Contact()+">")
	switch {
	case !ok:
		s.Respond(m.Response(488, ""))
		return
	case offer != nil && (!c.dialog.Established || c.out != nil && !c.out.Over()):
		s.Respond(m.Response(491, ""))
		return
	case offer != nil:
		ours, err := c.describe(offer, c.direction())
		if err == nil {
			c.ours = ours
			err = c.agree(offer)
		}
		if err != nil {
			s.Respond(m.Response(488, ""))
			return
		}
		c.isHeld = !offer.Direction.Receives()
		r.Add("Content-Type", "application/sdp")
		r.Body = ours.Bytes()
	}
	c.dialog.Retarget(m)
	s.Respond(r)
	if offer != nil {
		c.settle()
	}
}

// want notes that we want to hold, or not any more, and sees to it.
func (c *Call) want(hold bool) error {
	if s := c.State(); s != Talking && s != Holding && s != Held || c.leaving {
		return c.wrong("held")
	}
	c.wish = hold
	c.reinvite()
	return nil
}

// reinvite makes our hold what is wished, as soon as no other change is under way.
func (c *Call) reinvite() {
	c.again.Stop()
	if c.holds == c.wish || c.State() == Gone || c.leaving {
		return
	}
	if c.out != nil && !c.out.Over() || c.invite != nil && c.invite.Waits() {
		c.again = c.p.clock.After(20*time.Millisecond, c.reinvite)
		return
	}
	hold, before := c.wish, c.ours
	ours, err := c.describe(nil, sound.DirectionOf(!c.isHeld || !hold, !hold))
	if err != nil {
		c.p.warn(c, "hold", err)
		return
	}
	c.ours = ours
	c.out = c.p.acct.Exchange(c.dialog.Hop(), c.inviteRequest, func(r *message.Message) { c.onChanged(r, hold, before) })
}

// onChanged is every response to our re-INVITE (14.1).
func (c *Call) onChanged(r *message.Message, hold bool, before *sound.Description) {
	switch {
	case r != nil && r.Code < 200:
	case r != nil && r.Code < 300:
		c.changed(r, hold)
	case c.State() == Gone:
	case r == nil, r.Code == 408, r.Code == 481:
		c.bye()
		c.end(false, 408, "the box does not answer")
	case r.Code == 491: // both wanted something: the one who called waits longer
		c.ours = before
		wait := time.Duration(randomUint(2000)) * time.Millisecond
		if !c.incoming {
			wait += 2100 * time.Millisecond
		}
		c.again = c.p.clock.After(wait, c.reinvite)
	default:
		c.ours, c.wish = before, c.holds
		c.p.opt.Log.Warn("hold refused", "call", c.id, "code", r.Code)
	}
}

func (c *Call) changed(r *message.Message, hold bool) {
	if !c.acknowledge(r) || c.State() == Gone {
		return
	}
	c.dialog.Retarget(r)
	theirs, err := sound.Parse(r.Body)
	if err != nil {
		c.p.warn(c, "hold", err)
		return
	}
	held := c.isHeld
	if c.ours.Direction.Sends() {
		held = !theirs.Direction.Receives()
	}
	c.holds, c.isHeld = hold, held
	if err := c.agree(theirs); err != nil {
		c.p.warn(c, "hold", err)
	}
	c.settle()
	c.reinvite() // the wish may have changed meanwhile
}

// sendInfo queues keys; each INFO waits for the answer to the last.
func (c *Call) sendInfo(keys string) error {
	keys = strings.ToUpper(keys)
	if !c.dialog.Established || c.State() == Gone {
		return c.wrong("sent keys")
	}
	for _, k := range keys {
		if !strings.ContainsRune("0123456789*#ABCD!", k) {
			return fmt.Errorf("press %q: no such key", k)
		}
	}
	idle := len(c.infos) == 0
	c.infos = append(c.infos, keys...)
	if idle && len(c.infos) > 0 {
		c.nextInfo()
	}
	return nil
}

func (c *Call) nextInfo() {
	d := &c.dialog
	body := fmt.Sprintf("Signal=%c\r\nDuration=160\r\n", c.infos[0])
	c.p.acct.Exchange(d.Hop(), func() *message.Message {
		m := d.Request("INFO", d.Next())
		m.Add("Content-Type", "application/dtmf-relay")
		m.Body = []byte(body)
		return m
	}, func(r *message.Message) {
		if r != nil && r.Code < 200 || len(c.infos) == 0 {
			return
		}
		if r == nil || r.Code >= 300 {
			c.p.opt.Log.Warn("INFO refused", "call", c.id)
		}
		c.infos = c.infos[1:]
		if len(c.infos) > 0 && c.State() != Gone {
			c.nextInfo()
		}
	})
}

// LoseSound drops this share (0 to 1) of the call's sound packets from now on: a fault.
func (c *Call) LoseSound(share float64) { c.sound.Lose(share) }

// MoveSound sends the call's sound from another port from now on, as behind a router that has
// restarted, or as somebody who forges it. It tells the new source.
func (c *Call) MoveSound() (netip.AddrPort, error) { return c.sound.Move() }

// ForgeBYE sends a BYE that is right in all but the address that it comes from: another one's
// attempt to end the call. The phone itself knows nothing of it. It waits for no answer.
func (c *Call) ForgeBYE(from netip.AddrPort) error {
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(from))
	if err != nil {
		return fmt.Errorf("forge BYE: %w", err)
	}
	defer conn.Close()
	return c.ask(func() error {
		if !c.dialog.Established {
			return c.wrong("ended by another")
		}
		m := c.dialog.Request("BYE", c.dialog.Seq+1)
		via := "SIP/2.0/UDP " + conn.LocalAddr().String() + ";rport;branch=z9hG4bK" + rand.Text()
		m.Fields = append([]message.Field{{Name: "Via", Value: via}}, m.Fields...)
		m.Add("Max-Forwards", "70")
		if _, err := conn.WriteToUDPAddrPort(m.Bytes(), c.dialog.Hop()); err != nil {
			return fmt.Errorf("forge BYE: %w", err)
		}
		return nil
	})
}

func (c *Call) mute(on bool) { c.sound.Mute(on) }
