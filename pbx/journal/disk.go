package journal

import (
	"time"

	"branchline/pbx/call"
	"branchline/pbx/store"
)

// Buckets of the journal. Numbers are big-endian, so that keys sort.
const (
	facts       = "facts"       // one bucket per UTC day: number of its first fact, then the day; in it number → time in ns, then JSON
	rowsOf      = "rows"        // one bucket per fold: number of the row → number of the fact that completed it, then JSON
	foldDone    = "fold-done"   // fold → number of the last fact whose rows are here
	foldState   = "fold-state"  // fold → number of the fact after which it was saved, then its state
	checkpoints = "checkpoints" // name → the same, of others
)

// findEnds reads where the timeline begins and ends.
func (j *Journal) findEnds(tx *store.Tx) error {
	days := tx.Bucket(facts)
	j.first, j.found = 1, tx.Alive()
	for name := range days.From(nil) {
		j.first = firstOf(name)
		break
	}
	name, _ := days.Last()
	if name == nil {
		return nil
	}
	key, value := days.Sub(name).Last()
	j.last = call.Seq(store.Number(key))
	j.synced = j.last
	if e := entryOf(key, value); e.At.After(j.found) {
		j.found = e.At
	}
	return nil
}

// firstOf is the number of the first fact of a day's bucket, told by its name.
func firstOf(name []byte) call.Seq {
	if len(name) < 8 {
		return 0
	}
	return call.Seq(store.Number(name[:8]))
}

// dayOf is the day of a day's bucket, told by its name.
func dayOf(name []byte) string {
	if len(name) < 8 {
		return ""
	}
	return string(name[8:])
}

// putFacts appends list. A new day begins a new bucket, also when the clock was set back: buckets
// sort by the numbers in them, whatever the clock did.
func putFacts(tx *store.Tx, list []stored) error {
	if len(list) == 0 {
		return nil
	}
	days := tx.Bucket(facts)
	name, _ := days.Last()
	name = append([]byte(nil), name...) // it is ours for longer than days stays as it is
	for _, f := range list {
		if day := f.at.Format(time.DateOnly); len(name) == 0 || dayOf(name) != day {
			name = append(store.Key(uint64(f.seq)), day...)
		}
		if err := days.Sub(name).Append(store.Key(uint64(f.seq)), f.value); err != nil {
			return err
		}
	}
	return nil
}

// readEntries gives up to limit entries after since.
func readEntries(tx *store.Tx, since call.Seq, limit int) []call.Entry {
	days := tx.Bucket(facts)
	from := store.Key(uint64(since + 1))
	start, _ := days.AtOrBefore(append(append([]byte(nil), from...), 0xff))
	var out []call.Entry
	for name := range days.From(start) {
		for key, value := range days.Sub(name).From(from) {
			if len(out) == limit {
				return out
			}
			out = append(out, entryOf(key, value))
		}
	}
	return out
}

// entryOf reads one entry. What cannot be read is Unknown, and keeps its place.
func entryOf(key, value []byte) call.Entry {
	e := call.Entry{Seq: call.Seq(store.Number(key))}
	if len(value) < 8 {
		e.Fact = call.Unknown{Name: "unreadable"}
		return e
	}
	e.At = time.Unix(0, int64(store.Number(value[:8]))).UTC()
	f, err := call.Decode(value[8:])
	if err != nil {
		f = call.Unknown{Name: "unreadable", Raw: append([]byte(nil), value[8:]...)}
	}
	e.Fact = f
	return e
}

func putMarks(tx *store.Tx, bucket string, marks map[string]mark) error {
	for name, m := range marks {
		value := append(store.Key(uint64(m.at)), m.state...)
		if err := tx.Bucket(bucket).Put([]byte(name), value); err != nil {
			return err
		}
	}
	return nil
}

func loadMark(tx *store.Tx, bucket, name string) (at call.Seq, state []byte, ok bool) {
	value := tx.Bucket(bucket).Get([]byte(name))
	if len(value) < 8 {
		return 0, nil, false
	}
	return call.Seq(store.Number(value[:8])), append([]byte(nil), value[8:]...), true
}
