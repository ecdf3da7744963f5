package phone

import (
	"crypto/rand"
	"math/big"
	"net/netip"

	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/sound"
)

// inDialog finds the call of a request of the other side.
func (p *Phone) inDialog(m *message.Message) *Call {
	for _, c := range p.calls {
		if c.dialog.Fits(m) {
			return c
		}
	}
	return nil
}

// bye ends an established dialog; nobody waits for what comes of it.
func (c *Call) bye() {
	d := &c.dialog
	c.p.acct.Exchange(d.Hop(), func() *message.Message { return d.Request("BYE", d.Next()) }, func(*message.Message) {})
}

// hangup ends the call in any state.
func (c *Call) hangup() {
	switch {
	case c.State() == Gone:
	case c.incoming && !c.dialog.Established:
		_ = c.reject(480) // cannot fail in this state
	case !c.dialog.Established:
		c.cancel()
	case c.incoming && c.invite.Waits() && !c.leaving:
		c.leaving = true // not before the ACK: RFC 3261 15
		c.stopSound()
	case c.incoming && c.invite.Waits():
	default:
		c.bye()
		c.end(false, 0, "normal")
	}
}

// describe is our description with a new version: the answer to offer, or an offer where that is nil.
func (c *Call) describe(offer *sound.Description, dir sound.Direction) (*sound.Description, error) {
	if c.sdpID == 0 {
		c.sdpID = randomUint(1 << 32)
	}
	c.sdpVersion++
	local := netip.AddrPortFrom(c.p.local.Addr(), c.sound.Port())
	if offer == nil {
		return sound.Offer(c.sdpID, c.sdpVersion, local, dir, c.p.opt.Codecs), nil
	}
	return offer.Answer(c.sdpID, c.sdpVersion, local, dir, c.p.opt.Codecs)
}

// agree puts into effect what ours and theirs come to.
func (c *Call) agree(theirs *sound.Description) error {
	flow, err := sound.Agree(c.ours, theirs)
	if err != nil {
		return err
	}
	flow.Quiet = c.holds
	c.sound.Set(flow)
	return nil
}

// settle tells who holds whom after a change.
func (c *Call) settle() {
	switch was := c.State(); {
	case c.holds:
		c.enter(Holding, Holds)
	case c.isHeld:
		c.enter(Held, IsHeld)
	case was == Holding || was == Held:
		c.enter(Talking, Resumes)
	default:
		c.enter(Talking, Talks)
	}
}

// direction is what we would like now.
func (c *Call) direction() sound.Direction { return sound.DirectionOf(true, !c.holds) }

func randomUint(below int64) uint64 {
	n, err := rand.Int(rand.Reader, big.NewInt(below-1))
	if err != nil {
		panic(err) // crypto/rand does not fail
	}
	return n.Uint64() + 1
}
