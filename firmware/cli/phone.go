package cli

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"net/url"

	"branchline/ui/api"
)

func phoneCommand() command {
	return command{
		name: "phone", args: "resync EXTENSION [-reboot] [-json] [-data DIR]",
		brief: "ask a desk phone to fetch its settings anew",
		about: `Every phone that is signed in under the extension is asked (SIP NOTIFY check-sync). With -reboot it
shall restart too; many phones restart in any case when their settings have changed. Most phones
in a call wait for its end. One that knows no such wish says so, and nothing happens to it.`,
		examples: []string{"phone resync 201", "phone resync 201 -reboot"},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			reboot := flags.Bool("reboot", false, "the phone shall restart")
			asJSON := flags.Bool("json", false, "print JSON")
			return func(ctx context.Context, args []string) error {
				if len(args) == 0 || args[0] != "resync" {
					return misused("phone", "phone can: resync")
				}
				if len(args) != 2 {
					return misused("phone", "phone resync needs one extension")
				}
				return s.resync(ctx, args[1], *reboot, *asJSON)
			}
		},
	}
}

func (s *session) resync(ctx context.Context, extension string, reboot, asJSON bool) error {
	query := url.Values{"who": {who()}}
	if reboot {
		query.Set("reboot", "true")
	}
	path := "phones/" + url.PathEscape(extension) + "/resync"
	if asJSON {
		var raw []byte
		if err := s.box().post(ctx, path, query, nil, &raw); err != nil {
			return err
		}
		return writeJSON(s.Stdout, raw)
	}
	var answers []api.PhoneAnswer
	if err := s.box().post(ctx, path, query, nil, &answers); err != nil {
		return err
	}
	for _, a := range answers {
		said := fmt.Sprintf("says no (SIP %d): it does not know this wish, or will not; use its own menu", a.Code)
		switch a.Answer {
		case api.Taken:
			said = "fetches its settings"
		case api.Silent:
			said = "does not answer"
		}
		if _, err := fmt.Fprintf(s.Stdout, "%s at %s %s.\n", cmp.Or(a.Agent, "A phone"), a.Contact, said); err != nil {
			return err
		}
	}
	return nil
}
