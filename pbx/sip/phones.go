// Package sip makes hal.Lines out of SIP. Phones is all the desk phones of the house together.
//
// It promises: a phone is who its password says, never who its From says; what a phone sends
// reaches one call at most, and a fault in handling it ends that call alone; a dialog is spoken
// with on the way on which it was made; whatever crosses on the wire (CANCEL and 200, BYE and
// BYE), both ends come to rest. Forking to the contacts of an extension, retransmissions and
// challenges stay in here: the floor sees legs.
//
// Start reading at Phones, then desk (what it owns while it runs). Below lie leg (the calls of a
// line), wire (messages and transactions, the only importer of sipgo), dialog (what two peers agreed
// on) and registrar (who they are, where they are).
package sip

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"branchline/hal"
	"branchline/pbx/media"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/session"
	"branchline/pbx/sip/subscribe"
	"branchline/pbx/sip/trace"
	"branchline/pbx/sip/wire"
)

// Options are what Phones needs for its whole life.
type Options struct {
	Name     string // of the line: "phones"
	Boot     uint32 // boot number, part of leg ids
	Log      *slog.Logger
	Media    *media.Worker
	Bindings Store         // nil: phones are forgotten over a restart
	Trace    *trace.Trace  // of messages; nil: none is kept
	Releases []string      // Answered.Release of the legs that were up when the box died
	Session  session.Wants // how long a call stands without a sign of life; zero: half an hour
	TLS      *tls.Config   // who we are by TLS; nil: it cannot be spoken
	// Wall is the clock of the box, which anybody may set; nil: time.Now.
	Wall func() time.Time
}

// Store keeps bindings over a restart.
type Store = registrar.Store

// Account is an extension that may sign in; the extension is its user name too.
type Account struct {
	Extension string
	Name      string // shown to others where the phone says none
	Password  string
	Security  dialog.Security // of its sound
	Mail      bool            // its phones are told unasked how many messages wait
}

// Settings are what the configuration says about phones.
type Settings struct {
	Listen                 []netip.AddrPort // UDP; an unspecified address stands for each one that the box has
	TCP                    bool             // the same addresses by TCP too
	TLS                    []netip.AddrPort // by TLS
	Realm                  string
	Accounts               []Account
	MinExpires, MaxExpires time.Duration // of a sign-in; 0: one minute, one hour
	Guard                  Guard
	Lamps                  map[string]string // names that a lamp can be of besides extensions, and what they stand for: subscribe.Server
}

// Phones is all the desk phones as one line.
type Phones struct {
	o   Options
	reg registrar.Registrar // owned by the goroutine of the wire while Run runs
	lg  *slog.Logger

	clock *clock // owned by the same

	attached func() []netip.Prefix // networks of the house; tests change it
	pace     pace                  // of asking phones whether they are there; tests change it
	legs     uint64                // incoming legs so far; kept from one Run to the next

	door wire.Door // outlives a Run, so that who is kept away stays away

	mu       sync.Mutex // guards what follows
	settings Settings
	bound    Settings                  // as they were when Run began
	desk     *desk                     // nil while not running
	released bool                      // the Releases are told
	lamps    map[string]subscribe.Lamp // as shown last, by name

	ports leg.Ports
}

var _ hal.Line = (*Phones)(nil)

// NewPhones makes the line. Prepare and commit come before Run.
func NewPhones(o Options) *Phones {
	if o.Wall == nil {
		o.Wall = time.Now
	}
	return &Phones{o: o, clock: newClock(o.Wall), lg: o.Log.With("line", o.Name), attached: wire.AttachedNetworks, pace: pace{25 * time.Second, 10 * time.Second}}
}

// Name is the name of the line.
func (p *Phones) Name() string { return p.o.Name }

// Prepare checks s, changing nothing. commit makes it count: at once where Run runs. The
// extensions that s knows no more lose their contacts; live calls stay. commit does not wait.
func (p *Phones) Prepare(s Settings) (commit func(), err error) {
	if s.MinExpires <= 0 {
		s.MinExpires = time.Minute
	}
	if s.MaxExpires <= 0 {
		s.MaxExpires = time.Hour
	}
	if err := s.check(); err != nil {
		return nil, err
	}
	s.Accounts, s.Listen, s.TLS, s.Guard = slices.Clone(s.Accounts), slices.Clone(s.Listen), slices.Clone(s.TLS), s.Guard.clone()
	s.Lamps = maps.Clone(s.Lamps)
	return func() {
		p.mu.Lock()
		p.settings = s
		d := p.desk
		p.mu.Unlock()
		if d != nil {
			_ = d.wire.Post(func() { d.configure(s) })
		}
	}, nil
}

