package uitest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"time"

	"branchline/hal"
	"branchline/ui"
	"branchline/ui/api"
)

// tracer keeps one call in which 201 finds 202 busy.
type tracer struct{}

var _ ui.Tracer = tracer{}

// Ladder is one in which the first leg is called and nobody is there.
func (tracer) Ladder(legs []hal.LegID, whole bool) api.Ladder {
	l := api.Ladder{Parties: []api.Party{}, Messages: []api.SIPMessage{}}
	if len(legs) == 0 {
		return l
	}
	l.Parties = []api.Party{{Peer: "201", Address: "192.0.2.7:5060"}, {Peer: "202", Address: "192.0.2.8:5060"}}
	for i, what := range []string{"INVITE", "100 Trying", "INVITE", "INVITE", "486 Busy Here", "ACK", "486 Busy Here", "ACK"} {
		m := api.SIPMessage{
			No: uint64(i + 1), At: Now().Add(time.Duration(i*i) * 1003 * time.Microsecond), Line: "phones", Network: "udp",
			Local: "192.0.2.1:5060", Remote: "192.0.2.7:5060", What: what, CSeq: "1 INVITE", CallID: "a@b", From: "201", To: "202", Leg: string(legs[0]),
			Peer: "201", Out: i == 1 || i == 2 || i == 3 || i > 4 && i != 7, Again: i == 3, Text: what + "\r\nresponse=\"x\"\r\n",
		}
		if i > 1 && i < 6 {
			m.Party, m.Remote, m.Peer = 1, "192.0.2.8:5060", "202"
		}
		if what == "INVITE" {
			m.SDP = "PCMU,PCMA 192.0.2.7:4000 sendrecv"
		}
		if i == 4 {
			m.Why = "Q.850;cause=17"
		}
		l.Messages = append(l.Messages, m)
	}
	if whole {
		l.Messages[0].Text = "INVITE\r\nresponse=\"0123\"\r\n"
	}
	return l
}

// Follow yields the messages of Ladder and waits for the end.
func (t tracer) Follow(ctx context.Context, whole bool) iter.Seq[api.SIPMessage] {
	return func(yield func(api.SIPMessage) bool) {
		for _, m := range t.Ladder([]hal.LegID{"phones#1-1"}, whole).Messages {
			if !yield(m) {
				return
			}
		}
		<-ctx.Done()
	}
}

// WritePcap writes what it was asked.
func (tracer) WritePcap(w io.Writer, legs []hal.LegID, since time.Time, whole bool) error {
	_, err := fmt.Fprintf(w, "pcap of %q since %s whole %v\n", legs, since.UTC().Format(time.RFC3339), whole)
	return err
}

// Capture is over at once; nobody whose legs are SIM alone can be captured.
func (tracer) Capture(legs []hal.LegID, length time.Duration) (int, time.Time, error) {
	n := 0
	for _, l := range legs {
		if l.Line() == "phones" {
			n++
		}
	}
	if n == 0 {
		return 0, time.Time{}, errors.New("no leg of the call has sound by RTP now")
	}
	return n, Now().Add(length), nil
}
