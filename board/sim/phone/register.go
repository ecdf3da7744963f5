package phone

import (
	"context"
	"errors"
	"fmt"

	"branchline/board/sim/phone/account"
)

// Registered waits until the box has accepted the phone. It returns early, with the reason, when
// the box refuses it (wrong password, unknown number).
func (p *Phone) Registered(ctx context.Context) error {
	var refused error
	err := p.watch.wait(ctx, func() bool {
		refused = p.refused
		return p.signedIn || refused != nil
	})
	if err == nil {
		err = refused
	}
	if err != nil {
		return fmt.Errorf("phone %s: not registered: %w", p.opt.User, err)
	}
	return nil
}

func (p *Phone) register() {
	if p.opt.Server.IsValid() && p.opt.Expires > 0 {
		p.reg.Register()
	}
}

func (p *Phone) unregister() {
	signedIn := false
	p.watch.look(func() { signedIn = p.signedIn })
	if signedIn {
		p.reg.Unregister()
	}
}

// registered notes what became of an attempt; what is no news is not told again.
func (p *Phone) registered(s account.Status) {
	var refused error
	if s.Final {
		refused = errors.New(s.Cause)
	}
	news := false
	p.watch.update(func() {
		news = p.status != s
		p.status, p.signedIn, p.refused = s, s.SignedIn, refused
	})
	switch {
	case !news:
	case s.SignedIn:
		p.note(Event{Kind: SignedIn})
	default:
		p.note(Event{Kind: SignedOut, Code: s.Code, Cause: s.Cause})
	}
}
