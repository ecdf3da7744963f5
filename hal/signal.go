package hal

import "time"

// Signal is what a wire says. The set is closed: each is plain data that prints and replays.
type Signal interface {
	Line() string // the name of the line that says it
	On() LegID    // the leg that is meant; "" where none is
	signal()
}

type (
	// Incoming opens a leg: somebody calls. It is told once per call however often it rings.
	Incoming struct {
		Leg      LegID
		From     Number // as the wire says it; "" withheld
		To       Number // the number dialled, where the wire says it
		Endpoint string // the extension that the wire authenticated; "" for a stranger, never derived from From
		Name     string // display name, as said
		Diverted Number // who diverted the call to us
		Replaces LegID  // the leg, of this line and alive when it was told, that this one takes the place of (SIP Replaces); the line does not end it
		Wire     string // the wire's own id: SIP Call-ID, CLCC index
		Release  string // as in Answered, where the line knows it already; a later one takes its place
	}
	// Opened says that our Dial is on the wire. Of an incoming leg it tells, once at most, the wire's own
	// id that was not known yet at Incoming.
	Opened struct {
		Leg     LegID
		Wire    string
		Release string // as in Incoming: ends the ringing too
	}
	// Progress says that the far end is being called.
	Progress struct {
		Leg      LegID
		Alerting bool   // it rings there
		Sound    bool   // there is sound before the answer: Audio may be fetched
		Release  string // as in Opened
	}
	// Answered says that the leg talks; of an incoming leg: that our Answer is carried out.
	Answered struct {
		Leg     LegID
		Contact string // which phone of several answered
		Release string // what the line needs to end this leg after a crash of the box; opaque, one line of text
	}
	// Held and Resumed say what the party did with its end.
	Held    struct{ Leg LegID }
	Resumed struct{ Leg LegID }
	// Flash is a hook flash.
	Flash struct{ Leg LegID }
	// Digit is one key: 0-9 * # A-D. It is told once, when it ends; For is how long it was pressed.
	Digit struct {
		Leg    LegID
		Key    byte
		For    time.Duration
		Passed bool // the other leg of its bridge has been sent it already
	}
	// Transfer asks to connect the other side of the leg's call to To (SIP REFER, CHLD=4). What comes of it is
	// told by TransferStatus with the same Ref. Replaces, where there is one, is another leg of the same
	// party: the call is to be connected with the other side of that leg's call, whatever To says.
	Transfer struct {
		Leg      LegID
		Ref      Ref
		To       Number
		Replaces LegID
	}
	// Played closes a Play; Cut when it was stopped, replaced, or its leg went.
	Played struct {
		Leg LegID
		Ref Ref
		Cut bool
	}
	// Recorded closes a Record: the file is complete and safe, or Err says what is wrong.
	Recorded struct {
		Ref  Ref
		File string
		For  time.Duration
		Err  string
	}
	// Quality is what media thinks of a leg's sound.
	Quality struct {
		Leg     LegID
		Problem string // "one-way", "silent", "choppy", "clipped"; "" all well again
	}
	// Failed says that an order was not done; the leg lives. A Dial or Answer that fails is Gone instead.
	Failed struct {
		Leg LegID
		Ref Ref
		Why string
	}
	// Gone closes a leg; nothing follows on it.
	Gone struct {
		Leg   LegID
		Cause Cause
		Far   bool   // the far side ended it, not we
		Wire  string // the wire's own words: "SIP 486", "Q.850 17", "NO CARRIER"
	}
	// InService and OutOfService say that the line can or cannot carry calls. On change only.
	InService struct {
		Name   string
		Traits Traits
	}
	OutOfService struct {
		Name string
		Why  string // in plain words
	}
	// Reachable says how many contacts an extension has now. On change only; 0: its phone is away.
	Reachable struct {
		Name     string
		Endpoint string
		Contacts int
		Why      string
	}
	// Census lists, every second, the legs that the wire itself knows: the auditor compares.
	Census struct {
		Name string
		Legs []LegID
	}
	// Guarded tells what a line has kept away of one source since it was told last, a minute or more, and
	// whether it keeps the source away from now on: an address, a network, or "" for many together.
	Guarded struct {
		Name   string
		Source string
		Counts map[string]int // by cause: flood, scan, rubbish, wrong, outside, crowd, knocks
		For    time.Duration  // that it is kept away from now on; 0: it is not
		ByHand bool           // a person keeps it away
	}
	// TextIn is an SMS that came; it stays on the SIM until TextStored.
	TextIn struct {
		Name string
		Ref  Ref
		From Number
		Body string
		At   time.Time
	}
	// TextState says what became of a SendText: "sent", "delivered", "failed".
	TextState struct {
		Name  string
		Ref   Ref
		State string
		Why   string
	}
	// USSDIn is an answer of the network; More: it waits for a reply.
	USSDIn struct {
		Name string
		Ref  Ref
		Text string
		More bool
	}
)

