package hal

import "time"

// Order is what shall be done. The set is closed: each is plain data that prints and replays.
// Line orders go to the line that carries the leg; Join, Play, Stop, Record and PauseRecord go
// to the media worker.
type Order interface {
	Line() string // the line that the order is for; "" for orders about a bridge or a Ref
	On() LegID    // the leg that is meant; "" where none is
	order()
}

// Role is what a leg does in a bridge.
type Role uint8

const (
	Listen  Role = iota // hears, is not heard
	Talk                // hears and is heard
	Whisper             // hears, and is heard by one leg alone
)

func (r Role) String() string { return [...]string{"listen", "talk", "whisper"}[r] }

// Item is one thing to play: exactly one of File, Tone and Silence is set.
type Item struct {
	File    string        // a prompt's name without language or ending: "digits/1", "welcome"
	Tone    string        // a tone of the site's country: "ringback", "busy", "congestion", "dial", "beep", "music"
	For     time.Duration // how long a Tone sounds; 0: until stopped
	Silence time.Duration
}

type (
	// Dial opens Leg to To. It ends in Gone, or is Answered.
	Dial struct {
		Leg        LegID
		To         Number // an extension on an inside line, else the number in the form that the wire wants
		Show       Number // the caller's number to show, where the wire lets us
		Name       string // the caller's name to show
		Diverted   Number // who sent the call on to To: an extension, or on an outside line a number of ours; "" nobody
		Private    bool   // withhold our number
		AutoAnswer bool
		Alert      string // ring tone hint for desk phones
	}
	// Alert tells an incoming caller that it rings (SIP 180); Sound: with sound before the answer (183).
	Alert struct {
		Leg   LegID
		Sound bool
	}
	// Answer takes an incoming call. It ends in Answered or Gone. Of a leg that we dialled and that rings it
	// asks the phone to answer by itself (an Inside line may know how); it ends in Answered, or in Failed
	// where the phone will not.
	Answer struct{ Leg LegID }
	// Hangup ends the leg in any state. It ends in Gone. A Hangup for a leg that is gone is ignored.
	Hangup struct {
		Leg   LegID
		Cause Cause
	}
	// Digits sends keys to the party.
	Digits struct {
		Leg  LegID
		Ref  Ref
		Keys string
	}
	// Hold and Resume use the wire's own hold, where Traits.Hold. An Inside line asks the phone to hold, and
	// to talk on, as if its key were pressed: what it does then is Held and Resumed; Failed: it will not.
	Hold   struct{ Leg LegID }
	Resume struct{ Leg LegID }
	// Show tells the party of a leg who is at the other side now: after a transfer, a
	// pickup, a queue. The leg is answered or rings; nothing comes of it, Failed apart. The last Show counts.
	Show struct {
		Leg     LegID
		Number  Number // "": withheld
		Name    string
		Private bool // neither number nor name may be shown
	}
	// TransferStatus answers a Transfer: a SIP code, and whether it is the last word. 100 is said by the wire
	// itself. After a last word of 200 the leg that asked is ended by its party, or by our Hangup; after any
	// other it talks on. A Ref that is unknown or has had its last word is passed over.
	TransferStatus struct {
		Leg  LegID
		Ref  Ref
		Code int
		Done bool
	}

	// Join puts the leg into Bridge; Bridge "" takes it out. A leg is in one bridge at most: joining
	// another one leaves the first. To is whom a Whisper is for.
	Join struct {
		Leg    LegID
		Bridge BridgeID
		Role   Role
		To     LegID
	}
	// Play plays Items gaplessly to a leg (heard by nobody else) or into a bridge; it replaces what
	// played there. It ends in Played. Loop repeats; Under mixes it below the conversation.
	Play struct {
		Leg    LegID
		Bridge BridgeID
		Ref    Ref
		Items  []Item
		Loop   bool
		Under  bool
	}
	// Stop ends a Play, a Record or a Digits.
	Stop struct{ Ref Ref }
	// Record writes what the legs say into a stereo file under the recordings folder: Left and Right
	// are the legs heard in each channel. It ends in Recorded, by Stop or when its bridge is empty.
	Record struct {
		Bridge BridgeID
		Ref    Ref
		File   string // relative, slash-separated, without ending
		Left   []LegID
		Right  []LegID
	}
	// PauseRecord writes silence into a Record while Paused.
	PauseRecord struct {
		Ref    Ref
		Paused bool
	}

	// SendText sends an SMS over line Name. It ends in TextState.
	SendText struct {
		Name string
		Ref  Ref
		To   Number
		Body string
	}
	// TextStored says that a TextIn is safe: only now may the SIM's copy go.
	TextStored struct {
		Name string
		Ref  Ref
	}
	// SendUSSD begins or continues a USSD dialogue.
	SendUSSD struct {
		Name string
		Ref  Ref
		Text string
	}
)

func (o Dial) On() LegID           { return o.Leg }
func (o Alert) On() LegID          { return o.Leg }
func (o Answer) On() LegID         { return o.Leg }
func (o Hangup) On() LegID         { return o.Leg }
func (o Show) On() LegID           { return o.Leg }
func (o Digits) On() LegID         { return o.Leg }
func (o Hold) On() LegID           { return o.Leg }
func (o Resume) On() LegID         { return o.Leg }
func (o TransferStatus) On() LegID { return o.Leg }
func (o Join) On() LegID           { return o.Leg }
func (o Play) On() LegID           { return o.Leg }
func (o Stop) On() LegID           { return "" }
func (o Record) On() LegID         { return "" }
func (o PauseRecord) On() LegID    { return "" }
func (o SendText) On() LegID       { return "" }
func (o TextStored) On() LegID     { return "" }
func (o SendUSSD) On() LegID       { return "" }

func (o Dial) Line() string           { return o.Leg.Line() }
func (o Alert) Line() string          { return o.Leg.Line() }
func (o Answer) Line() string         { return o.Leg.Line() }
func (o Hangup) Line() string         { return o.Leg.Line() }
func (o Show) Line() string           { return o.Leg.Line() }
func (o Digits) Line() string         { return o.Leg.Line() }
func (o Hold) Line() string           { return o.Leg.Line() }
func (o Resume) Line() string         { return o.Leg.Line() }
func (o TransferStatus) Line() string { return o.Leg.Line() }
func (o Join) Line() string           { return o.Leg.Line() }
func (o Play) Line() string           { return o.Leg.Line() }
func (o Stop) Line() string           { return "" }
func (o Record) Line() string         { return "" }
func (o PauseRecord) Line() string    { return "" }
func (o SendText) Line() string       { return o.Name }
func (o TextStored) Line() string     { return o.Name }
func (o SendUSSD) Line() string       { return o.Name }

func (Dial) order()           {}
func (Alert) order()          {}
func (Answer) order()         {}
func (Hangup) order()         {}
func (Show) order()           {}
func (Digits) order()         {}
func (Hold) order()           {}
func (Resume) order()         {}
func (TransferStatus) order() {}
func (Join) order()           {}
func (Play) order()           {}
func (Stop) order()           {}
func (Record) order()         {}
func (PauseRecord) order()    {}
func (SendText) order()       {}
func (TextStored) order()     {}
func (SendUSSD) order()       {}
