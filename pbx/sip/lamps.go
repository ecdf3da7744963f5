package sip

import (
	"context"
	crand "crypto/rand"
	"errors"
	"fmt"
	"maps"
	"slices"

	"branchline/pbx/sip/header"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/subscribe"
	"branchline/pbx/sip/wire"
)

// Lamp is what the lamps of phones show of one extension, queue or agent; Talk is one dialog of it.
type (
	Lamp = subscribe.Lamp
	Talk = subscribe.Talk
)

// Show has lamps shown to the phones that ask for them, from now on; those that are not in it stay as
// they are. One goroutine shows. It does not wait.
func (p *Phones) Show(lamps []Lamp) {
	p.mu.Lock()
	if p.lamps == nil {
		p.lamps = map[string]Lamp{}
	}
	for _, l := range lamps {
		p.lamps[l.Name] = l
	}
	d := p.desk
	p.mu.Unlock()
	if d != nil {
		_ = d.wire.Post(func() { d.show(lamps) })
	}
}

// shown is all that was shown so far.
func (p *Phones) shown() []Lamp {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Collect(maps.Values(p.lamps))
}

// Told is what one phone said to a wish.
type Told struct {
	Contact string // its address
	Agent   string // what it calls itself
	Code    int    // of its answer; 0: it said nothing
}

// ErrNoPhone says that no phone of the extension is there.
var ErrNoPhone = errors.New("no phone of this extension is signed in")

// Resync asks all phones of an extension to fetch their settings anew, and to restart if reboot says so
// (NOTIFY with Event: check-sync, which is nobody's standard but all makers' habit). It waits until each has
// answered or ctx ends; a phone that knows no such thing answers by a code of 400 and above.
func (p *Phones) Resync(ctx context.Context, extension string, reboot bool) ([]Told, error) {
	p.mu.Lock()
	d := p.desk
	p.mu.Unlock()
	if d == nil {
		return nil, fmt.Errorf("%s: not running", p.o.Name)
	}
	type result struct {
		at   int
		code int
	}
	var told []Told
	asked, results := make(chan struct{}), make(chan result, 64) // no extension has as many phones
	err := d.wire.Post(func() {
		defer close(asked)
		for i, b := range d.reg.Contacts(extension) {
			told = append(told, Told{Contact: b.Contact, Agent: b.Agent})
			d.checkSync(b, reboot, func(res *wire.Response) {
				if res.Code < 200 {
					return
				}
				code := res.Code
				if res.Local {
					code = 0
				}
				select {
				case results <- result{i, code}:
				default:
				}
			})
		}
	})
	if err != nil {
		return nil, err
	}
	select {
	case <-asked:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if len(told) == 0 {
		return nil, ErrNoPhone
	}
	for range told {
		select {
		case r := <-results:
			told[r.at].Code = r.code
		case <-ctx.Done():
			return told, nil // who has not answered has said nothing
		}
	}
	return told, nil
}

// checkSync asks one phone, outside of any dialog.
func (d *desk) checkSync(b registrar.Binding, reboot bool, on func(*wire.Response)) {
	target, err := header.ParseURI(b.Contact)
	if err != nil {
		on(&wire.Response{Code: 503, Local: true})
		return
	}
	event := "check-sync;reboot=false"
	if reboot {
		event = "check-sync;reboot=true"
	}
	d.legs.Send(&wire.Request{Method: "NOTIFY", URI: target, Flow: b.Flow(), CallID: crand.Text()[:12], CSeq: 1,
		From:    header.MakeAddress("", header.MakeURI("branchline", b.Local), crand.Text()[:12]),
		To:      header.MakeAddress("", header.MakeURI(b.Extension, b.Local), ""),
		Contact: []header.Address{b.Flow().Contact()},
		Headers: []wire.Header{{Name: "Event", Value: event}, {Name: "Subscription-State", Value: "active"}}}, on)
}

// farewell ends on the wire what stands there, before we go.
func (d *desk) farewell() {
	d.legs.Farewell()
	d.lamps.Farewell()
}
