package cli

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"os"
	"time"

	"branchline/pbx/scenario"
)

func scenarioCommand() command {
	return command{
		name: "scenario", args: "[-since TIME|DURATION] | replay FILE [-data DIR]",
		brief: "write what the box lived through as a file that can be replayed, or replay one",
		about: `The flight recorder keeps the last hours of events and what the box decided. The file holds callers'
numbers, but no password, PIN or sound. replay steps a box's floor through a file, without any box,
and tells where it decides otherwise (exit code 1).`,
		examples: []string{"scenario > today.scenario", "scenario -since 30m > call.scenario", "scenario replay today.scenario"},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			since := flags.String("since", "", "only the parts that hold what came after `TIME`, or so long ago")
			return func(ctx context.Context, args []string) error {
				switch {
				case len(args) == 0:
					return s.writeScenario(ctx, *since)
				case args[0] != "replay":
					return misused("scenario", "scenario cannot %q%s", args[0], didYouMean(args[0], []string{"replay"}))
				case len(args) != 2:
					return misused("scenario", "scenario replay needs one FILE")
				}
				return s.replay(args[1])
			}
		},
	}
}

func (s *session) writeScenario(ctx context.Context, since string) error {
	query := url.Values{}
	if since != "" {
		at, err := parseSince(since, s.Now(), time.UTC)
		if err != nil {
			return misused("scenario", "scenario: %v", err)
		}
		query.Set("since", at.UTC().Format(time.RFC3339Nano))
	}
	var raw []byte
	if err := s.box().get(ctx, "scenario", query, &raw); err != nil {
		return err
	}
	_, err := s.Stdout.Write(raw)
	return err
}

func (s *session) replay(file string) error {
	in := s.Stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	got, err := scenario.Replay(in)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	for _, d := range got.Differences {
		fmt.Fprintf(s.Stdout, "%s: %s\n", file, printable(d))
	}
	fmt.Fprintf(s.Stdout, "%s: %d events, %d facts, %d differences\n", file, got.Events, got.Facts, len(got.Differences))
	if len(got.Differences) > 0 {
		return errSilent
	}
	return nil
}
