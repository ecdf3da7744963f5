package boot

import (
	"context"
	"strconv"
	"strings"

	"branchline/hal"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/sip"
	"branchline/pbx/sip/subscribe"
	"branchline/pbx/view/lamps"
	"branchline/pbx/view/words"
)

// Names of what a lamp can be of besides extensions. An agent and a queue have a form without letters
// too, for keys that take digits alone: the sign-in code with the agent's number, and what the document
// says of the queue. The ready code alone is the subscriber's own state, those of do not disturb and of
// forwarding are what his phone was set to; the park code has a place behind it.
const (
	queueLamp   = "queue-"
	agentLamp   = "agent-"
	readyLamp   = "ready-"
	dndLamp     = "dnd-"
	forwardLamp = "forward-"
	parkLamp    = "park-"

	places = 99 // to park at
)

// lampNames are the names in doc and what they stand for.
func lampNames(doc *config.Doc) map[string]string {
	names := map[string]string{}
	for _, q := range doc.Queues {
		names[queueLamp+q.Name] = queueLamp + q.Name
		if q.Lamp != "" {
			names[q.Lamp] = queueLamp + q.Name
		}
	}
	for _, a := range doc.Agents {
		if byName := agentLamp + strings.ToLower(a.Name); names[byName] == "" {
			names[byName] = agentLamp + a.Number
		}
	}
	for _, a := range doc.Agents {
		names[agentLamp+a.Number] = agentLamp + a.Number
		names[doc.Codes.SignIn+a.Number] = agentLamp + a.Number
	}
	for _, e := range doc.Extensions {
		names[dndLamp+e.Number], names[forwardLamp+e.Number] = dndLamp+e.Number, forwardLamp+e.Number
	}
	for code, means := range map[string]string{doc.Codes.Ready: readyLamp, doc.Codes.DND: dndLamp, doc.Codes.ForwardAlways: forwardLamp} {
		if code != "" {
			names[code] = means
		}
	}
	for i := 1; i <= places && doc.Codes.Park != ""; i++ {
		names[doc.Codes.Park+strconv.Itoa(i)] = parkLamp + strconv.Itoa(i)
	}
	return names
}

// light keeps the lamps of the phones up to the timeline.
func (b *Box) light(ctx context.Context) error {
	fold := lamps.New()
	p := newPanel()
	return b.journal.Watch(ctx, fold, func() {
		doc := b.config.doc()
		out := p.unknown(doc)
		for _, l := range fold.Changes() {
			out = append(out, p.show(l, doc.Site.Language)...)
		}
		if len(out) > 0 {
			b.phones.Show(out)
		}
	})
}

// panel translates the fold's lamps into those of phones.
type panel struct {
	doc *config.Doc       // whose agents it knows
	at  map[string]string // the extension of each agent, "" where signed out
	set map[string]bool   // the extensions that were set at their phone
}

func newPanel() panel { return panel{at: map[string]string{}, set: map[string]bool{}} }

// unknown is how agents and forwarding are shown of which nothing has been heard yet.
func (p *panel) unknown(doc *config.Doc) (out []sip.Lamp) {
	if doc == p.doc {
		return nil
	}
	p.doc = doc
	for _, a := range doc.Agents {
		if _, known := p.at[a.Number]; !known {
			out = append(out, p.agent(lamps.Lamp{Name: a.Number, State: call.SignedOut}, doc.Site.Language)...)
		}
	}
	for _, e := range doc.Extensions {
		if !p.set[e.Number] {
			out = append(out, wishesOf(lamps.Lamp{Name: e.Number, Forward: e.Forward.Always}, doc.Site.Language)...)
		}
	}
	return out
}

func (p *panel) show(l lamps.Lamp, language string) []sip.Lamp {
	switch l.Kind {
	case lamps.Queue:
		return []sip.Lamp{queueOf(l, language)}
	case lamps.Agent:
		return p.agent(l, language)
	case lamps.Park:
		return []sip.Lamp{placeOf(l)}
	case lamps.Set:
		p.set[l.Name] = true
		return wishesOf(l, language)
	case lamps.Phone:
	}
	out := sip.Lamp{Name: l.Name, Up: l.Up && !l.DND && len(l.Talks) == 0}
	if l.DND {
		out.Note = words.DND(language)
	}
	for _, t := range l.Talks {
		out.Talks = append(out.Talks, sip.Talk{ID: string(t.Leg), Leg: t.Leg, Incoming: t.Incoming, Held: t.Held,
			Stage: subscribe.Stage(t.Stage), Other: t.Other, Name: t.Name})
	}
	return []sip.Lamp{out}
}

// queueOf is lit while somebody waits.
func queueOf(l lamps.Lamp, language string) sip.Lamp {
	out := sip.Lamp{Name: queueLamp + l.Name, Up: true}
	if l.Waiting > 0 {
		out.Note = words.Waiting(l.Waiting, language)
		out.Talks = []sip.Talk{{ID: out.Name, Incoming: true, Stage: subscribe.Confirmed, Name: out.Note}}
	}
	return out
}

// placeOf is lit while somebody is parked there.
func placeOf(l lamps.Lamp) sip.Lamp {
	out := sip.Lamp{Name: parkLamp + l.Name, Up: len(l.Talks) == 0}
	for _, t := range l.Talks {
		out.Talks = append(out.Talks, sip.Talk{ID: out.Name, Incoming: true, Stage: subscribe.Confirmed, Other: t.Other, Name: t.Name})
	}
	return out
}

// wishesOf are two lamps: one is lit while the extension wants no calls, one while it sends all of them away.
func wishesOf(l lamps.Lamp, language string) []sip.Lamp {
	dnd, forward := sip.Lamp{Name: dndLamp + l.Name, Up: true}, sip.Lamp{Name: forwardLamp + l.Name, Up: true}
	if l.DND {
		dnd.Note = words.DND(language)
		dnd.Talks = []sip.Talk{{ID: dnd.Name, Incoming: true, Stage: subscribe.Confirmed, Name: dnd.Note}}
	}
	if l.Forward != "" {
		forward.Note = words.ForwardsTo(l.Forward, language)
		forward.Talks = []sip.Talk{{ID: forward.Name, Incoming: true, Stage: subscribe.Confirmed, Other: hal.Number(l.Forward), Name: forward.Note}}
	}
	return []sip.Lamp{dnd, forward}
}

// agent is dark while he is ready, blinks while he is rung and is lit else. The lamp of his own phone
// is dark too where nobody is signed in.
func (p *panel) agent(l lamps.Lamp, language string) (out []sip.Lamp) {
	was := p.at[l.Name]
	p.at[l.Name] = l.Extension
	shown := sip.Lamp{Name: agentLamp + l.Name, Note: words.State(l.State, language), Up: l.State == call.Ready}
	talk := sip.Talk{ID: shown.Name, Incoming: true, Stage: subscribe.Confirmed, Name: shown.Note}
	switch l.State {
	case call.Ready:
	case call.Reserved, call.Ringing:
		talk.Stage = subscribe.Early
		fallthrough
	default:
		shown.Talks = []sip.Talk{talk}
	}
	out = append(out, shown)
	if was != "" && was != l.Extension && !p.taken(was) {
		out = append(out, sip.Lamp{Name: readyLamp + was})
	}
	if l.Extension != "" {
		shown.Name = readyLamp + l.Extension
		out = append(out, shown)
	}
	return out
}

func (p *panel) taken(extension string) bool {
	for _, at := range p.at {
		if at == extension {
			return true
		}
	}
	return false
}
