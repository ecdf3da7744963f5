// Package subscribe tells phones what their lamps shall show: who rings or talks (RFC 4235), whether
// messages wait (RFC 3842), who can be reached (RFC 3856). It is the notifier of RFC 6665.
//
// It promises: the whole state comes first and again with each change, never a difference; a burst of
// changes is joined, each subscription hears at most every Pause and has one NOTIFY on its way; a
// subscription is spoken to on the way on which its phone is; whoever does not answer is forgotten;
// what is kept is bounded, for a phone and for all. It decides nothing: what is shown comes by Show, who
// asks has been authorised before.
//
// It belongs to the goroutine of the wire. Start reading at Server, then subscription.
package subscribe

import (
	"crypto/rand"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/pbx/sip/leg"
	"branchline/pbx/sip/wire"
)

const (
	// Pause is for how long news is gathered before it is told: a ringing phone is three facts, and two
	// phones that hang up are four. It is also the shortest time between two such NOTIFYs of a subscription.
	Pause = 100 * time.Millisecond

	minExpires = time.Minute
	// maxExpires is shorter than the hour that phones ask for: a box that lost its power has forgotten all
	// subscriptions, and a phone by UDP notices when it renews its own.
	maxExpires = 10 * time.Minute

	maxOfPhone     = 200     // subscriptions of one extension from one address
	maxOfExtension = 1000    // from all its addresses: nobody takes the room of all
	maxInAll       = 1 << 14 // about 1 kB each

	// Events are what can be subscribed to, for an Allow-Events header.
	Events = "dialog, message-summary, presence"
)

// Options are what a Server stands on.
type Options struct {
	Log    *slog.Logger
	Wire   *wire.Wire
	Legs   *leg.Table // sends for us, and knows the names of dialogs
	Proves func(peer string, r *wire.Request) bool
}

// Server is all subscriptions. NewServer makes it.
type Server struct {
	Options
	subs   map[string]*subscription // by our tag
	of     map[watched][]*subscription
	phones map[phone]int   // how many each has; with from "" an extension
	news   []*subscription // that have something to tell
	armed  bool            // a timer will tell it
	lamps  map[string]Lamp
	names  map[string]string
	known  func(extension string) bool
}

// watched is what a subscription is for.
type watched struct {
	event    event
	resource string
}

// phone is a subscriber, for counting.
type phone struct{ extension, from string }

// NewServer makes a server that shows nothing yet and has nobody to tell.
func NewServer(o Options) *Server {
	return &Server{Options: o, subs: map[string]*subscription{}, of: map[watched][]*subscription{},
		phones: map[phone]int{}, lamps: map[string]Lamp{}, known: func(string) bool { return false }}
}

// Len is how many subscriptions there are.
func (s *Server) Len() int { return len(s.subs) }

// Configure says which resources there are: extensions that known knows, and names, by what they stand
// for. A name whose meaning ends in "-" is of the subscriber's own: his extension is put behind it. The
// subscriptions to what is no more, and of whom is no more, end.
func (s *Server) Configure(known func(extension string) bool, names map[string]string) {
	s.known, s.names = known, names
	for _, sub := range s.subs {
		switch resource, ok := s.resource(sub.asked, sub.peer); {
		case !known(sub.peer):
			sub.end("rejected")
		case !ok || resource != sub.resource:
			sub.end("noresource")
		}
	}
}

// resource is what an asked name stands for, to a peer.
func (s *Server) resource(asked, peer string) (string, bool) {
	if s.known(asked) {
		return asked, true
	}
	means, ok := s.names[asked]
	if strings.HasSuffix(means, "-") {
		means += peer
	}
	return means, ok
}

// Mail is how many messages wait for an extension, as shown last.
func (s *Server) Mail(extension string) Mail { return s.lamps[extension].Mail }

