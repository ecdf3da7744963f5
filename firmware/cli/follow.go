package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"branchline/ui/api"
)

func followCommand() command {
	return command{
		name: "follow", args: "[-since N] [-lang LANGUAGE] [-json] [-data DIR]",
		brief: "show what happens, as it happens, in words",
		about: `Without -since it begins now; -since 0 begins with the first entry that is kept. The four letters
behind the time are the end of the call's id. -json prints the facts themselves, one a line. It ends
with Ctrl-C, or when the box stops (exit code 1).`,
		examples: []string{"follow", "follow -since 0", "follow -lang zh-CN", `follow -json | grep '"kind":"ended"'`},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			since := flags.Int64("since", -1, "begin after entry `N`; -1: now")
			lang := flags.String("lang", "en", "`LANGUAGE` of the words: en or zh-CN")
			asJSON := flags.Bool("json", false, "print the facts as JSON")
			return func(ctx context.Context, args []string) error {
				if err := noMore("follow", args); err != nil {
					return err
				}
				query := url.Values{"follow": {"true"}, "since": {strconv.FormatInt(*since, 10)}}
				if *asJSON {
					return s.followJSON(ctx, "timeline", query)
				}
				query.Set("lang", *lang)
				return s.followWords(ctx, query)
			}
		},
	}
}

// followJSON prints a stream's documents as they are.
func (s *session) followJSON(ctx context.Context, path string, query url.Values) error {
	return s.ended(ctx, s.box().stream(ctx, path, query, func(line []byte) error {
		_, err := fmt.Fprintf(s.Stdout, "%s\n", line)
		return err
	}))
}

func (s *session) followWords(ctx context.Context, query url.Values) error {
	b := s.box()
	site, err := b.site(ctx)
	if err != nil {
		return err
	}
	day := ""
	return s.ended(ctx, b.stream(ctx, "timeline", query, func(line []byte) error {
		var e api.Entry
		if err := json.Unmarshal(line, &e); err != nil {
			return fmt.Errorf("read timeline: %w", err)
		}
		if e.At.IsZero() {
			_, err := fmt.Fprintf(s.Stdout, "Entries up to %d are no longer kept.\n", e.Seq)
			return err
		}
		if today := e.At.In(site).Format(time.DateOnly); today != day {
			day = today
			fmt.Fprintln(s.Stdout, day)
		}
		_, err := fmt.Fprintf(s.Stdout, "%s  %4s  %s\n", e.At.In(site).Format("15:04:05.000"), tag(e.Call), printable(e.Words))
		return err
	}))
}

// tag tells calls that are up at the same time apart: the end of an id counts.
func tag(call string) string {
	return call[max(0, len(call)-4):]
}

// ended says what the end of a stream means: a person's own Ctrl-C is no failure.
func (s *session) ended(ctx context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return nil
	case err == nil:
		return errors.New("the box has stopped")
	default:
		return err
	}
}
