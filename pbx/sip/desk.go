package sip

import (
	crand "crypto/rand"
	"log/slog"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/media"
	"branchline/pbx/sip/causes"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/outbox"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/wire"
)

// desk is what Phones owns while it runs. All of it belongs to the goroutine of the wire.
type desk struct {
	name  string
	boot  uint32
	log   *slog.Logger
	media *media.Worker
	audio *audio
	wire  *wire.Wire
	out   *outbox.Outbox

	accounts map[string]Account
	auth     registrar.Authority
	reg      *registrar.Registrar
	keeper   *registrar.Keeper
	refusals registrar.Refusals
	reached  map[string]int    // contacts of an extension, as last told
	watches  map[string]*watch // by the name of the binding
	pace     pace
	idle     time.Duration   // that a phone's connection may be
	owed     []*wire.Request // BYEs of before the restart, for phones whose connection that was the end of

	legs  map[hal.LegID]*leg
	calls map[string]*leg // by Call-ID; also of legs that are told Gone but whose dialog is not at rest
	count *uint64         // incoming legs since boot; Phones keeps it from one Run to the next
	ticks int
}

var _ wire.Handler = (*desk)(nil)

// Methods and bodies that we understand.
const (
	allow    = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, REGISTER"
	accepted = "application/sdp, application/dtmf-relay, application/dtmf"
	agent    = "Branchline"
)

func newDesk(p *Phones, w *wire.Wire) *desk {
	return &desk{name: p.o.Name, boot: p.o.Boot, log: p.lg, media: p.o.Media, audio: &p.audio, wire: w, out: outbox.New(),
		reg: &p.reg, keeper: registrar.NewKeeper(p.o.Bindings, p.lg), refusals: registrar.Refusals{Log: p.lg},
		reached: map[string]int{}, watches: map[string]*watch{}, pace: p.pace, legs: map[hal.LegID]*leg{}, calls: map[string]*leg{}, count: &p.legs}
}

// configure takes new settings; the contacts of extensions that are no more go.
func (d *desk) configure(s Settings) {
	before := d.accounts
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
		d.keeper.Note(d.reg.Restore(saved, time.Now()))
	}
	for b := range d.reg.All() {
		d.watches[b.Name()] = &watch{due: time.Now().Add(rand.N(d.pace.every / 3))}
	}
}

// open puts the wire at rest and goes into service.
func (d *desk) open(releases []string) {
	for _, r := range releases {
		bye, err := dialog.Bye(r)
		if err != nil {
			d.log.Warn("leg of before the restart not ended", "err", err)
			continue
		}
		if bye.Flow.Network == "tcp" {
			d.owed = append(d.owed, bye)
			continue
		}
		d.send(bye, func(*wire.Response) {})
	}
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
	d.changed(d.reg.Expire(now), "its sign-in ran out")
	d.out.Put(hal.Census{Name: d.name, Legs: slices.Sorted(maps.Keys(d.legs))})
	if d.ticks++; d.ticks%60 == 0 {
		d.refusals.Report()
	}
}

// changed saves what became of bindings, and tells whose number of contacts is another one now.
func (d *desk) changed(changes []registrar.Change, why string) {
	d.keeper.Note(changes)
	for _, c := range changes {
		d.watched(c)
		d.moved(c)
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

// send sends r under our name.
func (d *desk) send(r *wire.Request, on func(*wire.Response)) {
	r.Headers = append(r.Headers, wire.Header{Name: "User-Agent", Value: agent})
	if r.Method == "INVITE" || r.Method == "OPTIONS" {
		r.Headers = append(r.Headers, wire.Header{Name: "Allow", Value: allow})
	}
	answered := func(res *wire.Response) {
		if !res.Local {
			d.alive(r.Flow)
		}
		on(res)
	}
	if err := d.wire.Send(r, answered); err != nil {
		d.log.Warn("request not sent", "method", r.Method, "call", r.CallID, "err", err)
		on(&wire.Response{Code: 503, Reason: "not sent", Local: true})
	}
}

// Request handles a new request of a phone.
func (d *desk) Request(r *wire.Request) {
	if r.Method == "ACK" {
		if l := d.calls[r.CallID]; l != nil {
			l.ack(r)
		}
		return
	}
	if need := r.Header("Require"); need != "" {
		d.reply(r, wire.Response{Code: 420, Headers: []wire.Header{{Name: "Unsupported", Value: need}}})
		return
	}
	if r.InDialog() && r.Method != "REGISTER" {
		d.within(r)
		return
	}
	switch r.Method {
	case "REGISTER":
		d.register(r)
	case "INVITE":
		d.invite(r)
	case "OPTIONS":
		d.reply(r, wire.Response{Code: 200, Headers: []wire.Header{{Name: "Accept", Value: accepted}}})
	case "SUBSCRIBE", "NOTIFY", "PUBLISH":
		d.reply(r, wire.Response{Code: 489})
	case "BYE", "INFO", "UPDATE", "PRACK":
		d.reply(r, wire.Response{Code: 481})
	case "MESSAGE", "REFER":
		d.reply(r, wire.Response{Code: 405})
	default:
		d.reply(r, wire.Response{Code: 501})
	}
}

// reply answers r with what every response of ours says.
func (d *desk) reply(r *wire.Request, res wire.Response) {
	res.Headers = append(res.Headers, wire.Header{Name: "Allow", Value: allow}, wire.Header{Name: "Server", Value: agent})
	if err := r.Reply(res); err != nil {
		d.log.Warn("response not sent", "method", r.Method, "code", res.Code, "call", r.CallID, "err", err)
	}
}

// Cancelled handles a CANCEL. It ends a leg that rings; a re-INVITE is answered at once, so that
// there is nothing to take back.
func (d *desk) Cancelled(invite *wire.Request, why string) {
	l := d.calls[invite.CallID]
	if l == nil || l.invite != invite || l.over {
		return
	}
	d.reply(invite, wire.Response{Code: 487, Tag: l.tag})
	cause := hal.NoAnswer
	if causes.IsElsewhere(why) {
		cause = hal.Elsewhere
	}
	l.gone(cause, true, "SIP CANCEL")
	l.forget()
}

// Broken ends the call whose handling panicked.
func (d *desk) Broken(callID string) {
	l := d.calls[callID]
	if l == nil {
		return
	}
	delete(d.calls, callID)
	defer l.gone(hal.WireTrouble, false, "handling broke")
	l.release(hal.WireTrouble)
}

// farewell ends all calls on the wire, before we go.
func (d *desk) farewell() {
	for _, id := range slices.Sorted(maps.Keys(d.legs)) {
		if l := d.legs[id]; l != nil {
			l.release(hal.Restarted)
			l.closePort()
		}
	}
}

// lost tells that the wire broke: it is called when nobody works on the desk any more.
func (d *desk) lost(err error, up func(hal.Signal)) {
	for _, s := range d.out.Take() {
		up(s)
	}
	for _, id := range slices.Sorted(maps.Keys(d.legs)) {
		d.legs[id].closePort()
		up(hal.Gone{Leg: id, Cause: hal.WireTrouble, Wire: "socket lost"})
	}
	up(hal.OutOfService{Name: d.name, Why: err.Error()})
}

func newTag() string { return crand.Text()[:12] }
