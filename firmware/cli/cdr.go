package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"net/url"
	"strconv"
	"strings"
	"time"

	"branchline/pbx/journal"
	"branchline/pbx/store"
	"branchline/pbx/view"
	"branchline/ui"
	"branchline/ui/api"
)

func cdrCommand() command {
	return command{
		name: "cdr", args: "[-since TIME|DURATION] [-follow] [-json] [-data DIR]",
		brief: "the call records, oldest first; also of a box that is stopped",
		about: `A record is there as soon as its call has ended. -since takes only calls that ended then or later:
24h or 7d ago, 2026-01-31, "2026-01-31 15:04" (time of the site), or RFC 3339. -follow goes on with
each new record. -json prints whole records, one a line, with UTC times; a script that has to go on
where it was keeps the time of the last one.`,
		examples: []string{
			"cdr", "cdr -since 24h", "cdr -follow", "cdr -json -since 2026-01-01 > january.ndjson",
			"cdr -data /mnt/old-box -json",
		},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			since := flags.String("since", "", "only calls that ended at `TIME` or later, or so long ago")
			follow := flags.Bool("follow", false, "go on with each new record")
			asJSON := flags.Bool("json", false, "print whole records as JSON, one a line")
			return func(ctx context.Context, args []string) error {
				if err := noMore("cdr", args); err != nil {
					return err
				}
				return s.cdr(ctx, *since, *follow, *asJSON)
			}
		},
	}
}

func (s *session) cdr(ctx context.Context, since string, follow, asJSON bool) error {
	b := s.box()
	site, err := b.site(ctx)
	if errors.Is(err, errNoBox) {
		return s.stoppedCDR(err, since, follow, asJSON)
	}
	if err != nil {
		return err
	}
	from, err := s.since(since, site)
	if err != nil {
		return err
	}
	out := s.recordPrinter(asJSON, site)
	if follow {
		return s.ended(ctx, b.stream(ctx, "records/follow", from, func(line []byte) error {
			var row api.Row
			if err := json.Unmarshal(line, &row); err != nil {
				return fmt.Errorf("read record: %w", err)
			}
			return out.print(row.Record)
		}))
	}
	if err := b.eachRecord(ctx, from, out.print); err != nil {
		return err
	}
	return out.close()
}

// eachRecord hands over all records that are there, a page at a time.
func (b *box) eachRecord(ctx context.Context, from url.Values, print func([]byte) error) error {
	for {
		var page api.Page
		if err := b.get(ctx, "records", from, &page); err != nil {
			return err
		}
		for _, row := range page.Rows {
			if err := print(row.Record); err != nil {
				return err
			}
		}
		if !page.More {
			return nil
		}
		from = url.Values{"after": {strconv.FormatUint(page.Next, 10)}}
	}
}

// since is the query that begins where the flag says.
func (s *session) since(text string, site *time.Location) (url.Values, error) {
	query := url.Values{}
	if text == "" {
		return query, nil
	}
	at, err := parseSince(text, s.Now(), site)
	if err != nil {
		return nil, misused("cdr", "cdr: %v", err)
	}
	query.Set("since", at.UTC().Format(time.RFC3339Nano))
	return query, nil
}

// stoppedCDR reads the folder of a box that is stopped; noBox is what to say if there is none.
func (s *session) stoppedCDR(noBox error, since string, follow, asJSON bool) error {
	if follow {
		return noBox
	}
	kept, err := store.OpenReadOnly(s.data)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return noBox
	case errors.Is(err, store.ErrInUse):
		return fmt.Errorf("a box has the folder %s but does not answer; is it just starting or stopping? try again", s.data)
	case err != nil:
		return err
	}
	records := view.NewRecords()
	j, err := journal.Open(kept, journal.Options{Folds: []journal.Fold{records}})
	if err == nil {
		out := s.recordPrinter(asJSON, time.UTC)
		err = s.keptRecords(j, since, out.print)
		if err == nil && !asJSON { // scripts want whole records
			err = openRecords(records, out.print)
		}
		if err == nil {
			err = out.close()
		}
	}
	if !asJSON && err == nil {
		fmt.Fprintf(s.Stderr, "The box in %s is stopped; times are UTC.\n", s.data)
	}
	return errors.Join(err, kept.Close())
}

// openRecords prints the calls that were up when the box was cut off; its next start ends them.
func openRecords(records *view.Records, print func([]byte) error) error {
	for _, r := range records.Open() {
		raw, err := json.Marshal(r)
		if err == nil {
			err = print(raw)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *session) keptRecords(j *journal.Journal, since string, print func([]byte) error) error {
	var after uint64
	if since != "" {
		at, err := parseSince(since, s.Now(), time.UTC)
		if err != nil {
			return misused("cdr", "cdr: %v", err)
		}
		if after, err = ui.RowsBefore(j, at); err != nil {
			return err
		}
	}
	for {
		rows, err := j.Rows(view.RecordsName, after, 256)
		if err != nil || len(rows) == 0 {
			return err
		}
		for _, r := range rows {
			if err := print(r.Body); err != nil {
				return err
			}
			after = r.No
		}
	}
}

// parseSince reads a moment as people give it: how long ago (90m, 24h, 7d), or a time of the site
// (2006-01-02, "2006-01-02 15:04"), or RFC 3339.
func parseSince(text string, now time.Time, site *time.Location) (time.Time, error) {
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.ParseUint(days, 10, 16); err == nil {
			return now.AddDate(0, 0, -int(n)), nil
		}
	}
	if ago, err := time.ParseDuration(text); err == nil && ago >= 0 {
		return now.Add(-ago), nil
	}
	for _, form := range []string{time.RFC3339Nano, "2006-01-02 15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if at, err := time.ParseInLocation(form, text, site); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is no time; give 24h, 7d, 2026-01-31, \"2026-01-31 15:04\" or 2026-01-31T15:04:05Z", text)
}
