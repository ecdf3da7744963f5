// Package causes is why calls end, in the words of SIP and in ours: response codes and Reason headers
// (RFC 3326) to hal.Cause, and back. It is pure. Start reading at Of.
package causes

import (
	"strconv"
	"strings"

	"branchline/hal"
)

// Elsewhere is the Reason of a CANCEL to a phone whose call another one took (RFC 3326).
const Elsewhere = `SIP;cause=200;text="Call completed elsewhere"`

// IsElsewhere says whether a Reason means that.
func IsElsewhere(reason string) bool {
	cause, ok := reasonCause(reason, "SIP")
	return ok && cause == 200
}

// reasonCause reads the cause of a Reason header of one protocol.
func reasonCause(reason, protocol string) (int, bool) {
	for part := range strings.SplitSeq(reason, ",") {
		fields := strings.Split(part, ";")
		if !strings.EqualFold(strings.TrimSpace(fields[0]), protocol) {
			continue
		}
		for _, f := range fields[1:] {
			if v, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(f)), "cause="); ok {
				n, err := strconv.Atoi(v)
				return n, err == nil
			}
		}
	}
	return 0, false
}

// Refusal is the code for an incoming leg that ends before it is answered.
func Refusal(c hal.Cause) int {
	switch c {
	case hal.Busy:
		return 486
	case hal.Unallocated:
		return 404
	case hal.Forbidden:
		return 403
	case hal.Rejected:
		return 603
	case hal.Media:
		return 488
	case hal.Congestion, hal.Restarted:
		return 503
	case hal.WireTrouble:
		return 500
	}
	return 480 // no answer, unreachable, taken elsewhere, or simply ended
}

// Of says why a phone did not take our call. A Q.850 cause in Reason says it better.
func Of(code int, rang bool, reason string) hal.Cause {
	if q, ok := reasonCause(reason, "Q.850"); ok {
		switch q {
		case 1:
			return hal.Unallocated
		case 17:
			return hal.Busy
		case 18, 19:
			return hal.NoAnswer
		case 21:
			return hal.Rejected
		case 34, 42:
			return hal.Congestion
		}
	}
	switch code {
	case 486, 600:
		return hal.Busy
	case 480:
		if rang {
			return hal.NoAnswer
		}
		return hal.Rejected // do-not-disturb: phones say 480 without ringing
	case 603, 302, 301:
		return hal.Rejected
	case 401, 403, 407:
		return hal.Forbidden
	case 404, 410, 484, 604:
		return hal.Unallocated
	case 408, 487, 504:
		return hal.NoAnswer
	case 415, 488, 606:
		return hal.Media
	case 500, 502, 503:
		return hal.Congestion
	}
	return hal.WireTrouble
}

// Weight orders the ends of several contacts: the one that tells most about the person counts.
func Weight(c hal.Cause) int {
	order := []hal.Cause{hal.Rejected, hal.Busy, hal.NoAnswer, hal.Media, hal.Forbidden, hal.Congestion,
		hal.Unallocated, hal.Unreachable}
	for i, o := range order {
		if o == c {
			return len(order) - i
		}
	}
	return 0
}
