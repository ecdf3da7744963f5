package module

import (
	"strconv"
	"strings"

	"branchline/hal"
)

// CauseOfWord says why a call of ours that nobody answered ended, from the modem's word for it.
// NO CARRIER says little: a network that never rang the party could not reach it; ask AT+CEER.
func CauseOfWord(word string, alerted bool) hal.Cause {
	switch {
	case word == "BUSY":
		return hal.Busy
	case word == "NO ANSWER":
		return hal.NoAnswer
	case strings.HasPrefix(word, "NO DIAL"): // no network to dial into
		return hal.Congestion
	case alerted:
		return hal.Normal
	}
	return hal.Unreachable
}

// CauseOfNumber reads an ITU-T Q.850 cause; "" for one that routing need not tell apart.
func CauseOfNumber(q850 int) hal.Cause {
	switch q850 {
	case 1, 22, 28:
		return hal.Unallocated
	case 16:
		return hal.Normal
	case 17:
		return hal.Busy
	case 18, 19:
		return hal.NoAnswer
	case 20, 27, 3:
		return hal.Unreachable
	case 21:
		return hal.Rejected
	case 34, 41, 42, 44, 47:
		return hal.Congestion
	case 38:
		return hal.WireTrouble
	case 8, 50, 55, 57, 79, 87, 88:
		return hal.Forbidden
	}
	return ""
}

// CauseOfReport reads the answer of AT+CEER. Its text is the maker's own: the last number in it is
// taken for a Q.850 cause, else its words are looked through. q850 is 0 where none was found.
func CauseOfReport(line string) (cause hal.Cause, q850 int) {
	_, text, _ := strings.Cut(line, ":")
	numbers := strings.FieldsFunc(text, func(r rune) bool { return r < '0' || r > '9' })
	if len(numbers) > 0 {
		n, err := strconv.Atoi(numbers[len(numbers)-1])
		if c := CauseOfNumber(n); err == nil && c != "" {
			return c, n
		}
	}
	text = strings.ToLower(text)
	for _, known := range []struct {
		words string
		cause hal.Cause
		q850  int
	}{
		{"busy", hal.Busy, 17}, {"no user responding", hal.NoAnswer, 18}, {"no answer", hal.NoAnswer, 19},
		{"alerting, no answer", hal.NoAnswer, 19}, {"call rejected", hal.Rejected, 21},
		{"unassigned", hal.Unallocated, 1}, {"unallocated", hal.Unallocated, 1}, {"invalid number", hal.Unallocated, 28},
		{"number changed", hal.Unallocated, 22}, {"no route", hal.Unreachable, 3}, {"out of order", hal.Unreachable, 27},
		{"congestion", hal.Congestion, 42}, {"no circuit", hal.Congestion, 34}, {"barred", hal.Forbidden, 8},
	} {
		if strings.Contains(text, known.words) {
			return known.cause, known.q850
		}
	}
	return "", 0
}

// CauseOfRefusal says why the modem did not take a dial or an answer, from its +CME ERROR number
// (3GPP TS 27.007 clause 9.2).
func CauseOfRefusal(code int) hal.Cause {
	switch code {
	case 3, 4, 29, 32: // not allowed, not supported, not allowed by the network, emergency calls only
		return hal.Forbidden
	case 30, 31: // no network service, network time-out
		return hal.Congestion
	}
	return hal.WireTrouble
}
