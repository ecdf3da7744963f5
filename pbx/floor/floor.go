// Package floor decides: who rings, waits, is offered, comes back, may dial. It owns every call and
// every agent of the box.
//
// It is pure: a Floor is state plus Step(now, event) → facts, orders, tasks and the time when it
// wants to be asked again. Equal histories give equal output. Start at Step, which sorts events to
// their handlers: incoming.go (who calls), flow.go (IVR), queue.go (waiting and offers), connect.go
// (two parties talk), transfer.go, bykeys.go, pickup.go and park.go (others come to talk), door.go (door stations), forward.go (calls go on
// to elsewhere), desk.go (codes at a desk phone), agents.go (presence), leave.go (hang-up),
// deadlines.go and audit.go (nothing lasts for ever), clock.go (the clock of the box was set).
package floor

import (
	"fmt"
	"slices"
	"time"

	"branchline/hal"
	"branchline/pbx/acd"
	"branchline/pbx/call"
	"branchline/pbx/config"
	"branchline/pbx/number"
)

// Time limits of states that the configuration does not set.
const (
	reservedFor = 3 * time.Second   // a chosen phone must ring by then
	directRing  = 60 * time.Second  // extension to extension
	outsideRing = 120 * time.Second // a number outside; networks give up earlier
	outsideOpen = 20 * time.Second  // a line must have begun with it by then, else another one is tried
	leaveGrace  = 2 * time.Second   // a phone whose transfer is done must hang up by then, else we do
	hangupGrace = 5 * time.Second   // a line must say Gone by then
	keyPause    = 5 * time.Second   // after a key of a number that is typed at a desk phone
	firstKey    = 10 * time.Second
	pinCheck    = 3 * time.Second
	pinLock     = 5 * time.Minute
	wrongPINs   = 5 // in a row, then the agent number is locked
	maxSkips    = 8 // queues that are no more, one after the other in a flow
)

// Floor is the whole of the call centre's decisions. Make one by New; it belongs to one goroutine.
type Floor struct {
	doc   *config.Doc
	plan  number.Plan // how numbers are written at the site of doc
	state State
	acd   *acd.Matcher

	calls  []*contact // in order of their begin
	legs   map[hal.LegID]*leg
	agents []*agent // ordered by number
	phones map[string]*phone
	lines  map[string]*line
	inside string // the line on which our own phones are
	files  []file // recordings that are being finished after their call

	now      time.Time
	out      Output
	busy     *contact // whose turn it is in this Step, for Drop
	with     *contact // the other call that this Step changes
	nCalls   uint64
	nLegs    uint64
	nRefs    uint64
	deadline time.Time
}

// Output is what a Step has decided.
type Output struct {
	Facts  []call.Fact // first into the journal
	Orders []hal.Order // carried out after
	Tasks  []call.Task // run outside; each comes back as call.Done
	Wake   time.Time   // when Step wants a Tick at the latest; zero: never
}

// contact is one call as the floor sees it. Two of its legs talk, or one waits for another: caller is
// who waits or called, peer whom he talks with. A transfer changes who they are.
type contact struct {
	id        call.ID
	direction call.Direction
	caller    *leg
	others    []*leg // all the others, in order
	peer      *leg   // of others: who talks with the caller
	pending   *hal.Play
	play      hal.Ref // what the caller hears

	ivr    ivr
	visit  *visit
	desk   *desk
	next   outside
	record bool
	takes  int     // recordings that it has begun
	tape   hal.Ref // of the one that runs

	passed   []string  // extensions that were tried for whom the caller wants
	diverted string    // the last of them that sent him on
	until    time.Time // whom he wants must answer by then; zero: no limit of its own
	transfer *transfer
	parked   *parked
	queue    string // whose agent he has talked with

	connected bool
	ending    bool
	cause     hal.Cause
	by        call.Party
	actor     string // who ended it by a command
}

type legKind uint8

const (
	caller   legKind = iota
	offered          // dialled to an agent for a queue
	direct           // dialled to an extension
	abroad           // dialled to a number outside
	joined           // came in to take a place in this call
	together         // dialled to an extension along with others
)

