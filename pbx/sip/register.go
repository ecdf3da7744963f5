package sip

import (
	"time"

	"branchline/pbx/sip/guard"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/wire"
)

// authorise says which extension stands behind r. Where none does, r is answered, and nothing of
// it is kept: floods of strangers cost no memory. It says the same of an unknown user and of a
// wrong password.
func (d *desk) authorise(r *wire.Request) (extension string, ok bool) {
	now := time.Now()
	source := r.Flow.Remote.Addr().String()
	if !d.admitsAnybody(r.Flow.Remote.Addr()) {
		d.door.Note(r.Flow.Remote, guard.Outside)
		d.legs.Reply(r, wire.Response{Code: 403})
		return "", false
	}
	user, v := d.auth.Check(r.Method, r.URI, r.Lines("Authorization"), r.From.URI.User, source, now)
	if v == registrar.Right && !d.admits(user, r.Flow.Remote.Addr()) {
		v = registrar.Wrong // who is far away learns nothing of extensions that may not sign in there
	}
	switch v {
	case registrar.Right:
		r.Welcome(d.idle)
		d.door.Welcome(r.Flow.Remote, now.Add(provedGrace))
		d.alive(r.Flow)
		return user, true
	case registrar.Wrong:
		d.refusals.Note(user, source)
		d.door.Note(r.Flow.Remote, guard.Wrong)
		d.legs.Reply(r, wire.Response{Code: 403})
	default:
		d.legs.Reply(r, wire.Response{Code: 401, Headers: d.auth.Challenge(r.From.URI.User, source, r.Header("User-Agent"), v == registrar.Stale, now)})
	}
	return "", false
}

// register signs a phone in or out.
func (d *desk) register(r *wire.Request) {
	extension, ok := d.authorise(r)
	if !ok {
		return
	}
	r.Remember()                    // a repeated REGISTER would look like a replay
	if r.To.URI.User != extension { // somebody else's contacts
		d.refusals.Note(r.To.URI.User, r.Flow.Remote.Addr().String())
		d.legs.Reply(r, wire.Response{Code: 403})
		return
	}
	res, changes := d.reg.Register(extension, r, d.clock.now())
	d.changed(changes, "the phone signed in or out")
	d.legs.Reply(r, res)
	if res.Code == 200 {
		d.legs.Back(r.Flow)
	}
}