func (s Settings) check() error {
	var errs []error
	if len(s.Listen) == 0 {
		errs = append(errs, errors.New("phones: no address to listen on; name at least one, such as 0.0.0.0:5060"))
	}
	if s.Realm == "" || strings.ContainsAny(s.Realm, "\"\\\r\n") {
		errs = append(errs, fmt.Errorf("phones: realm %q: write a name without quotes, such as branchline", s.Realm))
	}
	if s.MinExpires > s.MaxExpires {
		errs = append(errs, fmt.Errorf("phones: shortest sign-in %v is above the longest, %v", s.MinExpires, s.MaxExpires))
	}
	seen := map[string]bool{}
	for _, a := range s.Accounts {
		switch {
		case a.Extension == "" || strings.ContainsAny(a.Extension, "\"\\:@<>; \r\n"):
			errs = append(errs, fmt.Errorf("phones: extension %q: use digits or letters", a.Extension))
		case a.Password == "":
			errs = append(errs, fmt.Errorf("phones: extension %s has no password; give it one", a.Extension))
		case seen[a.Extension]:
			errs = append(errs, fmt.Errorf("phones: extension %s stands twice; give each phone a number of its own", a.Extension))
		}
		seen[a.Extension] = true
	}
	return errors.Join(errs...)
}

// Pending says what of the settings takes effect after a restart only; "" when nothing waits.
func (p *Phones) Pending() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.desk == nil || slices.Equal(p.bound.Listen, p.settings.Listen) && p.bound.TCP == p.settings.TCP && slices.Equal(p.bound.TLS, p.settings.TLS) {
		return ""
	}
	return "phones: the new listen address takes effect after a restart"
}

// Listening are the addresses on which phones are heard now: what port 0 and 0.0.0.0 came to.
func (p *Phones) Listening() []netip.AddrPort {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.desk == nil {
		return nil
	}
	return p.desk.wire.Listening()
}

func (p *Phones) listen(w *wire.Wire, s Settings) error {
	if err := w.Open(s.Listen, s.TCP); err != nil || len(s.TLS) == 0 {
		return err
	}
	if p.o.TLS == nil {
		p.lg.Error("phones are not heard by TLS: the box has no certificate; see above why")
		return nil
	}
	return w.OpenTLS(s.TLS, p.o.TLS)
}

// Do queues o.
func (p *Phones) Do(o hal.Order) error {
	p.mu.Lock()
	d := p.desk
	p.mu.Unlock()
	if d == nil {
		return fmt.Errorf("%s: not running", p.o.Name)
	}
	return d.wire.Post(func() { d.legs.Do(o, d.dial) })
}

// Audio is the RTP port of leg, or nil while it has none.
func (p *Phones) Audio(leg hal.LegID) hal.Audio { return p.ports.Audio(leg) }

// Run serves the phones until ctx ends; then it ends every call on the wire. An error means that
// an address cannot be listened on, or no more.
func (p *Phones) Run(ctx context.Context, up func(hal.Signal)) error {
	p.mu.Lock()
	s := p.settings
	p.mu.Unlock()
	w := wire.New(p.lg)
	w.GuardBy(&p.door)
	if p.o.Trace != nil {
		w.Tapped(p.o.Trace.Tap(p.o.Name))
	}
	if err := p.listen(w, s); err != nil {
		return err
	}
	d := newDesk(p, w)
	d.configure(s)
	d.load(p.o.Bindings)
	inner, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var owned sync.WaitGroup
	ended := make(chan error, 1)
	owned.Go(func() { ended <- w.Run(inner, d) })
	owned.Go(func() { d.keeper.Run(inner) })

	p.mu.Lock()
	p.desk, p.bound = d, s
	s = p.settings // a commit may have come since
	releases := p.o.Releases
	if p.released {
		releases = nil
	}
	p.released = true
	p.mu.Unlock()
	_ = w.Post(func() { d.configure(s); d.show(p.shown()); d.open(releases) })
	err := d.out.Tell(ctx, ended, up)

	p.mu.Lock()
	p.desk = nil
	p.mu.Unlock()
	if err != nil || w.Post(func() { defer cancel(); d.farewell() }) != nil {
		cancel()
	}
	owned.Wait()
	if err != nil {
		d.lost(err, up)
	}
	p.ports.Clear()
	return err
}