// leg is one side of a contact.
type leg struct {
	id        hal.LegID
	of        *contact
	kind      legKind
	phone     *phone // nil: not one of ours
	number    hal.Number
	name      string
	shown     hal.Number // who it was told is at the other side
	served    string     // the queue whose contact its agent talks with
	born      time.Time
	opened    bool // the wire has begun with it
	answering bool // Answer is ordered
	answered  bool
	alerting  bool
	sounds    bool // before its answer
	held      bool
	leaving   bool // has handed its part on to another leg
	ending    bool // Hangup is ordered
	deadline  time.Time
	lost      int       // how many censuses in a row did not know it
	silent    bool      // no sound comes from it though it is due
	mute      time.Time // when it is ended for that; zero: not
	pressed   pressed
}

// phone is an extension: what can ring, and who sits there.
type phone struct {
	extension string
	contacts  int
	legs      []*leg
	agent     *agent // who is signed in here
}

type line struct {
	up      bool
	traits  hal.Traits
	dialled uint64 // the number of the last leg that was dialled on it
}

type file struct {
	ref  hal.Ref
	call call.ID
	name string
}

// New makes the floor of doc, as s left it. AfterRestart's facts must be folded into s before.
func New(doc *config.Doc, s State) *Floor {
	f := &Floor{
		doc: doc, plan: number.Of(doc), state: s.Clone(), acd: acd.New(doc),
		legs: map[hal.LegID]*leg{}, phones: map[string]*phone{}, lines: map[string]*line{}, inside: "phones",
	}
	f.state.Open = nil
	f.restoreAgents()
	return f
}

// State is a copy of what must survive the program.
func (f *Floor) State() State { return f.state.Clone() }

// Busy tells whether any call is up.
func (f *Floor) Busy() bool { return len(f.calls) > 0 }

// Step takes one event at now and decides. An error means that a person asked for what cannot be;
// nothing has changed then. Now never goes back but by call.ClockSet; the caller sees to
// that.
func (f *Floor) Step(now time.Time, ev call.Event) (Output, error) {
	f.now, f.out, f.busy, f.with = now, Output{}, nil, nil
	if err := f.take(ev); err != nil {
		return Output{}, err
	}
	return f.settle(), nil
}

// settle pairs who can be paired and does what is due, until neither is left, and gives what was decided.
func (f *Floor) settle() Output {
	f.match()
	for f.wake(); due(f.deadline, f.now); f.wake() {
		f.expire()
		f.match()
	}
	out := f.out
	out.Wake, f.out, f.busy = f.deadline, Output{}, nil
	return out
}

func (f *Floor) take(ev call.Event) error {
	switch e := ev.(type) {
	case call.Heard:
		f.hear(e.Signal)
	case call.Asked:
		return f.ask(e.Command)
	case call.Tick:
	case call.Configured:
		f.configure(e.Doc)
	case call.Done:
		f.done(e)
	case call.ClockSet:
		f.clockSet(e)
	default:
		panic(fmt.Sprintf("floor: event %T", ev))
	}
	return nil
}

func (f *Floor) hear(signal hal.Signal) {
	switch s := signal.(type) {
	case hal.Incoming:
		f.incoming(s)
		return
	case hal.InService:
		ln := f.line(s.Name)
		ln.up, ln.traits = true, s.Traits
		if s.Traits.Inside {
			f.inside = s.Name
		}
		f.fact(call.LineUp{Line: s.Name, Traits: s.Traits})
		return
	case hal.OutOfService:
		ln := f.line(s.Name)
		ln.up, ln.traits = false, hal.Traits{}
		f.fact(call.LineDown{Line: s.Name, Why: s.Why})
		return
	case hal.Reachable:
		f.reachable(s)
		return
	case hal.Guarded:
		f.fact(call.Guarded{Line: s.Name, Source: s.Source, Counts: s.Counts, For: s.For, ByHand: s.ByHand})
		return
	case hal.Census:
		f.audit(s)
		return
	case hal.Recorded:
		f.recorded(s)
		return
	case hal.Opened, hal.Progress, hal.Answered, hal.Held, hal.Resumed, hal.Flash, hal.Digit, hal.Transfer,
		hal.Played, hal.Quality, hal.Failed, hal.Gone:
	case hal.TextIn, hal.TextState, hal.USSDIn:
		return // messages have no owner here yet: an SMS stays on the SIM
	default:
		panic(fmt.Sprintf("floor: signal %T", signal))
	}
	if l := f.legs[signal.On()]; l != nil {
		f.hearLeg(l, signal)
	}
}

