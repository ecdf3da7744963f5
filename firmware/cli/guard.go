package cli

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"time"

	"branchline/ui/api"
)

func guardCommand() command {
	return command{
		name: "guard", args: "[forgive|ban ADDRESS] [-minutes N] [-json] [-data DIR]",
		brief: "who is kept away from the SIP door; forgive or ban one",
		about: `Phones that are signed in stay, whatever is done to their address. forgive forgets all that speaks
against a source, ban keeps it away for N minutes (1440, a day, where you say nothing).`,
		examples: []string{"guard", "guard -json", "guard forgive 192.168.1.44", "guard ban 203.0.113.7 -minutes 60"},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			asJSON := flags.Bool("json", false, "print JSON")
			minutes := flags.Int("minutes", 1440, "`N` minutes that ban keeps a source away")
			return func(ctx context.Context, args []string) error {
				if len(args) == 0 {
					return s.look(ctx, "guard", *asJSON, showGuard)
				}
				return s.setGuard(ctx, args, *minutes)
			}
		},
	}
}

func (s *session) setGuard(ctx context.Context, args []string, minutes int) error {
	acts := []string{"forgive", "ban"}
	switch {
	case args[0] != "forgive" && args[0] != "ban":
		return misused("guard", "guard cannot %q%s", args[0], didYouMean(args[0], acts))
	case len(args) != 2:
		return misused("guard", "guard %s needs one address", args[0])
	}
	var body any
	said := "is taken back in"
	if args[0] == "ban" {
		body, said = api.GuardBan{Minutes: minutes}, fmt.Sprintf("is kept away for %d minutes", minutes)
	}
	if err := s.box().post(ctx, "guard/"+url.PathEscape(args[1])+"/"+args[0], nil, body, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Stdout, "%s %s.\n", args[1], said)
	return err
}

func showGuard(s *session, raw []byte, site *time.Location) error {
	var sources []api.GuardSource
	if err := json.Unmarshal(raw, &sources); err != nil {
		return fmt.Errorf("read guard: %w", err)
	}
	if len(sources) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "Nothing speaks against anybody.")
		return err
	}
	t := table{header: []string{"AT", "SOURCE", "KEPT AWAY UNTIL", "LAST", "WHAT IT DID", "PHONES THERE"}}
	for _, g := range sources {
		until, phones := "", ""
		if g.Until != nil {
			until = g.Until.In(site).Format("2006-01-02 15:04:05")
		}
		if g.Phones > 0 {
			phones = fmt.Sprint(g.Phones)
		}
		if g.ByHand {
			until += " by hand"
		}
		t.add(g.Line, g.Source, until, clock(g.Heard, site), offences(g.Counts), phones)
	}
	return t.write(s.Stdout)
}

// offences are counts by their causes, the gravest first.
func offences(counts map[string]int) string {
	var out []string
	for _, cause := range []string{"scan", "wrong", "outside", "flood", "crowd", "rubbish", "knocks"} {
		if n := counts[cause]; n > 0 {
			out = append(out, fmt.Sprintf("%s %d", cause, n))
		}
	}
	return strings.Join(out, ", ")
}
