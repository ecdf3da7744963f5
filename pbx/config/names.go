package config

import (
	"slices"
	"strings"

	"branchline/pbx/config/both"
)

// index is a set of names and where each was first used. The zero value is empty.
type index struct {
	names []string
	first map[string]string // name → path
	fold  map[string]string // name in small letters → path
}

// enter puts name into x, and answers with the path of who has it already, "" for nobody. Names
// that differ in capitals alone are one name to a person.
func (x *index) enter(name, path string) (taken string) {
	if x.first == nil {
		x.first, x.fold = map[string]string{}, map[string]string{}
	}
	low := strings.ToLower(name)
	if taken = x.fold[low]; taken != "" {
		return taken
	}
	x.names = append(x.names, name)
	x.first[name], x.fold[low] = path, path
	return ""
}

func (x *index) has(name string) bool { return x.first[name] != "" }

// maxNames bounds the search for what was meant: beyond it a hint is not worth the time.
const maxNames = 300

// didYouMean is the cure for a name that does not exist: the one that is nearest, else the names
// that there are.
func didYouMean(got string, names []string) (cure both.Words) {
	if len(names) == 0 || len(names) > maxNames || len(got) > 64 {
		return cure
	}
	best := Nearest(got, names)
	switch {
	case best != "":
		return both.Say("did you mean %s?", "是不是 %s？", quote(best))
	case len(names) > 12:
		return cure
	}
	known := slices.Sorted(slices.Values(names))
	return both.Say("there are %s", "现有 %s", strings.Join(known, ", "))
}

// Nearest is the name of names that is most like got, as a person mistypes it; "" where none is.
func Nearest(got string, names []string) string {
	if len(got) > 64 {
		return ""
	}
	best, dist := "", 3
	for _, n := range names {
		if d := distance(strings.ToLower(got), strings.ToLower(n), dist); d < dist && d < len(n) {
			best, dist = n, d
		}
	}
	return best
}

// distance is how many letters must be changed, added, left out or swapped with their neighbour to
// make b of a; enough or more is all the same. (Damerau and Levenshtein, optimal string alignment.)
func distance(a, b string, enough int) int {
	if diff := len(a) - len(b); diff >= enough || -diff >= enough {
		return enough
	}
	var older, old []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		older, old, row = old, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			row[j] = min(old[j]+1, row[j-1]+1, old[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], older[j-2]+1)
			}
		}
	}
	return row[len(b)]
}