func (f *Floor) hearLeg(l *leg, signal hal.Signal) {
	f.busy = l.of
	switch s := signal.(type) {
	case hal.Opened:
		f.opened(l)
		f.fact(call.Opened{Call: l.of.id, Leg: l.id, Wire: s.Wire, Release: s.Release})
	case hal.Progress:
		f.progress(l, s)
	case hal.Answered:
		f.answered(l, s)
	case hal.Held:
		f.holds(l, true)
	case hal.Resumed:
		f.holds(l, false)
	case hal.Digit:
		f.key(l, s.Key, s.Passed)
	case hal.Transfer:
		f.transferAsked(l, s)
	case hal.Played:
		f.played(l, s.Ref)
	case hal.Failed:
		f.fact(call.Trouble{Call: l.of.id, Leg: l.id, What: s.Why})
		f.played(l, s.Ref)
	case hal.Gone:
		f.gone(l, s)
	case hal.Quality:
		f.quality(l, s)
	case hal.Flash:
		f.flash(l)
	}
}

func (f *Floor) ask(command call.Command) error {
	switch c := command.(type) {
	case call.SignOut:
		return f.askSignOut(c)
	case call.SetReady:
		return f.askReady(c)
	case call.SetNotReady:
		return f.askNotReady(c)
	case call.EndCall:
		i := slices.IndexFunc(f.calls, func(o *contact) bool { return o.id == c.Call })
		if i < 0 {
			return fmt.Errorf("no call %s is up; `branchline calls` lists those that are", c.Call)
		}
		f.calls[i].actor = c.Actor
		f.end(f.calls[i], hal.Normal, call.BySystem)
		return nil
	case call.EndAll:
		for _, o := range slices.Clone(f.calls) {
			o.actor = c.Actor
			f.end(o, hal.Restarted, call.BySystem)
		}
		return nil
	default:
		panic(fmt.Sprintf("floor: command %T", command))
	}
}

// fact states x on the timeline and folds it into the state that survives.
func (f *Floor) fact(x call.Fact) {
	f.out.Facts = append(f.out.Facts, x)
	f.state.Fold(f.now, x)
}

func (f *Floor) order(o hal.Order) { f.out.Orders = append(f.out.Orders, o) }

func (f *Floor) ref(what string) hal.Ref {
	f.nRefs++
	return hal.Ref(fmt.Sprintf("%s-%d", what, f.nRefs))
}

func (f *Floor) phone(extension string) *phone {
	p := f.phones[extension]
	if p == nil {
		p = &phone{extension: extension}
		f.phones[extension] = p
	}
	return p
}

func (f *Floor) line(name string) *line {
	l := f.lines[name]
	if l == nil {
		l = &line{}
		f.lines[name] = l
	}
	return l
}

func (f *Floor) queue(name string) *config.Queue {
	for i := range f.doc.Queues {
		if f.doc.Queues[i].Name == name {
			return &f.doc.Queues[i]
		}
	}
	return nil
}

func (f *Floor) extension(number string) *config.Extension {
	for i := range f.doc.Extensions {
		if f.doc.Extensions[i].Number == number {
			return &f.doc.Extensions[i]
		}
	}
	return nil
}

// Secret tells whether keys pressed on leg now go into a secret field: whoever feeds the floor
// keeps them and hands it call.HiddenKey instead.
func (f *Floor) Secret(id hal.LegID) bool {
	l := f.legs[id]
	return l != nil && l == l.of.caller && l.of.desk != nil && l.of.desk.stage == askPIN
}
