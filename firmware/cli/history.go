package cli

import (
	"context"
	"fmt"
	"net/http"
	"net/url"
	"strconv"

	"branchline/pbx/config"
	"branchline/ui/api"
)

// configHistory lists the configurations that the box keeps.
func (s *session) configHistory(ctx context.Context, asJSON bool) error {
	b := s.box()
	var list []api.Version
	if err := b.get(ctx, "config/versions", nil, &list); err != nil {
		return err
	}
	if asJSON {
		return s.printJSON(list)
	}
	site, err := b.site(ctx)
	if err != nil {
		return err
	}
	t := table{header: []string{"VERSION", "SINCE", "WHO"}}
	for i, v := range list {
		number := strconv.FormatUint(v.Number, 10)
		if i == 0 {
			number += " (in force)"
		}
		t.add(number, clock(v.At, site), v.Who)
	}
	return t.write(s.Stdout)
}

// configDiff prints what differs between two versions; with one, up to the one in force.
func (s *session) configDiff(ctx context.Context, numbers []string, asJSON bool) error {
	query := url.Values{}
	for i, n := range numbers {
		if _, err := strconv.ParseUint(n, 10, 64); err != nil {
			return misused("config", "config diff: %q is no version; `branchline config history` lists them", n)
		}
		query.Set([]string{"from", "to"}[i], n)
	}
	var changes []config.Change
	if err := s.box().get(ctx, "config/diff", query, &changes); err != nil {
		return err
	}
	if asJSON {
		return s.printJSON(changes)
	}
	if len(changes) == 0 {
		_, err := fmt.Fprintln(s.Stdout, "Nothing differs.")
		return err
	}
	for _, c := range changes {
		if _, err := fmt.Fprintln(s.Stdout, printable(c.String())); err != nil {
			return err
		}
	}
	return nil
}

// configRollback puts an earlier version in force again.
func (s *session) configRollback(ctx context.Context, number string, asJSON bool) error {
	if _, err := strconv.ParseUint(number, 10, 64); err != nil {
		return misused("config", "config rollback: %q is no version; `branchline config history` lists them", number)
	}
	var applied api.Applied
	err := s.box().ask(ctx, http.MethodPost, "config/versions/"+number+"/rollback", url.Values{"who": {who()}}, "", nil, &applied)
	return s.tellApplied("version "+number, applied, err, asJSON)
}
