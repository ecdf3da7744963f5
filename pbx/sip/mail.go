package sip

import (
	crand "crypto/rand"

	"branchline/pbx/sip/header"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/subscribe"
	"branchline/pbx/sip/wire"
)

// mailOf tells the phone of b unasked how many messages wait for its extension, where the account wants it
// and that is news for this phone: once when it signs in, and with each change. That is no standard's, but
// the habit of phones that do not subscribe to it (RFC 3842 is by subscription).
func (d *desk) mailOf(b registrar.Binding) {
	mail := d.lamps.Mail(b.Extension)
	if told, known := d.mailed[b.Name()]; !d.accounts[b.Extension].Mail || known && told == mail {
		return
	}
	target, err := header.ParseURI(b.Contact)
	if err != nil {
		return
	}
	d.mailed[b.Name()] = mail
	d.legs.Send(&wire.Request{Method: "NOTIFY", URI: target, Flow: b.Flow(), CallID: crand.Text()[:12], CSeq: 1,
		From:    header.MakeAddress("", header.MakeURI(b.Extension, b.Local), crand.Text()[:12]),
		To:      header.MakeAddress("", header.MakeURI(b.Extension, b.Local), ""),
		Contact: []header.Address{b.Flow().Contact()},
		Headers: []wire.Header{{Name: "Event", Value: "message-summary"}, {Name: "Subscription-State", Value: "active"}},
		Type:    "application/simple-message-summary", Body: subscribe.Summary(b.Extension, mail, b.Local)},
		func(*wire.Response) {}) // a phone that does not want to know says so, and may
}

// show has lamps shown, and tells of messages.
func (d *desk) show(lamps []Lamp) {
	d.lamps.Show(lamps)
	for _, l := range lamps {
		if !d.accounts[l.Name].Mail {
			continue
		}
		for _, b := range d.reg.Contacts(l.Name) {
			d.mailOf(b)
		}
	}
}
