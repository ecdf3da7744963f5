package main

import (
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"time"

	"branchline/board/sim/phone"
)

// settings is the command line, read.
type settings struct {
	options phone.Options
	dial    string
	keys    string
	talk    time.Duration // hang up after; 0: not by itself
	once    bool
	quiet   bool
}

const help = `phone is a SIP desk phone for the terminal.

Usage: phone -server HOST:PORT -user NUMBER -password SECRET [flags]

Examples:
  phone -server 127.0.0.1:5060 -user 201 -password s3cret
        signs in and rings when called; type "answer", "hangup", "dial 202", "help"
  phone -server 127.0.0.1:5060 -user 201 -password s3cret -auto answer:2s -tone 440
        answers every call after two seconds and says a tone of 440 Hz
  phone -server 127.0.0.1:5060 -user 201 -password s3cret -dial '*22' -keys ',,1001#,1234#' -once
        calls a code, waits two seconds, presses keys (a comma waits a second), ends with the call
  phone -listen 127.0.0.1:5070 -user 201 -dial sip:202@127.0.0.1:5072
        calls another phone directly, without any box

Commands on standard input:
` + commands + `
Exit codes: 0 well, 1 the network broke, 2 wrong usage, 3 not signed in, 4 the call was not answered.

Flags:
`

// parse reads the command line. flag.ErrHelp: help was asked for and given.
func parse(args []string, stderr io.Writer) (settings, error) {
	var s settings
	o := &s.options
	var server, listen, codecs, auto, trusted string
	var verbose bool
	f := flag.NewFlagSet("phone", flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, help)
		f.PrintDefaults()
	}
	f.StringVar(&server, "server", "", "the box, `HOST:PORT`")
	f.StringVar(&listen, "listen", "", "own address, `ADDRESS:PORT`; port 0: any")
	f.StringVar(&o.Transport, "transport", "udp", "to the box: udp, tcp or tls")
	f.StringVar(&trusted, "ca", "", "`FILE` of the box's authority, for tls: branchline certificate -pem")
	f.StringVar(&o.User, "user", "", "the extension, `NUMBER`")
	f.StringVar(&o.Password, "password", "", "its `SECRET`")
	f.StringVar(&o.Name, "name", "", "`NAME` to show to others")
	f.StringVar(&codecs, "codecs", "PCMU,PCMA", "in order of liking")
	f.StringVar(&auto, "auto", "ring", "what to do with calls: `MODE` is ring, answer[:2s], busy, reject[:603], decline[:5s]")
	f.IntVar(&o.Lines, "lines", 0, "calls at a time, one more is busy; 0: no limit")
	f.Float64Var(&o.Tone, "tone", 0, "say a tone of so many `HZ` in calls")
	f.DurationVar(&o.Expires, "expires", time.Hour, "of the registration")
	f.StringVar(&o.Algorithm, "algorithm", "", "digest that is preferred: MD5 or SHA-256")
	f.StringVar(&s.dial, "dial", "", "call `NUMBER` as soon as signed in")
	f.StringVar(&s.keys, "keys", "", "press `KEYS` when -dial is answered; a comma waits a second")
	f.DurationVar(&s.talk, "for", 0, "hang up this long after the answer")
	f.BoolVar(&s.once, "once", false, "end when the first call is over")
	f.BoolVar(&s.quiet, "quiet", false, "tell nothing but errors")
	f.BoolVar(&verbose, "v", false, "log what goes wrong on the wire")
	if err := f.Parse(args); err != nil {
		return s, err
	}
	if f.NArg() > 0 {
		return s, fmt.Errorf("what is %q? see phone -h", f.Arg(0))
	}
	o.Codecs = strings.Split(strings.ToUpper(codecs), ",")
	if verbose {
		o.Log = slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	var bad [4]error
	o.Server, bad[0] = address("server", server)
	o.Listen, bad[1] = address("listen", listen)
	o.Auto, bad[2] = parseAuto(auto)
	o.Roots, bad[3] = roots(trusted)
	return s, errors.Join(bad[:]...)
}

// roots reads who is trusted; nil: whom this machine trusts.
func roots(file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("-ca %s: there is no certificate in it", file)
	}
	return pool, nil
}

// address also takes a name and looks it up.
func address(name, text string) (netip.AddrPort, error) {
	if text == "" {
		return netip.AddrPort{}, nil
	}
	at, err := net.ResolveUDPAddr("udp", text)
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("-%s %s: %w", name, text, err)
	}
	a := at.AddrPort()
	return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()), nil
}

func parseAuto(text string) (phone.Auto, error) {
	mode, more, _ := strings.Cut(text, ":")
	after, code := time.Duration(0), 603
	var err error
	switch {
	case more == "":
	case mode == "reject":
		code, err = strconv.Atoi(more)
	default:
		after, err = time.ParseDuration(more)
	}
	switch {
	case err != nil || after < 0:
	case mode == "ring" && more == "":
		return phone.LetRing(), nil
	case mode == "busy" && more == "":
		return phone.Busy(), nil
	case mode == "answer":
		return phone.AnswerAfter(after), nil
	case mode == "decline":
		return phone.Decline(after), nil
	case mode == "reject":
		return phone.Reject(code), nil
	}
	return phone.Auto{}, fmt.Errorf("-auto %s: it is ring, answer[:2s], busy, reject[:603] or decline[:5s]", text)
}
