package config

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
)

// Change is one place where two documents differ. Old or New is "" where the place is not there, or
// is empty. A secret is shown as •••• on both sides.
type Change struct {
	Path string `json:"path"` // by name where there is one: "queues[sales].wrap_up", "flows[main].steps[2].then"
	Old  string `json:"old"`
	New  string `json:"new"`
}

// String is the change as one line for a person.
func (c Change) String() string {
	switch {
	case c.Old == "":
		return c.Path + ": + " + c.New
	case c.New == "":
		return c.Path + ": - " + c.Old
	}
	return c.Path + ": " + c.Old + " → " + c.New
}

// Diff is what differs between two documents, in the order of the newer one; nil where nothing
// does. What has a name or a number is found by it wherever it stands; steps and routes, whose order
// is their meaning, are compared place by place.
func Diff(old, new *Doc) []Change {
	var d differ
	d.compare("", "", reflect.ValueOf(old).Elem(), reflect.ValueOf(new).Elem())
	return d.changes
}

type differ struct{ changes []Change }

func (d *differ) compare(path, key string, old, new reflect.Value) {
	if flat(old, false) == flat(new, false) {
		return
	}
	switch {
	case new.Kind() == reflect.Pointer && !old.IsNil() && !new.IsNil():
		d.compare(path, key, old.Elem(), new.Elem())
	case new.Kind() == reflect.Struct && nested(new):
		for i := range new.NumField() {
			k := keyOf(new, i)
			d.compare(join(path, k), k, old.Field(i), new.Field(i))
		}
	case new.Kind() == reflect.Slice && nested(reflect.Zero(new.Type().Elem())):
		d.list(path, old, new)
	default:
		d.changes = append(d.changes, Change{path, show(key, old), show(key, new)})
	}
}

// list compares two lists of parts.
func (d *differ) list(path string, old, new reflect.Value) {
	oldIDs, newIDs := ids(old), ids(new)
	was, is := indices(oldIDs), indices(newIDs)
	var stayed, kept []string
	for i, id := range newIDs {
		at := path + "[" + id + "]"
		if j, both := was[id]; both {
			kept = append(kept, id)
			d.compare(at, "", old.Index(j), new.Index(i))
			continue
		}
		d.changes = append(d.changes, Change{Path: at, New: flat(new.Index(i), true)})
	}
	for i, id := range oldIDs {
		if _, both := is[id]; both {
			stayed = append(stayed, id)
			continue
		}
		d.changes = append(d.changes, Change{Path: path + "[" + id + "]", Old: flat(old.Index(i), true)})
	}
	if !slices.Equal(stayed, kept) {
		d.changes = append(d.changes, Change{path, "in the order " + strings.Join(stayed, ", "), "in the order " + strings.Join(kept, ", ")})
	}
}

// ids names each part of a list: by its name or number, or by its place where the parts have none
// or share one.
func ids(parts reflect.Value) []string {
	out := make([]string, parts.Len())
	seen := make(map[string]bool, len(out))
	for i := range out {
		out[i] = id(parts.Index(i).Interface())
		if out[i] == "" || seen[out[i]] {
			out[i] = strconv.Itoa(i)
			for seen[out[i]] {
				out[i] += "'"
			}
		}
		seen[out[i]] = true
	}
	return out
}

func id(part any) string {
	switch p := part.(type) {
	case Line:
		return p.Name
	case Extension:
		return p.Number
	case Agent:
		return p.Number
	case Queue:
		return p.Name
	case Flow:
		return p.Name
	case Class:
		return p.Name
	}
	return ""
}

func indices(ids []string) map[string]int {
	at := make(map[string]int, len(ids))
	for i, id := range ids {
		at[id] = i
	}
	return at
}

// show is v for a person: nothing where it is empty, no secrets.
func show(key string, v reflect.Value) string {
	switch text := flat(v, true); {
	case text == `""` || text == "[]" || text == "{}" || text == "null":
		return ""
	case isSecret(key):
		return masked
	default:
		return text
	}
}
