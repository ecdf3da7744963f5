package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"time"

	"branchline/ui/api"
)

// traceFlags are those of "branchline trace".
type traceFlags struct {
	only, call, pcap, last  string
	media                   time.Duration
	whole, messages, asJSON bool
}

func traceCommand() command {
	return command{
		name: "trace", args: "[CALL] [-only WORD] [-pcap FILE [-last TIME|DURATION]] [-media DURATION] [-data DIR]",
		brief: "why a call failed: the SIP messages, as they go, as a ladder, for Wireshark",
		about: `Without CALL it shows each message as it comes and goes; -only picks those of an extension, a number, a
Call-ID or a call. With CALL, an id or its last four letters, it draws who said what to whom; a ~ behind the
time marks what was sent before. The newest messages are kept in memory (network.sip.trace), and none over
a restart. A call on a SIM has SIP at its phones alone.

-pcap writes what is kept, of CALL or all, as a capture file; FILE "-" is standard output. -media keeps the sound
of the SIP phones that are in CALL now, for so long, 2m at most, and then writes the file with it. Ctrl-C ends
it earlier. Sound and file can hold what people say and key: treat them so.

Answers to passwords, keys of encrypted sound and pressed keys are x; -whole leaves them in.`,
		examples: []string{
			"trace", "trace -only 201", "trace 000G", "trace 000G -messages", "trace -pcap box.pcap -last 10m",
			"trace 000G -media 30s -pcap call.pcap",
		},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			var f traceFlags
			flags.StringVar(&f.only, "only", "", "follow only what has to do with `WORD`")
			flags.StringVar(&f.call, "call", "", "the same as CALL: an `ID` or its end")
			flags.StringVar(&f.pcap, "pcap", "", "write a capture file to `FILE`")
			flags.StringVar(&f.last, "last", "", "of the capture file: only what came after `TIME`, or so long ago")
			flags.DurationVar(&f.media, "media", 0, "keep sound for that `LONG`, such as 30s")
			flags.BoolVar(&f.whole, "whole", false, "leave in what could be misused")
			flags.BoolVar(&f.messages, "messages", false, "print each message of the ladder whole")
			flags.BoolVar(&f.asJSON, "json", false, "print JSON")
			return func(ctx context.Context, args []string) error { return s.trace(ctx, f, args) }
		},
	}
}

func (s *session) trace(ctx context.Context, f traceFlags, args []string) error {
	if len(args) > 0 && f.call == "" {
		f.call, args = args[0], args[1:]
	}
	switch {
	case len(args) > 0:
		return noMore("trace", args)
	case f.call != "" && f.only != "":
		return misused("trace", "trace: give CALL or -only, not both")
	case f.call != "" && len(f.call) < 4:
		return misused("trace", "trace: %q is too short for a call; give its last four letters at least", f.call)
	case f.last != "" && f.pcap == "":
		return misused("trace", "trace: -last goes with -pcap")
	case f.media != 0 && (f.call == "" || f.pcap == ""):
		return misused("trace", "trace: -media needs CALL and -pcap FILE")
	case f.media != 0 && (f.media < time.Second || f.media > 2*time.Minute):
		return misused("trace", "trace: -media lasts 1s to 2m")
	}
	if f.media != 0 {
		if err := s.captureMedia(ctx, f); err != nil {
			return err
		}
	}
	switch {
	case f.pcap != "":
		return s.writePcap(context.WithoutCancel(ctx), f)
	case f.call != "":
		return s.showLadder(ctx, f)
	}
	return s.followTrace(ctx, f)
}

func (f traceFlags) query() url.Values {
	q := url.Values{}
	if f.whole {
		q.Set("whole", "true")
	}
	return q
}

// captureMedia lets the box keep sound and waits until that is over, or Ctrl-C.
func (s *session) captureMedia(ctx context.Context, f traceFlags) error {
	var c api.Capturing
	q := url.Values{"seconds": {strconv.Itoa(int(f.media / time.Second))}}
	if err := s.box().post(ctx, "trace/calls/"+url.PathEscape(f.call)+"/media", q, nil, &c); err != nil {
		return err
	}
	fmt.Fprintf(s.Stderr, "The sound of call %[2]s is kept for %[3]s (legs with RTP: %[1]d); Ctrl-C ends it.\n", c.Legs, c.Call, f.media)
	over := time.NewTimer(c.Until.Sub(s.Now()))
	defer over.Stop()
	select {
	case <-over.C:
	case <-ctx.Done():
	}
	return nil
}

func (s *session) writePcap(ctx context.Context, f traceFlags) error {
	q := f.query()
	if f.call != "" {
		q.Set("call", f.call)
	}
	if f.last != "" {
		at, err := parseSince(f.last, s.Now(), time.UTC)
		if err != nil {
			return misused("trace", "trace: %v", err)
		}
		q.Set("since", at.UTC().Format(time.RFC3339Nano))
	}
	ctx, cancel := context.WithTimeout(ctx, answerPatience)
	defer cancel()
	answer, err := s.box().send(ctx, http.MethodGet, "trace/pcap", q, "", nil)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if f.pcap == "-" {
		_, err = io.Copy(s.Stdout, answer.Body)
		return err
	}
	file, err := os.OpenFile(f.pcap, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600) // it holds what people say
	if err != nil {
		return err
	}
	n, err := io.Copy(file, answer.Body)
	if e := file.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", f.pcap, err)
	}
	_, err = fmt.Fprintf(s.Stdout, "%s: %d bytes; open it with Wireshark.\n", f.pcap, n)
	return err
}

func (s *session) showLadder(ctx context.Context, f traceFlags) error {
	var l api.Ladder
	b := s.box()
	if err := b.get(ctx, "trace/calls/"+url.PathEscape(f.call), f.query(), &l); err != nil {
		return err
	}
	if f.asJSON {
		return json.NewEncoder(s.Stdout).Encode(l)
	}
	if len(l.Messages) == 0 {
		_, err := fmt.Fprintf(s.Stdout, "No SIP message of call %s is kept: it had none, they are older than what memory holds, or the box was restarted since.\n", l.Call)
		return err
	}
	site, err := b.site(ctx)
	if err != nil {
		return err
	}
	_, err = io.WriteString(s.Stdout, drawLadder(l, site, f.messages))
	return err
}

// followTrace prints one line for each message.
func (s *session) followTrace(ctx context.Context, f traceFlags) error {
	q := f.query()
	if f.only != "" {
		q.Set("only", f.only)
	}
	if f.asJSON {
		return s.followJSON(ctx, "trace/follow", q)
	}
	b := s.box()
	site, err := b.site(ctx)
	if err != nil {
		return err
	}
	return s.ended(ctx, b.stream(ctx, "trace/follow", q, func(line []byte) error {
		var m api.SIPMessage
		if err := json.Unmarshal(line, &m); err != nil {
			return fmt.Errorf("read message: %w", err)
		}
		_, err := fmt.Fprintln(s.Stdout, printable(traceLine(m, site)))
		return err
	}))
}

func traceLine(m api.SIPMessage, site *time.Location) string {
	way := "<-"
	if m.Out {
		way = "->"
	}
	who := m.From + " to " + m.To
	line := fmt.Sprintf("%s  %s %s %-21s  %-28s %-18s %s", m.At.In(site).Format("15:04:05.000"), m.Network, way, m.Remote, m.What, m.CSeq, who)
	if m.SDP != "" {
		line += "  " + m.SDP
	}
	if m.Why != "" {
		line += "  " + m.Why
	}
	return line
}
