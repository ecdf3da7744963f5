package sip

import (
	"log/slog"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/outbox"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/subscribe"
	"branchline/pbx/sip/wire"
)

// desk is what Phones owns while it runs. All of it belongs to the goroutine of the wire.
type desk struct {
	name string
	log  *slog.Logger
	wire *wire.Wire
	out  *outbox.Outbox

	accounts map[string]Account
	auth     registrar.Authority
	reg      *registrar.Registrar
	keeper   *registrar.Keeper
	clock    *clock // of sign-ins
	refusals registrar.Refusals
	reached  map[string]int    // contacts of an extension, as last told
	watches  map[string]*watch // by the name of the binding
	pace     pace
	idle     time.Duration // that a phone's connection may be
	door     *wire.Door
	guarded  Guard
	attached func() []netip.Prefix
	house    []netip.Prefix // networks from which phones may sign in

	legs     *leg.Table
	lamps    *subscribe.Server
	mailed   map[string]subscribe.Mail      // what phones were told of messages unasked, by the name of the binding
	stranded map[*leg.Leg]registrar.Binding // the phones of calls whose connection was lost
	ticks    int
}

var (
	_ wire.Handler = (*desk)(nil)
	_ wire.Strays  = (*desk)(nil)
)

// allow is the methods that phones may use.
const allow = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, PRACK, REFER, SUBSCRIBE, REGISTER"

func newDesk(p *Phones, w *wire.Wire) *desk {
	d := &desk{name: p.o.Name, log: p.lg, wire: w, out: outbox.New(), reg: &p.reg,
		keeper: registrar.NewKeeper(p.o.Bindings, p.lg), clock: p.clock, refusals: registrar.Refusals{Log: p.lg},
		door: &p.door, attached: p.attached, reached: map[string]int{}, watches: map[string]*watch{}, mailed: map[string]subscribe.Mail{}, pace: p.pace, stranded: map[*leg.Leg]registrar.Binding{}}
	d.legs = leg.NewTable(leg.Options{Name: p.o.Name, Boot: p.o.Boot, Count: &p.legs, Log: p.lg, Media: p.o.Media, Wire: w, Trace: p.o.Trace,
		Out: d.out, Ports: &p.ports, Peers: peers{desk: d}, Allow: allow, Remote: true, Session: p.o.Session})
	d.lamps = subscribe.NewServer(subscribe.Options{Log: p.lg, Wire: w, Legs: d.legs, Proves: peers{desk: d}.Proves})
	return d
}

// configure takes new settings; the contacts of extensions that are no more go.
func (d *desk) configure(s Settings) {
	before := d.accounts
	d.configureDoor(s.Guard)
	d.accounts = make(map[string]Account, len(s.Accounts))
	passwords := make(map[string]string, len(s.Accounts))
	for _, a := range s.Accounts {
		d.accounts[a.Extension] = a
		passwords[a.Extension] = a.Password
	}
	d.auth.SetAccounts(s.Realm, passwords)
	d.reg.SetExpiry(s.MinExpires, s.MaxExpires)
	d.idle = s.MaxExpires + time.Minute
	d.changed(d.reg.Keep(func(e string) bool { _, known := d.accounts[e]; return known }), "the extension was removed")
	d.changed(d.reg.Keep(func(e string) bool {
		old, known := before[e]
		return !known || old.Password == d.accounts[e].Password
	}), "its password was changed")
	d.lamps.Configure(func(e string) bool { _, known := d.accounts[e]; return known }, s.Lamps)
}

// load takes the bindings of before the restart. Who of them is still there is known before long.
func (d *desk) load(store Store) {
	d.keeper.Note(d.reg.Disconnect())
	if store != nil {
		saved, err := store.Load()
		if err != nil {
			d.log.Warn("sign-ins not read; phones are reached when they sign in again", "err", err)
		}
		saved = slices.DeleteFunc(saved, func(b registrar.Binding) bool { _, known := d.accounts[b.Extension]; return !known })
		d.keeper.Note(d.reg.Restore(saved, d.clock.now()))
	}
	for b := range d.reg.All() {
		d.watches[b.Name()] = &watch{due: time.Now().Add(rand.N(d.pace.every / 3))}
		d.bound(registrar.Change{Binding: b})
	}
}

