package sip

import (
	"net/netip"
	"strings"

	"branchline/hal"
	"branchline/pbx/sip/dialog"
	"branchline/pbx/sip/header"
	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/wire"
)

// dial calls all contacts of an extension.
func (d *desk) dial(o hal.Dial) {
	extension := string(o.To)
	if _, known := d.accounts[extension]; !known {
		d.legs.Fail(o.Leg, hal.Unallocated, "no such extension")
		return
	}
	contacts := d.reg.Reachable(extension)
	if len(contacts) == 0 {
		why := "not signed in"
		if len(d.reg.Contacts(extension)) > 0 {
			why = "signed in, but silent"
		}
		d.legs.Fail(o.Leg, hal.Unreachable, why)
		return
	}
	var ways []leg.Way
	for _, b := range contacts {
		if target, err := header.ParseURI(b.Contact); err == nil {
			ways = append(ways, way(o, b, target))
		}
	}
	if len(ways) == 0 {
		d.legs.Fail(o.Leg, hal.Unreachable, "contact cannot be called")
		return
	}
	d.legs.Dial(o.Leg, d.terms(extension), ways)
}

// way is how one contact is called.
func way(o hal.Dial, b registrar.Binding, target header.URI) leg.Way {
	from := header.MakeURI(string(o.Show), b.Local)
	name := header.Plain(o.Name)
	if o.Private || o.Show == "" {
		from, _ = header.ParseURI("sip:anonymous@anonymous.invalid") // RFC 3323 4.1.1.3
		if o.Private {
			name = "Anonymous"
		}
	}
	return leg.Way{Name: b.Contact, Flow: b.Flow(), URI: target,
		From:    header.MakeAddress(name, from, ""),
		To:      header.MakeAddress("", header.MakeURI(b.Extension, b.Local), ""),
		Headers: ringing(o, b.Local.Addr())}
}

// ringing is how the phone shall ring, or that it shall answer by itself.
func ringing(o hal.Dial, ip netip.Addr) []wire.Header {
	if o.AutoAnswer { // phones know one or the other
		return []wire.Header{
			{Name: "Call-Info", Value: "<sip:" + ip.String() + ">;answer-after=0"},
			{Name: "Alert-Info", Value: "<http://" + ip.String() + ">;info=alert-autoanswer"}}
	}
	if o.Alert != "" && !strings.ContainsAny(o.Alert, "<>\"; \r\n") {
		return []wire.Header{{Name: "Alert-Info", Value: "<http://" + ip.String() + ">;info=" + o.Alert}}
	}
	return nil
}

// terms are what calls with an extension are made with.
func (d *desk) terms(extension string) leg.Terms {
	return leg.Terms{Peer: extension, Sound: dialog.Sound{Security: d.accounts[extension].Security}}
}

// invite handles a call from a phone.
func (d *desk) invite(r *wire.Request) {
	extension, ok := d.authorise(r)
	if !ok {
		return
	}
	name := header.Plain(r.From.Name)
	if name == "" {
		name = d.accounts[extension].Name
	}
	d.legs.Ring(r, d.terms(extension),
		hal.Incoming{From: hal.Number(extension), To: hal.Number(r.URI.User), Endpoint: extension, Name: name})
}
