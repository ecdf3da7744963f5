package registrar

import (
	"log/slog"
	"strconv"
	"strings"
)

// Refusals counts sign-ins and calls with wrong credentials: the first of a user and source is
// logged at once, the others once a minute with their number. Nothing of a password is ever here.
// It has one user.
type Refusals struct {
	Log  *slog.Logger
	seen map[refusal]int // since the last report; the first is told already
}

type refusal struct{ user, source string }

// maxRefusals bounds the users and sources that are told apart in a minute.
const maxRefusals = 256

// Note counts one of user, as said, from source.
func (r *Refusals) Note(user, source string) {
	user = strings.Trim(strconv.QuoteToASCII(user[:min(len(user), 40)]), `"`)
	key := refusal{user, source}
	if _, known := r.seen[key]; !known && len(r.seen) >= maxRefusals {
		key = refusal{"others", "many"}
	}
	if r.seen == nil {
		r.seen = map[refusal]int{}
	}
	r.seen[key]++
	if r.seen[key] == 1 {
		r.Log.Warn("phone refused: unknown user or wrong password", "user", key.user, "source", key.source, "times", 1)
	}
}

// Report, called each minute, tells what came after the first ones, and begins anew.
func (r *Refusals) Report() {
	for key, n := range r.seen {
		if n > 1 {
			r.Log.Warn("phone refused: unknown user or wrong password", "user", key.user, "source", key.source, "times", n-1)
		}
	}
	clear(r.seen)
}
