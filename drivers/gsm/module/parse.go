package module

import (
	"strconv"
	"strings"

	"branchline/drivers/atmodem"
	"branchline/hal"
)

// Stat is the state of a call as AT+CLCC numbers it: 3GPP TS 27.007 clause 7.18.
type Stat int

// The states.
const (
	Active Stat = iota
	Held
	Dialling
	Alerting
	Incoming
	Waiting
	Ended // not in the answer of AT+CLCC; what reports of the makers say
)

// Entry is one voice call as the modem sees it, from AT+CLCC or from a report about one call.
type Entry struct {
	Index  int
	Far    bool // the far side called us
	Stat   Stat
	Number hal.Number
	Named  bool // the number is known, be it known to be withheld
}

// Listed reads a +CLCC line: id,dir,stat,mode,mpty[,"num",type[,…]]. voice is false for a data
// bearer, which LTE modems list as a call; ok is false for a line that cannot be one.
func Listed(line string) (e Entry, voice, ok bool) {
	f := atmodem.Fields(line)
	n, ok := Numbers(f, 5)
	if !ok || n[0] < 1 || n[1] > 1 || n[2] > int(Ended) {
		return Entry{}, false, false
	}
	e = Entry{Index: n[0], Far: n[1] == 1, Stat: Stat(n[2])}
	if len(f) >= 7 {
		e.Number = Number(f[5], f[6])
		e.Named = e.Number != "" // an empty one may only be late: +CLIP will say
	}
	return e, n[3] == 0, true
}

// CLIP reads +CLIP: "num",type[,…]. It comes after a RING or before it, and again with each. Half a
// line, and so may be its number, is a ring without a name.
func CLIP(line string) Entry {
	e := Entry{Far: true, Stat: Incoming}
	if f := atmodem.Fields(line); len(f) > 1 {
		if _, err := strconv.Atoi(f[1]); err == nil {
			e.Number, e.Named = Number(f[0], f[1]), true
		}
	}
	return e
}

// Numbers reads the first n fields as numbers that are not negative.
func Numbers(f []string, n int) ([]int, bool) {
	if len(f) < n {
		return nil, false
	}
	out := make([]int, n)
	for i := range out {
		v, err := strconv.Atoi(f[i])
		if err != nil || v < 0 {
			return nil, false
		}
		out[i] = v
	}
	return out, true
}

// Number is a caller's number in our form; kind is its type of address (3GPP TS 24.008 10.5.4.7:
// 145 is international, its "+" may be left out). What is no number is taken for withheld.
func Number(digits, kind string) hal.Number {
	if len(digits) > 40 || strings.Trim(strings.TrimPrefix(digits, "+"), "0123456789*#") != "" {
		return ""
	}
	if kind == "145" && digits != "" && digits[0] != '+' {
		digits = "+" + digits
	}
	return hal.Number(digits)
}

// DialString is what may follow ATD for to. Marks that people write between digits are dropped;
// ok is false where anything else is left: it could be a command.
func DialString(to hal.Number) (s string, ok bool) {
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(" -./()", r) {
			return -1
		}
		return r
	}, string(to))
	digits := strings.TrimPrefix(s, "+")
	ok = digits != "" && len(digits) <= 40 && strings.Trim(digits, "0123456789*#") == ""
	return s, ok
}

// Registration reads +CREG:, +CEREG: and +CGREG:, as the answer to a query (mode,stat[,…]) or as
// news (stat[,lac,…]). The shape tells them apart where news comes while a query waits: the second
// field of news is a quoted or four-digit area code. ok is false for a line that cannot be one.
func Registration(line string) (stat int, ok bool) {
	f := atmodem.Fields(line)
	if len(f) == 0 {
		return 0, false
	}
	at := 0
	if len(f) > 1 && len(f[1]) > 0 && len(f[1]) <= 2 {
		_, rest, _ := strings.Cut(line, ",")
		if !strings.HasPrefix(strings.TrimSpace(rest), `"`) {
			at = 1
		}
	}
	stat, err := strconv.Atoi(f[at])
	return stat, err == nil && stat >= 0 && stat <= 11
}

// WireID is the wire's own id of a call, by its index in AT+CLCC; "" for 0, which is none yet.
func WireID(index int) string {
	if index == 0 {
		return ""
	}
	return "CLCC " + strconv.Itoa(index)
}
