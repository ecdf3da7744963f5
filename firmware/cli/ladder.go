package cli

import (
	"cmp"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"branchline/ui/api"
)

const (
	ladderMargin = 13 // before the first column
	ladderGap    = 28 // between two columns
)

// drawLadder draws parties as columns, the box behind the first of them, and messages as arrows. whole puts
// each message below its arrow.
func drawLadder(l api.Ladder, site *time.Location, whole bool) string {
	var b strings.Builder
	first := l.Messages[0]
	fmt.Fprintf(&b, "Call %s, %s\n\n", l.Call, first.At.In(site).Format("2006-01-02 15:04:05.000000"))
	names, places := []string{"box"}, []string{first.Local}
	for i, p := range l.Parties {
		names = insert(names, column(i), cmp.Or(p.Peer, "?"))
		places = insert(places, column(i), p.Address)
	}
	for _, row := range [][]string{names, places} {
		line := ""
		for i, s := range row {
			at := ladderMargin + i*ladderGap - utf8.RuneCountInString(s)/2
			line += strings.Repeat(" ", max(at-utf8.RuneCountInString(line), min(i, 1))) + s
		}
		b.WriteString(strings.TrimRight(printable(line), " ") + "\n")
	}
	for _, m := range l.Messages {
		mark := " "
		if m.Again {
			mark = "~"
		}
		notes := strings.Join(strings.Fields(m.SDP+" "+m.Why), " ")
		line := fmt.Sprintf("%10s %s %s", offset(m.At.Sub(first.At)), mark, arrow(m, len(l.Parties)))
		if notes != "" {
			line += "  " + printable(notes)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
		if whole {
			for text := range strings.Lines(m.Text) {
				b.WriteString(strings.TrimRight("              "+printable(strings.TrimRight(text, "\r\n")), " ") + "\n")
			}
			b.WriteString("\n")
		}
	}
	return b.String()
}

func offset(d time.Duration) string { return fmt.Sprintf("+%.3f", d.Seconds()) }

// column of party i: the box has column 1.
func column(i int) int {
	if i == 0 {
		return 0
	}
	return i + 1
}

func insert(list []string, at int, s string) []string {
	return append(list[:at:at], append([]string{s}, list[at:]...)...)
}

// arrow is the columns as bars, with the message between two of them.
func arrow(m api.SIPMessage, parties int) string {
	row := []rune(strings.Repeat(" ", parties*ladderGap+1))
	for i := range parties + 1 {
		row[i*ladderGap] = '|'
	}
	from, to := column(m.Party), 1
	if m.Out {
		from, to = to, from
	}
	low, high := min(from, to)*ladderGap, max(from, to)*ladderGap
	for i := low + 1; i < high; i++ {
		row[i] = '-'
	}
	if from < to {
		row[high-1] = '>'
	} else {
		row[low+1] = '<'
	}
	what := []rune(printable(m.What))
	if room := high - low - 7; len(what) > room {
		what = what[:room]
	}
	what = append(append([]rune{' '}, what...), ' ')
	copy(row[low+(high-low-len(what)+1)/2:], what)
	return string(row)
}