// Show takes what lamps shall show from now on; those that are not in it stay.
func (s *Server) Show(lamps []Lamp) {
	for _, l := range lamps {
		was := s.lamps[l.Name]
		s.lamps[l.Name] = l
		if !sameTalks(was, l) {
			s.changed(watched{dialogEvent, l.Name})
			s.changed(watched{presenceEvent, l.Name})
		}
		if was.Mail != l.Mail {
			s.changed(watched{summaryEvent, l.Name})
		}
	}
}

func (s *Server) changed(w watched) {
	for _, sub := range slices.Backward(s.of[w]) { // the list may lose the one at hand
		sub.changed()
	}
}

// arm sees to it that news is told.
func (s *Server) arm() {
	if s.armed || len(s.news) == 0 {
		return
	}
	s.armed = true
	s.Wire.After(Pause, "", func() {
		s.armed = false
		s.tell()
	})
}

// tell tells all news. A panic in it costs the subscription that is meant.
func (s *Server) tell() {
	var sub *subscription
	defer func() {
		if v := recover(); v != nil {
			s.forget(sub)
			s.arm()
			panic(v) // the wire logs it
		}
	}()
	for len(s.news) > 0 {
		sub, s.news = s.news[0], s.news[1:]
		sub.queued = false
		if sub.stale && !sub.busy && !sub.over && !sub.adrift && !sub.knows(s.lamps[sub.resource]) {
			sub.send("")
		}
	}
	s.news = nil
}

// Subscribe handles a SUBSCRIBE outside of a dialog of extension, who has proved to be it.
func (s *Server) Subscribe(extension string, r *wire.Request) {
	r.Remember()
	var w watched
	w.event, _ = eventOf(r.Header("Event"))
	asked := r.URI.User
	var ok bool
	w.resource, ok = s.resource(asked, extension)
	life, refused := lifetime(r.Header("Expires"))
	switch {
	case w.event == noEvent:
		refused = wire.Response{Code: 489, Headers: []wire.Header{{Name: "Allow-Events", Value: Events}}}
	case !ok:
		refused = wire.Response{Code: 404}
	case w.event == summaryEvent && w.resource != extension: // somebody else's messages
		refused = wire.Response{Code: 403}
	case len(r.Contact) != 1:
		refused = wire.Response{Code: 400, Reason: "Bad Request: a SUBSCRIBE has one Contact"}
	}
	if refused.Code != 0 {
		s.Legs.Reply(r, refused)
		return
	}
	sub := newSubscription(s, extension, strings.Clone(asked), w, r)
	s.replace(sub)
	if life > 0 && !s.room(sub) {
		s.Log.Warn("phone watches too much", "extension", extension, "phone", s.phones[sub.phone()], "all", len(s.subs))
		s.Legs.Reply(r, wire.Response{Code: 503, Headers: []wire.Header{{Name: "Retry-After", Value: "60"}}})
		return
	}
	if life > 0 {
		s.add(sub)
		s.Log.Debug("phone watches", "extension", extension, "event", w.event.name(), "resource", asked)
	}
	sub.renew(r, life)
}

// Within handles a SUBSCRIBE in a dialog. false: it is in none of ours.
func (s *Server) Within(r *wire.Request) bool {
	sub := s.subs[r.To.Tag()]
	if sub == nil || sub.callID != r.CallID || sub.theirTag() != r.From.Tag() {
		return false
	}
	if r.Flow != sub.flow && !s.Proves(sub.peer, r) {
		return true
	}
	r.Remember()
	if r.CSeq <= sub.remoteSeq {
		s.Legs.Reply(r, wire.Response{Code: 500, Reason: "CSeq Out Of Order"}) // RFC 3261 12.2.2
		return true
	}
	sub.remoteSeq = r.CSeq
	life, refused := lifetime(r.Header("Expires"))
	if e, _ := eventOf(r.Header("Event")); e != sub.event {
		refused = wire.Response{Code: 489, Headers: []wire.Header{{Name: "Allow-Events", Value: Events}}}
	}
	if refused.Code != 0 {
		s.Legs.Reply(r, refused)
		return true
	}
	sub.move(r.Flow)
	if len(r.Contact) == 1 {
		sub.target = strings.Clone(r.Contact[0].URI.Text)
	}
	sub.renew(r, life)
	return true
}

