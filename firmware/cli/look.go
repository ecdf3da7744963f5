package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"strconv"
	"time"

	"branchline/ui/api"
)

func statusCommand() command {
	return command{
		name: "status", args: "[-json] [-data DIR]", brief: "how the box is",
		examples: []string{"status", "status -data /var/lib/branchline", "status -json"},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			asJSON := flags.Bool("json", false, "print JSON")
			return func(ctx context.Context, args []string) error {
				if err := noMore("status", args); err != nil {
					return err
				}
				return s.look(ctx, "status", *asJSON, showStatus)
			}
		},
	}
}

// look prints one of the box's pictures of itself, as JSON or by show.
func (s *session) look(ctx context.Context, path string, asJSON bool, show func(s *session, raw []byte, site *time.Location) error) error {
	b := s.box()
	var raw []byte
	if err := b.get(ctx, path, nil, &raw); err != nil {
		return err
	}
	if asJSON {
		return writeJSON(s.Stdout, raw)
	}
	site, err := b.site(ctx)
	if err != nil {
		return err
	}
	return show(s, raw, site)
}

// site is the time zone in which people read times.
func (b *box) site(ctx context.Context) (*time.Location, error) {
	var status api.Status
	if err := b.get(ctx, "status", nil, &status); err != nil {
		return nil, err
	}
	site, err := time.LoadLocation(status.Timezone)
	if err != nil {
		return nil, fmt.Errorf("time zone of the site: %w", err)
	}
	return site, nil
}

func showStatus(s *session, raw []byte, site *time.Location) error {
	var st api.Status
	if err := json.Unmarshal(raw, &st); err != nil {
		return fmt.Errorf("read status: %w", err)
	}
	prompts := "installed"
	if st.Prompts == "tones" {
		prompts = "none installed; callers hear tones instead"
	}
	disk := fmt.Sprintf("%s free of %s", bytesOf(st.Disk.FreeBytes), bytesOf(st.Disk.TotalBytes))
	if !st.Disk.StalledSince.IsZero() {
		disk += fmt.Sprintf("; has not answered since %s, calls go on without it", clock(st.Disk.StalledSince, site))
	}
	up := time.Duration(st.UptimeS) * time.Second
	_, err := fmt.Fprintf(s.Stdout, `Box      up %s since %s, start %d, version %s, board %s
Site     %s (%s), configuration %d
Calls    %d up now
Lines    %d of %d in service
Phones   %d of %d signed in
Agents   %d of %d signed in
Prompts  %s
Sound    %s
Disk     %s
Page     %s
`, span(up), clock(st.Started, site), st.Boot, st.Version, st.Board,
		printable(st.Site), st.Timezone, st.Config, st.Calls,
		st.Lines.Up, st.Lines.Of, st.Phones.Up, st.Phones.Of, st.Agents.Up, st.Agents.Of,
		prompts, soundOf(st.Sound), disk, cmp.Or(st.Page, "none"))
	return err
}

// soundOf says how well the clock of the sound was kept over the last minute.
func soundOf(s *api.Sound) string {
	if s == nil || s.Ticks == 0 {
		return "has not begun"
	}
	ms := func(us int64) float64 { return float64(us) / 1000 }
	words := fmt.Sprintf("ticks of the last minute began %.2f ms late (median), %.2f (p99), %.2f (most), and took %.2f, %.2f, %.2f ms",
		ms(s.Began.P50us), ms(s.Began.P99us), ms(s.Began.MaxUs), ms(s.Took.P50us), ms(s.Took.P99us), ms(s.Took.MaxUs))
	if s.LateTicks > 0 {
		words += fmt.Sprintf("\n         %d of %d ticks over 10 ms late, %d of them left out", s.LateTicks, s.Ticks, s.LeftOut)
	}
	return words
}

func callsCommand() command {
	return lister("calls", "calls that are up now",
		"To end one, give its id to: branchline hangup", showCalls)
}

func linesCommand() command {
	return lister("lines", "the outside lines and the desk phones, and whether they can carry calls", "", showLines)
}

func queuesCommand() command {
	return lister("queues", "who waits where, and how many agents are ready", "", showQueues)
}

// lister is a command that prints one list of the box.
func lister(name, brief, about string, show func(s *session, raw []byte, site *time.Location) error) command {
	return command{
		name: name, args: "[-json] [-data DIR]", brief: brief, about: about,
		examples: []string{name, name + " -json"},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			asJSON := flags.Bool("json", false, "print JSON")
			return func(ctx context.Context, args []string) error {
				if err := noMore(name, args); err != nil {
					return err
				}
				return s.look(ctx, name, *asJSON, show)
			}
		},
	}
}

func showCalls(s *session, raw []byte, site *time.Location) error {
	var calls []api.Call
	if err := json.Unmarshal(raw, &calls); err != nil {
		return fmt.Errorf("read calls: %w", err)
	}
	if len(calls) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "No call is up.")
		return err
	}
	t := table{header: []string{"CALL", "BEGAN", "FROM", "TO", "LINE", "STATE", "FOR", "QUEUE", "AGENT"}}
	for _, c := range calls {
		t.add(c.ID, clock(c.Began, site), withheld(c.From), c.To, c.Line, c.State, span(s.Now().Sub(c.Since)), c.Queue, c.Agent)
	}
	return t.write(s.Stdout)
}

func showLines(s *session, raw []byte, site *time.Location) error {
	var lines []api.Line
	if err := json.Unmarshal(raw, &lines); err != nil {
		return fmt.Errorf("read lines: %w", err)
	}
	t := table{header: []string{"LINE", "KIND", "NUMBER", "STATE", "SINCE", "LEGS", "WHY"}}
	for _, l := range lines {
		state := "down"
		if l.Up {
			state = "up"
		}
		t.add(l.Name, l.Kind, l.Number, state, clock(l.Since, site), strconv.Itoa(l.Legs), l.Why)
	}
	return t.write(s.Stdout)
}

func showQueues(s *session, raw []byte, _ *time.Location) error {
	var queues []api.Queue
	if err := json.Unmarshal(raw, &queues); err != nil {
		return fmt.Errorf("read queues: %w", err)
	}
	t := table{header: []string{"QUEUE", "WAITING", "LONGEST", "AGENTS", "READY"}}
	for _, q := range queues {
		longest := ""
		if q.Waiting > 0 {
			longest = span(s.Now().Sub(q.WaitingSince))
		}
		t.add(q.Name, strconv.Itoa(q.Waiting), longest, strconv.Itoa(q.Agents), strconv.Itoa(q.Ready))
	}
	return t.write(s.Stdout)
}

func showAgents(s *session, raw []byte, site *time.Location) error {
	var agents []api.Agent
	if err := json.Unmarshal(raw, &agents); err != nil {
		return fmt.Errorf("read agents: %w", err)
	}
	t := table{header: []string{"AGENT", "NAME", "STATE", "REASON", "SINCE", "PHONE", "CALL"}}
	for _, a := range agents {
		t.add(a.Number, a.Name, a.State, a.Reason, clock(a.Since, site), a.Extension, a.Call)
	}
	return t.write(s.Stdout)
}

func withheld(number string) string {
	if number == "" {
		return "withheld"
	}
	return number
}

func noMore(command string, args []string) error {
	if len(args) > 0 {
		return misused(command, "%s takes no %q", command, args[0])
	}
	return nil
}
