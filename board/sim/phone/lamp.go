package phone

import (
	"context"
	"crypto/rand"
	"encoding/xml"
	"fmt"

	"branchline/board/sim/phone/account"
	"branchline/board/sim/phone/dialog"
	"branchline/board/sim/phone/message"
	"branchline/board/sim/phone/transact"
)

// Lamp is a lamp key: it shows what another phone does (RFC 4235). It is watched for ten minutes.
type Lamp struct {
	dialog dialog.Dialog // owned by the phone's loop

	watch watched
	code  int // of the answer; 0: none yet
	shown []Shown
}

// Shown is one dialog of a watched phone; with its names another phone can take the call.
type Shown struct {
	State     string `xml:"state"`
	Direction string `xml:"direction,attr"`
	CallID    string `xml:"call-id,attr"`
	Local     string `xml:"local-tag,attr"`
	Remote    string `xml:"remote-tag,attr"`
}

// Watch has a lamp key show what name does, and returns when it shows something.
func (p *Phone) Watch(ctx context.Context, name string) (*Lamp, error) {
	uri, to, err := p.whither(name)
	if err != nil {
		return nil, fmt.Errorf("phone %s: watch %q: %w", p.opt.User, name, err)
	}
	tag := account.NewTag()
	l := &Lamp{dialog: dialog.Calling(rand.Text(), tag, p.acct.From(tag), uri, to)}
	err = p.ask(ctx, func() error {
		p.lamps = append(p.lamps, l)
		p.acct.Exchange(to, func() *message.Message { return p.subscribeRequest(l) }, l.answered)
		return nil
	})
	if err == nil {
		err = l.watch.wait(ctx, func() bool { return l.code >= 300 || l.shown != nil })
	}
	if err == nil && l.code >= 300 {
		err = fmt.Errorf("answered %d", l.code)
	}
	if err != nil {
		return nil, fmt.Errorf("phone %s: watch %q: %w", p.opt.User, name, err)
	}
	return l, nil
}

func (p *Phone) subscribeRequest(l *Lamp) *message.Message {
	m := l.dialog.Request("SUBSCRIBE", l.dialog.Next())
	m.Add("Contact", "<"+p.acct.Contact()+">")
	m.Add("Event", "dialog")
	m.Add("Accept", "application/dialog-info+xml")
	m.Add("Expires", "600")
	return m
}

func (l *Lamp) answered(r *message.Message) {
	code := 408
	if r != nil {
		code = r.Code
	}
	l.watch.update(func() { l.code = code })
}

// WaitState waits until the lamp shows a dialog in state, in the words of RFC 4235, and gives it.
func (l *Lamp) WaitState(ctx context.Context, state string) (found Shown, err error) {
	err = l.watch.wait(ctx, func() bool {
		for _, s := range l.shown {
			if s.State == state {
				found = s
				return true
			}
		}
		return false
	})
	if err != nil {
		return found, fmt.Errorf("lamp is not %s: %w", state, err)
	}
	return found, nil
}

// Take calls number in the place of the phone that s is of (RFC 3891); otherwise as Dial.
func (p *Phone) Take(ctx context.Context, number string, s Shown) (*Call, error) {
	return p.dialReplacing(ctx, number, s.CallID+";to-tag="+s.Remote+";from-tag="+s.Local)
}

// onLamp takes what a lamp shall show.
func (p *Phone) onLamp(s *transact.Server) {
	var doc struct {
		Dialogs []Shown `xml:"dialog"`
	}
	for _, l := range p.lamps {
		if l.dialog.CallID != s.Request.Get("Call-ID") {
			continue
		}
		code := 200
		if err := xml.Unmarshal(s.Request.Body, &doc); err != nil {
			code = 400
		} else {
			l.watch.update(func() { l.shown = doc.Dialogs })
		}
		s.Respond(s.Request.Response(code, l.dialog.LocalTag))
		return
	}
	s.Respond(s.Request.Response(481, account.NewTag()))
}
