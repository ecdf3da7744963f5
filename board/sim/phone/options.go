package phone

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"time"
)

// Options say who the phone is and how it behaves. Server or Listen must be set, the rest may be zero.
type Options struct {
	Server netip.AddrPort // the box; zero: no registration, calls go straight to sip: URIs
	Listen netip.AddrPort // own address; port 0: any; zero: the address that reaches Server

	Transport string // to the box: "udp", or "tcp" or "tls" on a connection that the phone opens; "": udp
	// Roots are those whose certificates it trusts, by TLS.
	Roots *x509.CertPool

	User     string // the extension; "": any user is meant
	Password string
	Name     string // shown to others

	Codecs []string // "PCMU", "PCMA" in order of liking; nil: both
	Auto   Auto     // what it does with an incoming call; zero: it rings
	Lines  int      // calls at a time; one more is busy; 0: no limit
	Tone   float64  // Hz that it says in a call; 0: silence

	Expires   time.Duration // of the registration; 0: one hour; below 0: it does not register
	Retry     time.Duration // until a failed registration is tried again; 0: 5 s
	Algorithm string        // of the digest: "MD5" or "SHA-256" is preferred; "": what the box names first
	T1        time.Duration // base of all timers of RFC 3261; 0: 500 ms

	NoACK    bool    // fault: never acknowledges a 2xx
	LoseRTP  float64 // fault: this share (0 to 1) of its sound packets is lost
	Log      *slog.Logger
	OnEvent  func(Event) // told of everything, in order, one at a time; it may call the phone and its calls
	ringTime time.Duration
	goodbye  time.Duration // for BYE and un-REGISTER when the phone is switched off
}

// Auto is what a phone does with an incoming call. The zero value lets it ring.
type Auto struct {
	after  time.Duration
	code   int // refuse with it
	answer bool
}

// LetRing rings until somebody decides.
func LetRing() Auto { return Auto{} }

// AnswerAfter rings for d and answers.
func AnswerAfter(d time.Duration) Auto { return Auto{after: d, answer: true} }

// Busy refuses at once with 486.
func Busy() Auto { return Auto{code: 486} }

// Reject refuses at once with code: 603 stops hunting, 480 is "do not disturb".
func Reject(code int) Auto { return Auto{code: code} }

// Decline rings for d, then somebody presses the red key: 480.
func Decline(d time.Duration) Auto { return Auto{after: d, code: 480} }

// filled is o with its defaults, or what is wrong with it.
func (o Options) filled() (Options, error) {
	if !o.Server.IsValid() && !o.Listen.IsValid() {
		return o, errors.New("phone: neither server nor own address given")
	}
	connects := o.Transport == "tcp" || o.Transport == "tls"
	if !connects && o.Transport != "" && o.Transport != "udp" || connects && !o.Server.IsValid() {
		return o, fmt.Errorf("phone: transport %q; it is udp, or tcp or tls to a server", o.Transport)
	}
	if o.Codecs == nil {
		o.Codecs = []string{"PCMU", "PCMA"}
	}
	for _, c := range o.Codecs {
		if c != "PCMU" && c != "PCMA" {
			return o, fmt.Errorf("phone: codec %q; it knows PCMU and PCMA", c)
		}
	}
	if !slices.Contains([]string{"", "MD5", "SHA-256"}, o.Algorithm) {
		return o, fmt.Errorf("phone: digest algorithm %q; it knows MD5 and SHA-256", o.Algorithm)
	}
	if o.Auto.code != 0 && (o.Auto.code < 400 || o.Auto.code > 699) {
		return o, fmt.Errorf("phone: refuse calls with %d; it must be 400 to 699", o.Auto.code)
	}
	if o.Expires == 0 {
		o.Expires = time.Hour
	}
	if o.Retry == 0 {
		o.Retry = 5 * time.Second
	}
	if o.T1 <= 0 {
		o.T1 = 500 * time.Millisecond
	}
	if o.ringTime == 0 {
		o.ringTime = 3 * time.Minute
	}
	if o.goodbye == 0 {
		o.goodbye = time.Second
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o, nil
}