func (s Incoming) On() LegID     { return s.Leg }
func (s Opened) On() LegID       { return s.Leg }
func (s Progress) On() LegID     { return s.Leg }
func (s Answered) On() LegID     { return s.Leg }
func (s Held) On() LegID         { return s.Leg }
func (s Resumed) On() LegID      { return s.Leg }
func (s Flash) On() LegID        { return s.Leg }
func (s Digit) On() LegID        { return s.Leg }
func (s Transfer) On() LegID     { return s.Leg }
func (s Played) On() LegID       { return s.Leg }
func (s Recorded) On() LegID     { return "" }
func (s Quality) On() LegID      { return s.Leg }
func (s Failed) On() LegID       { return s.Leg }
func (s Gone) On() LegID         { return s.Leg }
func (s InService) On() LegID    { return "" }
func (s OutOfService) On() LegID { return "" }
func (s Reachable) On() LegID    { return "" }
func (s Census) On() LegID       { return "" }
func (s Guarded) On() LegID      { return "" }
func (s TextIn) On() LegID       { return "" }
func (s TextState) On() LegID    { return "" }
func (s USSDIn) On() LegID       { return "" }

func (s Incoming) Line() string     { return s.Leg.Line() }
func (s Opened) Line() string       { return s.Leg.Line() }
func (s Progress) Line() string     { return s.Leg.Line() }
func (s Answered) Line() string     { return s.Leg.Line() }
func (s Held) Line() string         { return s.Leg.Line() }
func (s Resumed) Line() string      { return s.Leg.Line() }
func (s Flash) Line() string        { return s.Leg.Line() }
func (s Digit) Line() string        { return s.Leg.Line() }
func (s Transfer) Line() string     { return s.Leg.Line() }
func (s Played) Line() string       { return s.Leg.Line() }
func (s Recorded) Line() string     { return "" }
func (s Quality) Line() string      { return s.Leg.Line() }
func (s Failed) Line() string       { return s.Leg.Line() }
func (s Gone) Line() string         { return s.Leg.Line() }
func (s InService) Line() string    { return s.Name }
func (s OutOfService) Line() string { return s.Name }
func (s Reachable) Line() string    { return s.Name }
func (s Census) Line() string       { return s.Name }
func (s Guarded) Line() string      { return s.Name }
func (s TextIn) Line() string       { return s.Name }
func (s TextState) Line() string    { return s.Name }
func (s USSDIn) Line() string       { return s.Name }

func (Incoming) signal()     {}
func (Opened) signal()       {}
func (Progress) signal()     {}
func (Answered) signal()     {}
func (Held) signal()         {}
func (Resumed) signal()      {}
func (Flash) signal()        {}
func (Digit) signal()        {}
func (Transfer) signal()     {}
func (Played) signal()       {}
func (Recorded) signal()     {}
func (Quality) signal()      {}
func (Failed) signal()       {}
func (Gone) signal()         {}
func (InService) signal()    {}
func (OutOfService) signal() {}
func (Reachable) signal()    {}
func (Census) signal()       {}
func (Guarded) signal()      {}
func (TextIn) signal()       {}
func (TextState) signal()    {}
func (USSDIn) signal()       {}
