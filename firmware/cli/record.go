package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"time"

	"branchline/pbx/view"
)

// recordWidths are those of the columns of call records: they come one by one, so that nobody
// knows the widest.
func recordWidths() []int { return []int{19, 8, 15, 15, 10, 6, 6, 6, 9, 26} }

// recordPrinter prints one record after the other: as it is stored, or as a line of a table.
type recordPrinter struct {
	out    io.Writer
	asJSON bool
	site   *time.Location
	begun  bool
}

func (s *session) recordPrinter(asJSON bool, site *time.Location) *recordPrinter {
	return &recordPrinter{out: s.Stdout, asJSON: asJSON, site: site}
}

func (p *recordPrinter) print(raw []byte) error {
	if p.asJSON {
		_, err := fmt.Fprintf(p.out, "%s\n", raw)
		return err
	}
	var r view.Record
	if err := json.Unmarshal(raw, &r); err != nil {
		return fmt.Errorf("read record: %w", err)
	}
	if !p.begun {
		p.begun = true
		head := alignedLine([]string{"BEGAN", "KIND", "FROM", "TO", "QUEUE", "AGENT", "WAIT", "TALK", "OUTCOME", "CALL"}, recordWidths())
		if isTerminal(p.out) {
			head = bold(head)
		}
		fmt.Fprintln(p.out, head)
	}
	_, err := fmt.Fprintln(p.out, alignedLine(recordCells(r, p.site), recordWidths()))
	return err
}

// close says that there was none.
func (p *recordPrinter) close() error {
	if p.begun || p.asJSON {
		return nil
	}
	_, err := fmt.Fprintln(p.out, "No call records.")
	return err
}

func recordCells(r view.Record, site *time.Location) []string {
	queue := ""
	if n := len(r.Visits); n > 0 {
		queue = r.Visits[n-1].Queue
	}
	wait, talk := "", ""
	if queue != "" {
		wait = span(r.Wait)
	}
	if !r.Connected.IsZero() {
		talk = span(r.Talk)
	}
	return []string{
		clock(r.Began, site), string(r.Direction), withheld(string(r.From)), string(r.To), queue, r.Agent,
		wait, talk, string(r.Outcome), string(r.Call),
	}
}
