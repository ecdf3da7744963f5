package subscribe

import (
	"slices"
	"strings"
	"time"

	"branchline/pbx/sip/header"
	"branchline/pbx/sip/wire"
)

// event is what kind of news a subscription is for.
type event uint8

const (
	noEvent event = iota
	dialogEvent
	summaryEvent
	presenceEvent
)

// eventOf reads an Event header; id is its parameter (RFC 6665 4.5.2), "" mostly.
func eventOf(header string) (e event, id string) {
	name, params, _ := strings.Cut(header, ";")
	return eventNamed(name), idOf(params)
}

func eventNamed(name string) event {
	switch strings.ToLower(strings.TrimSpace(name)) {
	case "dialog":
		return dialogEvent
	case "message-summary":
		return summaryEvent
	case "presence":
		return presenceEvent
	}
	return noEvent
}

func (e event) name() string {
	return [...]string{"", "dialog", "message-summary", "presence"}[e]
}

// maxMisses is how many NOTIFYs a phone may leave unanswered, each after half a minute.
const maxMisses = 2

// subscription is one wish of one phone, with what of its dialog (RFC 6665 4.4.1) it needs. There are
// thousands: text that came with the SUBSCRIBE is copied, for it would hold the whole message.
type subscription struct {
	watched
	server *Server
	asked  string // the resource as the phone named it
	peer   string // the subscriber's extension

	tag, callID   string // tag: ours
	local, remote string // From and To of what we send
	target        string
	id            string // of the Event header: RFC 6665 4.5.2; "" mostly
	routes        []string
	flow          wire.Flow
	adrift        bool // the flow is no more
	remoteSeq     uint32
	seq           uint32 // CSeq of our last request
	version       uint32 // of the next document
	told          Lamp   // what the phone was told last
	sure          bool   // it said that it heard it

	expires time.Time
	queued  bool // among the server's news
	busy    bool // a NOTIFY is on its way
	stale   bool // there is news that was not sent
	over    bool
	last    string // why it is over, to be told when what is on its way has been answered
	misses  uint8
}

func newSubscription(s *Server, peer, asked string, w watched, r *wire.Request) *subscription {
	w.resource = strings.Clone(w.resource)
	sub := &subscription{watched: w, server: s, asked: asked, peer: peer, tag: newTag(),
		callID: strings.Clone(r.CallID), remote: strings.Clone(r.From.Text), flow: r.Flow, remoteSeq: r.CSeq}
	sub.local = r.To.Text + ";tag=" + sub.tag
	if len(r.Contact) == 1 {
		sub.target = strings.Clone(r.Contact[0].URI.Text)
	}
	for _, route := range r.Route {
		sub.routes = append(sub.routes, strings.Clone(route))
	}
	_, id := eventOf(r.Header("Event"))
	sub.id = strings.Clone(id)
	return sub
}

func idOf(params string) string {
	if id, ok := header.Param(params, "id"); ok && header.IsToken(id) {
		return id
	}
	return ""
}

func (sub *subscription) from() string { return sub.flow.Remote.Addr().String() }

func (sub *subscription) phone() phone { return phone{sub.peer, sub.from()} }

func (sub *subscription) theirTag() string {
	a, _ := header.ParseAddress(sub.remote)
	return a.Tag()
}

// move takes another way to the phone.
func (sub *subscription) move(flow wire.Flow) {
	s := sub.server
	known := s.subs[sub.tag] == sub
	if known {
		s.count(sub, -1)
	}
	sub.sure = sub.sure && sub.flow == flow
	sub.flow, sub.adrift = flow, false
	if known {
		s.count(sub, 1)
	}
}

// renew answers a SUBSCRIBE that is taken, and tells the whole state at once (RFC 6665 4.2.1.2). A life of 0
// ends the subscription: that is its last word.
func (sub *subscription) renew(r *wire.Request, life time.Duration) {
	s := sub.server
	sub.expires = time.Now().Add(life)
	s.Legs.Reply(r, wire.Response{Code: 200, Tag: sub.tag, Contact: []header.Address{sub.flow.Contact()},
		Headers: []wire.Header{{Name: "Expires", Value: seconds(life)}}})
	if life == 0 {
		sub.end("timeout")
		return
	}
	if sub.busy {
		sub.stale = true
		return
	}
	sub.send("")
}

// changed says that there is news: it is told with what else comes in the Pause.
func (sub *subscription) changed() {
	sub.stale = true
	if sub.queued || sub.busy || sub.adrift {
		return
	}
	sub.queued = true
	sub.server.news = append(sub.server.news, sub)
	sub.server.arm()
}

// knows says that l is what the phone was told last: what came has gone again.
func (sub *subscription) knows(l Lamp) bool {
	return sub.sure && l.Mail == sub.told.Mail && sameTalks(l, sub.told)
}

// end tells the phone that it is over, why, and forgets the subscription.
func (sub *subscription) end(why string) {
	if sub.over {
		return
	}
	sub.server.forget(sub)
	switch {
	case sub.adrift:
	case sub.busy:
		sub.last = why
	default:
		sub.send(why)
	}
}

// send sends a NOTIFY; why, unless "", says that it is the last one.
func (sub *subscription) send(why string) {
	state := "active;expires=" + seconds(max(time.Until(sub.expires), 0))
	if why != "" {
		state = "terminated;reason=" + why
	}
	sub.busy, sub.stale, sub.sure = true, false, false
	sub.server.Legs.Send(sub.notify(state), func(res *wire.Response) {
		if res.Code >= 200 {
			sub.answered(res)
		}
	})
}

// answered takes what a phone says to a NOTIFY. One that does not know it, or says nothing twice, hears no
// more (RFC 6665 4.2.2).
func (sub *subscription) answered(res *wire.Response) {
	sub.busy = false
	switch {
	case sub.over && sub.last != "" && res.Code < 300:
		why := sub.last
		sub.last = ""
		sub.send(why)
	case sub.over:
	case res.Code < 300:
		sub.misses, sub.sure = 0, true
		if sub.stale {
			sub.changed()
		}
	case res.Local && res.Code != 408: // its connection is no more
		sub.adrift = true
	case res.Local:
		if sub.misses++; sub.misses >= maxMisses {
			sub.server.forget(sub)
			return
		}
		sub.changed()
	default:
		sub.server.forget(sub)
	}
}

func (sub *subscription) notify(state string) *wire.Request {
	name := sub.event.name()
	if sub.id != "" {
		name += ";id=" + sub.id
	}
	sub.seq++
	r := &wire.Request{Method: "NOTIFY", URI: header.URI{Text: sub.target}, Flow: sub.flow, Route: slices.Clone(sub.routes),
		From: header.Address{Text: sub.local}, To: header.Address{Text: sub.remote}, CallID: sub.callID, CSeq: sub.seq,
		Contact: []header.Address{sub.flow.Contact()},
		Headers: []wire.Header{{Name: "Event", Value: name}, {Name: "Subscription-State", Value: state}}}
	r.Type, r.Body = sub.body()
	return r
}

func (sub *subscription) body() (kind string, body []byte) {
	s, at := sub.server, sub.flow.Local
	l := s.lamps[sub.resource]
	sub.told = l
	l.Name = sub.asked
	switch sub.event {
	case dialogEvent:
		sub.version++
		return "application/dialog-info+xml", dialogs(l, at, sub.version-1, s.Legs.Identity)
	case summaryEvent:
		return "application/simple-message-summary", Summary(sub.peer, l.Mail, at)
	case presenceEvent:
		return "application/pidf+xml", pidf(l, at)
	case noEvent:
	}
	panic("subscribe: a subscription to nothing")
}
