package sip

import (
	"context"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"branchline/pbx/sip/registrar"
)

// shelf keeps bindings in memory.
type shelf map[string]registrar.Binding

func (s shelf) Load() (out []registrar.Binding, err error) {
	for _, b := range s {
		out = append(out, b)
	}
	return out, nil
}
func (s shelf) Save(b registrar.Binding) error   { s[b.Name()] = b; return nil }
func (s shelf) Delete(b registrar.Binding) error { delete(s, b.Name()); return nil }

// office is a desk without wires, on a clock that tests set.
type office struct {
	*desk
	kept shelf
	off  atomic.Int64
}

func (o *office) wall() time.Time { return time.Now().Add(time.Duration(o.off.Load())) }

// begin is a start of the box on what the one before left.
func begin(t *testing.T, o *office) {
	t.Helper()
	p := NewPhones(Options{Name: "phones", Log: slog.New(slog.DiscardHandler), Bindings: o.kept, Wall: o.wall})
	o.desk = newDesk(p, nil)
	o.configure(Settings{MinExpires: time.Minute, MaxExpires: time.Hour, Accounts: []Account{{Extension: "201"}}})
	o.load(o.kept)
	o.written(t)
}

// written has the keeper write what it has.
func (o *office) written(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	o.keeper.Run(ctx)
}

// pass lets time pass and looks at the clock each second, as the desk does.
func (o *office) pass(t *testing.T, d time.Duration) {
	t.Helper()
	for end := time.Now().Add(d); time.Now().Before(end); {
		time.Sleep(time.Second)
		o.checkClock()
		o.keeper.Note(o.reg.Expire(o.clock.now()))
	}
	o.written(t)
}

// signIn is what a REGISTER does.
func (o *office) signIn(life time.Duration) {
	phone := registrar.Binding{Extension: "201", Contact: "sip:201@10.0.0.9:5060", Network: "udp",
		Remote: netip.MustParseAddrPort("10.0.0.9:5060"), Expires: o.clock.now().Add(life)}
	o.keeper.Note(o.reg.Restore([]registrar.Binding{phone}, o.clock.now()))
}

// A phone signs in for 10 minutes, the clock is set in the fifth: it is there until the tenth, and so it is
// over a restart in the sixth.
func TestSignInsLastAsLongAsPromisedThoughTheClockIsSet(t *testing.T) {
	const decades = 30 * 365 * 24 * time.Hour // synctest begins in 2000
	for name, by := range map[string]time.Duration{
		"an hour on": time.Hour, "an hour back": -time.Hour, "to 2030": decades, "to 1970": -decades,
	} {
		for _, restart := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					o := &office{kept: shelf{}}
					begin(t, o)
					o.signIn(10 * time.Minute)
					o.pass(t, 5*time.Minute)
					o.off.Add(int64(by))
					o.pass(t, time.Minute)
					if restart {
						begin(t, o)
					}
					o.pass(t, 3*time.Minute+58*time.Second)
					if len(o.reg.Contacts("201")) != 1 {
						t.Error("it is gone too early")
					}
					o.pass(t, 4*time.Second)
					if len(o.reg.Contacts("201")) != 0 || len(o.kept) != 0 {
						t.Errorf("it is there for longer than it said: %v, kept %v", o.reg.Contacts("201"), o.kept)
					}
				})
			})
		}
	}
}

// The clock is put back while the box is off: who is signed in is there for an hour more at most.
func TestSignInOfAFutureThatNeverCameEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		o := &office{kept: shelf{}}
		begin(t, o)
		o.signIn(10 * time.Minute)
		o.written(t)
		o.off.Store(-20 * 365 * 24 * int64(time.Hour))
		begin(t, o)
		o.pass(t, time.Hour-2*time.Second)
		if len(o.reg.Contacts("201")) != 1 {
			t.Error("it is gone")
		}
		o.off.Store(0) // the network tells the time
		o.pass(t, 4*time.Second)
		if len(o.reg.Contacts("201")) != 0 || len(o.kept) != 0 {
			t.Error("it is there for ever")
		}
	})
}