// lifetime is how long a subscription is asked for and gets; a response with a code refuses it.
func lifetime(expires string) (time.Duration, wire.Response) {
	n, err := strconv.ParseUint(expires, 10, 32)
	if err != nil {
		return maxExpires, wire.Response{}
	}
	life := time.Duration(n) * time.Second
	if life > 0 && life < minExpires {
		return 0, wire.Response{Code: 423, Headers: []wire.Header{{Name: "Min-Expires", Value: seconds(minExpires)}}}
	}
	return min(life, maxExpires), wire.Response{}
}

func seconds(d time.Duration) string { return strconv.Itoa(int((d + time.Second - 1) / time.Second)) }

// replace forgets the subscription of before a phone's restart, which it has forgotten itself.
func (s *Server) replace(sub *subscription) {
	for _, old := range s.of[sub.watched] {
		if old.peer == sub.peer && (old.flow == sub.flow || old.adrift && old.from() == sub.from()) {
			s.forget(old)
			return
		}
	}
}

func (s *Server) room(sub *subscription) bool {
	return len(s.subs) < maxInAll && s.phones[sub.phone()] < maxOfPhone && s.phones[phone{sub.peer, ""}] < maxOfExtension
}

// count adds n to what the phone of sub, and its extension, have.
func (s *Server) count(sub *subscription, n int) {
	for _, p := range [...]phone{sub.phone(), {sub.peer, ""}} {
		if s.phones[p] += n; s.phones[p] <= 0 {
			delete(s.phones, p)
		}
	}
}

func (s *Server) add(sub *subscription) {
	s.subs[sub.tag] = sub
	s.of[sub.watched] = append(s.of[sub.watched], sub)
	s.count(sub, 1)
}

// forget tells nobody.
func (s *Server) forget(sub *subscription) {
	sub.over = true
	if s.subs[sub.tag] != sub {
		return
	}
	delete(s.subs, sub.tag)
	list := s.of[sub.watched]
	if i := slices.Index(list, sub); i >= 0 {
		last := len(list) - 1
		list[i], list[last] = list[last], nil
		list = list[:last]
	}
	if s.of[sub.watched] = list; len(list) == 0 {
		delete(s.of, sub.watched)
	}
	s.count(sub, -1)
}

// Expire ends what has ended by now.
func (s *Server) Expire(now time.Time) {
	for _, sub := range s.subs {
		if !sub.expires.After(now) {
			sub.end("timeout")
		}
	}
}

// Broken forgets the subscriptions of a Call-ID whose handling panicked.
func (s *Server) Broken(callID string) {
	for _, sub := range s.subs {
		if sub.callID == callID {
			s.forget(sub)
		}
	}
}

// Lost says that flow, a connection, is no more. Its subscriptions wait for the phone to come back.
func (s *Server) Lost(flow wire.Flow) {
	for _, sub := range s.subs {
		if sub.flow == flow {
			sub.adrift = true
		}
	}
}

// Moved says that a phone of extension, which was at was (the zero Flow: not known), has signed in at now.
func (s *Server) Moved(extension string, was, now wire.Flow) {
	for _, sub := range s.subs {
		back := sub.adrift && sub.flow.Network == now.Network && sub.from() == now.Remote.Addr().String()
		if sub.peer == extension && (sub.flow == was || back) && sub.flow != now {
			sub.move(now)
			sub.changed()
		}
	}
}

// Farewell tells all phones that their subscriptions are over, before we go: they ask anew soon. There is no
// time to wait for what is on its way.
func (s *Server) Farewell() {
	for _, sub := range s.subs {
		s.forget(sub)
		if !sub.adrift {
			sub.send("probation;retry-after=10")
		}
	}
}

func newTag() string { return rand.Text()[:12] }
