// Package config is the one document that says how the box behaves: Doc, how it is read (Load),
// judged (Validate, or Check for both with lines), compared (Diff) and written (Marshal). A document
// is replaced whole, never changed in place.
//
// It promises that no text, however hostile, takes long or panics; that every problem is named at
// once, with its path and what to do about it; that no problem and no change shows a secret; and that
// a document of any earlier version is read for ever. It looks at nothing but the document.
//
// Start at Doc; testdata/v1.yaml is a whole one with comments.
package config

import (
	"net/netip"
	"time"
)

// Doc is the whole configuration of a box. Load fills defaults, so that readers never guess.
type Doc struct {
	Version    int         `yaml:"version"` // of the format: 1
	Site       Site        `yaml:"site"`
	Numbers    Numbers     `yaml:"numbers"`
	Network    Network     `yaml:"network"`
	Lines      []Line      `yaml:"lines"`
	Extensions []Extension `yaml:"extensions"`
	Agents     []Agent     `yaml:"agents"`
	Queues     []Queue     `yaml:"queues"`
	Flows      []Flow      `yaml:"flows"`
	Classes    []Class     `yaml:"classes"`
	Outbound   []Route     `yaml:"outbound"`
	Calls      Calls       `yaml:"calls"`
	Codes      Codes       `yaml:"codes"`
	Storage    Storage     `yaml:"storage"`
}

// Site is the place where the box stands.
type Site struct {
	Name     string `yaml:"name"`
	Timezone string `yaml:"timezone"` // IANA name; default UTC. Whoever applies the Doc loads it
	Country  string `yaml:"country"`  // ISO 3166 two letters: tones and cadences; default US
	Language string `yaml:"language"` // that the box speaks: LanguageEnglish, the default, or LanguageChinese
}

// Network holds addresses and ports. Changes of it take effect when the box restarts.
type Network struct {
	SIP  SIP  `yaml:"sip"`
	RTP  RTP  `yaml:"rtp"`
	Page Page `yaml:"page"`
}

// SIP is where desk phones reach the box: real addresses, not wildcards.
type SIP struct {
	Listen []netip.AddrPort `yaml:"listen"` // default 127.0.0.1:5060; UDP
	TCP    bool             `yaml:"tcp"`    // the same addresses and ports by TCP too; default true
	TLS    bool             `yaml:"tls"`    // the same addresses by TLS too, under a certificate of the box's own; default false
	// TLSPort is the port of TLS; default 5061.
	TLSPort uint16 `yaml:"tls_port"`
	Realm   string `yaml:"realm"` // default branchline
	Trace   int    `yaml:"trace"` // MiB of messages that are kept in memory; default 8
	Guard   Guard  `yaml:"guard"`
}

// Guard is who is kept away from the SIP door. Changes of it take effect at once.
type Guard struct {
	LANOnly  bool           `yaml:"lan_only"` // phones sign in from the house's own networks alone; default true
	Networks []netip.Prefix `yaml:"networks"` // that are the house's own beside those the box is attached to
	Trusted  []netip.Prefix `yaml:"trusted"`  // never limited and never kept away
	Limits   bool           `yaml:"limits"`   // bound what a source may send; default true
	Bans     bool           `yaml:"bans"`     // keep away who fails again and again; default true
	Scanners bool           `yaml:"scanners"` // give known attack tools no answer; default true
}

// RTP is the range of UDP ports for sound, both included. Default 10000-10999.
type RTP struct {
	First uint16 `yaml:"first"`
	Last  uint16 `yaml:"last"`
}

// Page is where a browser finds the page. It must be an address that only this machine reaches,
// because the box does not yet know who may see what.
type Page struct {
	Listen netip.AddrPort `yaml:"listen"` // default 127.0.0.1:8088
}

