package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"

	"branchline/board/sim/modem"
	"branchline/board/sim/network"
)

// simulator is the network, its modems and the last call that was placed.
type simulator struct {
	net    *network.Network
	modems []simulated
	last   *network.Call
	out    io.Writer
	log    *slog.Logger
}

// open makes one modem per number and prints where its ptys are.
func (s *simulator) open(dir, numbers string, o modem.Options) error {
	for i, number := range strings.Split(numbers, ",") {
		o.Number, o.Log = strings.TrimSpace(number), s.log
		m, err := modem.New(o, s.net)
		if err != nil {
			return err
		}
		at, pcm, err := m.OpenPTYs(filepath.Join(dir, strconv.Itoa(i+1)))
		if err != nil {
			return err
		}
		s.modems = append(s.modems, simulated{strings.TrimSpace(number), m})
		fmt.Fprintf(s.out, "modem %d %s at %s pcm %s\n", i+1, strings.TrimSpace(number), at, pcm)
	}
	return nil
}

// do carries out one line of input.
func (s *simulator) do(line string) error {
	verb, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
	rest = strings.TrimSpace(rest)
	switch verb {
	case "", "#":
		return nil
	case "call":
		return s.place(rest)
	case "person":
		number, text, _ := strings.Cut(rest, " ")
		script, err := network.ParseScript(text)
		if err == nil {
			s.net.Person(number, script)
		}
		return err
	case "calls":
		for _, c := range s.net.Calls() {
			st := c.State()
			fmt.Fprintln(s.out, strings.TrimSpace(fmt.Sprintf("%s %q to %s: %s %s %s", st.ID, st.From, st.To, st.Phase, st.By, st.Cause)))
		}
		return nil
	case "fault":
		return s.fault(rest)
	case "key", "tone", "hangup":
		return s.byHand(verb, rest)
	default:
		return fmt.Errorf("unknown %q; there are call, person, key, tone, hangup, calls, fault, quit", verb)
	}
}

// place is "call [NUMBER] SCRIPT".
func (s *simulator) place(rest string) error {
	to := s.modems[0].number
	first, script, _ := strings.Cut(rest, " ")
	for _, m := range s.modems {
		if m.number == first {
			to, rest = first, script
		}
	}
	parsed, err := network.ParseScript(rest)
	if err != nil {
		return err
	}
	c, err := s.net.Call(to, parsed)
	if err != nil {
		return err
	}
	s.last = c
	fmt.Fprintln(s.out, "call", c.ID(), "to", to)
	return nil
}

// byHand is what the caller of the last call does by hand.
func (s *simulator) byHand(verb, arg string) error {
	if s.last == nil {
		return fmt.Errorf("%s: there was no call yet", verb)
	}
	switch verb {
	case "key":
		s.last.Key(arg)
	case "hangup":
		s.last.Hangup()
	case "tone":
		hz, err := strconv.ParseFloat(arg, 64)
		if err != nil {
			return fmt.Errorf("tone: %q is no frequency in Hz", arg)
		}
		s.last.Tone(hz)
	}
	return nil
}

// fault makes the first modem misbehave.
func (s *simulator) fault(what string) error {
	m := s.modems[0].modem
	verb, arg, _ := strings.Cut(what, " ")
	switch verb {
	case "vanish":
		m.Vanish()
	case "return":
		return m.Return()
	case "powercut":
		m.PowerCut()
	case "nosignal", "signal":
		m.NoSignal(verb == "nosignal")
	case "mute", "unmute":
		m.Mute(verb == "mute")
	case "halfline":
		m.HalfLine()
	case "lose":
		m.LoseNextURC(arg)
	case "garbage":
		b, err := strconv.Unquote(`"` + strings.ReplaceAll(arg, `"`, `\"`) + `"`)
		if err != nil {
			return fmt.Errorf("garbage: %q is no text with escapes such as \\xff", arg)
		}
		m.Garbage([]byte(b))
	default:
		return fmt.Errorf("unknown fault %q", verb)
	}
	return nil
}

// readLines hands out the lines of in. Its goroutine ends with in or, at the next line, with ctx:
// a read of a terminal cannot be woken, and the program's end ends it.
func readLines(ctx context.Context, in io.Reader) <-chan string {
	lines := make(chan string)
	go func() {
		defer close(lines)
		for scan := bufio.NewScanner(in); scan.Scan(); {
			select {
			case lines <- strings.TrimSpace(scan.Text()):
			case <-ctx.Done():
				return
			}
		}
	}()
	return lines
}