// open puts the wire at rest and goes into service.
func (d *desk) open(releases []string) {
	d.legs.End(releases)
	d.out.Put(hal.InService{Name: d.name, Traits: hal.Traits{CallerID: true, Supervised: true, Inside: true, EarlySound: true}})
	for _, e := range slices.Sorted(maps.Keys(d.accounts)) {
		d.tellReach(e, "signed in before the restart")
	}
	d.tick()
}

// tick tells the census every second.
func (d *desk) tick() {
	d.wire.After(time.Second, "", d.tick)
	now := time.Now()
	d.ask(now)
	d.checkClock()
	d.changed(d.reg.Expire(d.clock.now()), "its sign-in ran out")
	d.unstrand()
	d.lamps.Expire(now)
	d.out.Put(hal.Census{Name: d.name, Legs: d.legs.Legs()})
	d.tellGuarded()
	if d.ticks++; d.ticks%60 == 0 {
		d.refusals.Report()
		d.configureDoor(d.guarded) // the box may have moved to another network
	}
}

// changed saves what became of bindings, and tells whose number of contacts is another one now.
func (d *desk) changed(changes []registrar.Change, why string) {
	d.keeper.Note(changes)
	for _, c := range changes {
		d.watched(c)
		d.bound(c)
		d.moved(c)
		if c.Gone {
			delete(d.mailed, c.Binding.Name())
		} else {
			d.lamps.Moved(c.Binding.Extension, c.Was, c.Binding.Flow())
			d.mailOf(c.Binding)
		}
		d.tellReach(c.Binding.Extension, why)
	}
}

func (d *desk) tellReach(extension, why string) {
	n := len(d.reg.Reachable(extension))
	if n == d.reached[extension] {
		return
	}
	d.reached[extension] = n
	d.out.Put(hal.Reachable{Name: d.name, Endpoint: extension, Contacts: n, Why: why})
}

// Request handles a new request of a phone.
func (d *desk) Request(r *wire.Request) {
	if r.Method == "ACK" {
		d.legs.Ack(r)
		return
	}
	if !d.legs.Understands(r) {
		return
	}
	if r.Method == "SUBSCRIBE" && r.InDialog() && d.lamps.Within(r) {
		return
	}
	if unsafe(r) {
		d.legs.Reply(r, wire.Response{Code: 403, Reason: "Forbidden: sips is for TLS"})
		return
	}
	if r.InDialog() && r.Method != "REGISTER" {
		d.legs.Within(r)
		return
	}
	switch r.Method {
	case "REGISTER":
		d.register(r)
	case "INVITE":
		d.invite(r)
	case "OPTIONS":
		d.legs.Reply(r, wire.Response{Code: 200, Headers: []wire.Header{
			{Name: "Accept", Value: leg.Accepted}, {Name: "Allow-Events", Value: subscribe.Events}}})
	case "SUBSCRIBE":
		if extension, ok := d.authorise(r); ok {
			d.lamps.Subscribe(extension, r)
		}
	case "NOTIFY", "PUBLISH":
		d.legs.Reply(r, wire.Response{Code: 489, Headers: []wire.Header{{Name: "Allow-Events", Value: subscribe.Events}}})
	case "BYE", "INFO", "UPDATE", "PRACK":
		d.legs.Reply(r, wire.Response{Code: 481})
	case "MESSAGE":
		d.legs.Reply(r, wire.Response{Code: 405})
	case "REFER": // whom it is about is known in a call alone
		d.legs.Reply(r, wire.Response{Code: 403})
	default:
		d.legs.Reply(r, wire.Response{Code: 501})
	}
}

// unsafe says that r asks for a safe way and came by none: nobody shall believe that it is (RFC 3261 26.4.4).
func unsafe(r *wire.Request) bool {
	return r.Flow.Network != "tls" && (r.URI.Scheme == "sips" ||
		slices.ContainsFunc(r.Contact, func(a header.Address) bool { return a.URI.Scheme == "sips" }))
}

// Cancelled handles a CANCEL.
func (d *desk) Cancelled(invite *wire.Request, why string) { d.legs.Cancelled(invite, why) }

// Broken ends the call, or the subscription, whose handling panicked.
func (d *desk) Broken(callID string) {
	d.legs.Broken(callID)
	d.lamps.Broken(callID)
}

// lost tells that the wire broke: it is called when nobody works on the desk any more.
func (d *desk) lost(err error, up func(hal.Signal)) {
	for _, s := range d.out.Take() {
		up(s)
	}
	d.legs.Drop(up)
	up(hal.OutOfService{Name: d.name, Why: err.Error()})
}