// Line is one outside line: which slot of the board or which provider, and where its callers go.
type Line struct {
	Name     string `yaml:"name"`
	Kind     string `yaml:"kind"`     // KindSIM, the default, or KindTrunk
	Slot     string `yaml:"slot"`     // of the board: slot1, slot2 …; of a SIM
	Number   string `yaml:"number"`   // its own number, E.164; "" where nobody knows it
	PIN      string `yaml:"pin"`      // of the SIM; tried once; "" where it asks for none
	Flow     string `yaml:"flow"`     // where its callers go
	Channels int    `yaml:"channels"` // calls at a time, both ways together; 0: as many as the line can
	Form     string `yaml:"form"`     // of numbers that it is given: FormDialled, the default, FormE164, FormNational
	Show     string `yaml:"show"`     // the number shown to whom it calls; "": Number
	Trunk    *Trunk `yaml:"trunk"`    // of KindTrunk
}

// Trunk is how a provider, or another telephone system, is reached by SIP.
type Trunk struct {
	Servers   []string       `yaml:"servers"`    // "host" (asked of DNS: SRV, then addresses) or "host:port", tried in order
	Transport string         `yaml:"transport"`  // TransportUDP, the default, TransportTCP or TransportTLS
	CA        string         `yaml:"ca"`         // by TLS: certificates (PEM) of whom alone we trust; "": those that the system trusts
	Proxy     string         `yaml:"proxy"`      // through which everything goes, as in Servers; "": none
	Register  bool           `yaml:"register"`   // sign in at the server; default true. false: a peer that knows our address
	User      string         `yaml:"user"`       // of our address there
	AuthUser  string         `yaml:"auth_user"`  // that goes with the password; "": User
	Password  string         `yaml:"password"`   // "": none is asked for
	Domain    string         `yaml:"domain"`     // of our address there; "": the host of the first server
	Expires   time.Duration  `yaml:"expires"`    // of a sign-in, 1m to 24h; default 10m
	KeepAlive string         `yaml:"keep_alive"` // KeepAliveOptions, the default, or KeepAliveCRLF
	Listen    netip.AddrPort `yaml:"listen"`     // our end; none: whichever address leads there, any port
	Public    string         `yaml:"public"`     // the address by which the world knows us; "": learned from the server
	Codecs    []string       `yaml:"codecs"`     // in order of liking; none: those of the box
	SRTP      string         `yaml:"srtp"`       // SRTPOff, the default, SRTPOffer or SRTPRequire
	Trusted   bool           `yaml:"trusted"`    // callers' numbers are believed and shown beside From: P-Asserted-Identity, Diversion
	Identity  string         `yaml:"identity"`   // where our caller's number goes: IdentityFrom, the default, IdentityPAI, IdentityRPID
	Called    string         `yaml:"called"`     // where the number stands that was dialled: CalledURI, the default, or CalledTo
}

// Extension is an internal number with a desk phone that signs in by Password.
type Extension struct {
	Number   string `yaml:"number"`
	Name     string `yaml:"name"`
	Password string `yaml:"password"`
	Record   bool   `yaml:"record"` // record its direct calls
	SRTP     string `yaml:"srtp"`   // SRTPOff, the default, SRTPOffer or SRTPRequire

	Remote   bool           `yaml:"remote"`   // its phone may sign in from anywhere
	Networks []netip.Prefix `yaml:"networks"` // or from these networks, beside the house's own

	Class   string  `yaml:"class"`   // what it may dial; "": DefaultClass
	Group   string  `yaml:"group"`   // who may pick up its calls: those of the same group; "" is one too
	Forward Forward `yaml:"forward"` // until a code at the phone says otherwise

	Kind   string   `yaml:"kind"`   // KindDesk, the default, KindDoor or KindAdapter
	Target []string `yaml:"target"` // of a door: who rings, whatever it dials: extensions, all at once, or one queue
	Open   string   `yaml:"open"`   // of a door: the keys that open it, pressed by whoever talks with it; "" none
	Fax    bool     `yaml:"fax"`    // of an adapter: a fax machine; its calls are not recorded and no key means anything

	MessageLamp bool `yaml:"message_lamp"` // its phones are told unasked how many messages wait
}

// Agent is a person who takes contacts, at whatever phone he signs in.
type Agent struct {
	Number string `yaml:"number"`
	Name   string `yaml:"name"`
	PIN    string `yaml:"pin"`
}

