package cli

import (
	"context"
	"flag"
	"fmt"
	"net/url"
	"slices"

	"branchline/ui/api"
)

func agentsCommand() command {
	return command{
		name: "agents", args: "[ready|not-ready|sign-out NUMBER] [-reason WORD] [-json] [-data DIR]",
		brief: "the agents and what they do; make one ready, not ready, or sign one out",
		about: "An agent signs in at a desk phone. During a call, not-ready and sign-out wait for its end.",
		examples: []string{
			"agents", "agents -json", "agents ready 12",
			"agents not-ready 12 -reason lunch", "agents sign-out 12",
		},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			asJSON := flags.Bool("json", false, "print JSON")
			reason := flags.String("reason", "", "why not ready, in one `WORD`")
			return func(ctx context.Context, args []string) error {
				if len(args) == 0 {
					return s.look(ctx, "agents", *asJSON, showAgents)
				}
				return s.setAgent(ctx, args, *reason)
			}
		},
	}
}

func (s *session) setAgent(ctx context.Context, args []string, reason string) error {
	acts := []string{"ready", "not-ready", "sign-out"}
	if !slices.Contains(acts, args[0]) {
		return misused("agents", "agents cannot %q%s", args[0], didYouMean(args[0], acts))
	}
	if len(args) != 2 {
		return misused("agents", "agents %s needs one agent number", args[0])
	}
	query := url.Values{"who": {who()}}
	if args[0] == "not-ready" && reason != "" {
		query.Set("reason", reason)
	}
	path := "agents/" + url.PathEscape(args[1]) + "/" + args[0]
	if err := s.box().post(ctx, path, query, nil, nil); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Stdout, "Agent %s: %s.\n", args[1], args[0])
	return err
}

func hangupCommand() command {
	return command{
		name: "hangup", args: "CALL [-data DIR]", brief: "end a call",
		about:    "CALL is the id that calls shows. All legs of the call are hung up.",
		examples: []string{"hangup 01KAB3W7Q80000080000400007"},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			return func(ctx context.Context, args []string) error {
				if len(args) != 1 {
					return misused("hangup", "hangup needs the id of one call")
				}
				path := "calls/" + url.PathEscape(args[0]) + "/hangup"
				if err := s.box().post(ctx, path, url.Values{"who": {who()}}, nil, nil); err != nil {
					return err
				}
				_, err := fmt.Fprintf(s.Stdout, "Call %s is being ended.\n", args[0])
				return err
			}
		},
	}
}

// defaultScript is what a simulated caller does: the menu's first choice, a short talk, good-bye.
const defaultScript = "wait 4s; key 1; wait 20s; hangup"

func simCommand() command {
	return command{
		name: "sim", args: "call -from NUMBER [-to NUMBER] [-script TEXT] [-data DIR]",
		brief: "let somebody in the simulated outside world call the box",
		about: `The box must run on a simulated board. The script says what the caller does once the box
answers: steps such as wait 2s, key 12#, tone 440 2s, patience 15s, hangup. At its end the caller
stays until the box hangs up.`,
		examples: []string{
			"sim call -from +8613800000001",
			"sim call -from +8613800000001 -to +862150001234",
			`sim call -from +8613800000001 -script "wait 2s; key 1; wait 10s; hangup"`,
		},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			var c api.OutsideCall
			flags.StringVar(&c.From, "from", "", "the caller's `NUMBER`, or withheld")
			flags.StringVar(&c.To, "to", "", "the `NUMBER` that is called: of one of the box's lines; without it the first line's")
			flags.StringVar(&c.Script, "script", defaultScript, "`TEXT` of steps that the caller does")
			asJSON := flags.Bool("json", false, "print JSON")
			return func(ctx context.Context, args []string) error {
				if len(args) != 1 || args[0] != "call" {
					return misused("sim", "sim can: call")
				}
				if c.From == "" {
					return misused("sim", "sim call needs -from NUMBER")
				}
				if c.From == "withheld" {
					c.From = ""
				}
				return s.outsideCall(ctx, c, *asJSON)
			}
		},
	}
}

func (s *session) outsideCall(ctx context.Context, c api.OutsideCall, asJSON bool) error {
	var raw []byte
	var placed api.Placed
	b := s.box()
	if asJSON {
		if err := b.post(ctx, "sim/calls", nil, c, &raw); err != nil {
			return err
		}
		return writeJSON(s.Stdout, raw)
	}
	if err := b.post(ctx, "sim/calls", nil, c, &placed); err != nil {
		return err
	}
	_, err := fmt.Fprintf(s.Stdout, "Caller %s: call %s. See it live: branchline follow\n", withheld(c.From), placed.ID)
	return err
}