// Queue is a place where contacts wait for agents.
type Queue struct {
	Name        string        `yaml:"name"`
	Agents      []string      `yaml:"agents"`       // agent numbers
	Strategy    string        `yaml:"strategy"`     // LongestIdle, the default
	RingTimeout time.Duration `yaml:"ring_timeout"` // of one offer, 3s to 5m; default 15s
	WrapUp      time.Duration `yaml:"wrap_up"`      // after a contact; 0 none, default 10s
	MaxWait     time.Duration `yaml:"max_wait"`     // 0: without end; then the flow goes on
	Music       []string      `yaml:"music"`        // prompts played round; empty: the built-in tune
	Record      bool          `yaml:"record"`
	Lamp        string        `yaml:"lamp"` // digits by which a phone's lamp key names it, besides queue-NAME; "" none
}

// Flow is an IVR flow: steps run from the first on; each goes to Then, or to the one below it. At
// the end of the last step the call is hung up.
type Flow struct {
	Name  string `yaml:"name"`
	Steps []Step `yaml:"steps"`
}

// Step is one step of a flow: exactly one of Play, Menu, Queue and Hangup is set.
type Step struct {
	Name   string   `yaml:"name"`
	Play   []string `yaml:"play"` // prompts
	Menu   *Menu    `yaml:"menu"`
	Queue  string   `yaml:"queue"` // goes on when max_wait has passed
	Hangup bool     `yaml:"hangup"`
	Then   string   `yaml:"then"` // a step's name; not with Menu and Hangup
}

// Menu plays Prompt and takes one key, also while it plays.
type Menu struct {
	Prompt    []string          `yaml:"prompt"`
	Keys      map[string]string `yaml:"keys"`      // key → step
	Wait      time.Duration     `yaml:"wait"`      // for a key after the prompt; default 5s
	Tries     int               `yaml:"tries"`     // default 3
	Invalid   []string          `yaml:"invalid"`   // played after a key that is not in Keys
	Otherwise string            `yaml:"otherwise"` // step after the last try; "": the one below
}

// Route sends numbers that a desk phone dials to outside lines, the first that matches.
type Route struct {
	Prefix string   `yaml:"prefix"` // what the dialled number begins with
	Strip  int      `yaml:"strip"`  // how many of its leading characters are not sent
	Add    string   `yaml:"add"`    // what is put in front instead
	Lines  []string `yaml:"lines"`  // tried in order
	Pick   string   `yaml:"pick"`   // which line first: PickInOrder, the default, PickLeastUsed, PickRoundRobin
	Show   string   `yaml:"show"`   // the number shown to whom it calls; "": the line's
}

// Codes are what a person dials at a desk phone. An empty one, but for the first two, is off.
type Codes struct {
	SignIn string `yaml:"sign_in"` // signs in, or out who is in; default *22
	Ready  string `yaml:"ready"`   // ready, or not ready who is ready; default *23

	Pickup string `yaml:"pickup"` // takes a call that rings in the group, or at the extension behind it; default *8
	Park   string `yaml:"park"`   // and a place from 1 to 99: parks what is transferred there, or takes it back; default *6
	DND    string `yaml:"dnd"`    // do not disturb, or no more; default *78

	// Calls go to the number behind the code; with none they go there no more.
	ForwardAlways      string `yaml:"forward_always"`      // default *72
	ForwardBusy        string `yaml:"forward_busy"`        // default *90
	ForwardNoAnswer    string `yaml:"forward_no_answer"`   // default *92
	ForwardUnreachable string `yaml:"forward_unreachable"` // default *94

	// Pressed in a call, with a number behind: for phones that have no key of their own for it.
	Transfer string `yaml:"transfer"` // the other party is called on to there; default ##
	Consult  string `yaml:"consult"`  // the other party waits meanwhile; again: back to it; default *2
}

// Storage is how long the box keeps what it wrote. What is older goes within the hour.
type Storage struct {
	FactsDays      int `yaml:"facts_days"`      // of the timeline; default 400
	RecordsDays    int `yaml:"records_days"`    // call records and the agents' log; default 1100
	RecordingsDays int `yaml:"recordings_days"` // default 180
	RecordingsGB   int `yaml:"recordings_gb"`   // the oldest go when all together are more; 0: as the disk allows
}
