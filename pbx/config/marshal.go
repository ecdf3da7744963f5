package config

import (
	"fmt"
	"maps"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Marshal writes d as a document that Load reads back to an equal value. What has its default is
// left out. Comments of an earlier text are not kept.
func Marshal(d *Doc) []byte {
	w := writer{}
	w.fields(reflect.ValueOf(d).Elem(), reflect.ValueOf(normal(d)).Elem(), "", "")
	return []byte(w.String())
}

// normal is the Doc of a text that says nothing, but that it always states its version.
func normal(d *Doc) *Doc {
	n := &Doc{}
	fillAll(reflect.ValueOf(n).Elem())
	n.Version = d.Version - 1
	return n
}

type writer struct{ strings.Builder }

// fields writes those fields of v that differ from normal, the first behind lead, the others behind
// indent. It answers with whether it wrote any.
func (w *writer) fields(v, normal reflect.Value, lead, indent string) bool {
	wrote := false
	for i := range v.NumField() {
		f, n := v.Field(i), normal.Field(i)
		if flat(f, false) == flat(n, false) {
			continue
		}
		if indent == "" && wrote && nested(f) {
			w.WriteByte('\n')
		}
		w.WriteString(lead + keyOf(v, i) + ":")
		w.value(f, n, indent)
		lead, wrote = indent, true
	}
	return wrote
}

// value writes what stands behind a key.
func (w *writer) value(v, normal reflect.Value, indent string) {
	switch {
	case !nested(v):
		w.WriteString(" " + flat(v, false) + "\n")
	case v.Kind() == reflect.Struct:
		w.WriteByte('\n')
		w.fields(v, normal, indent+"  ", indent+"  ")
	case v.Kind() == reflect.Pointer:
		w.WriteByte('\n')
		if !w.fields(v.Elem(), filled(v.Type().Elem()), indent+"  ", indent+"  ") {
			w.WriteString(indent + "  {}\n")
		}
	default:
		w.WriteByte('\n')
		for i := range v.Len() {
			if !w.fields(v.Index(i), filled(v.Type().Elem()), indent+"  - ", indent+"    ") {
				w.WriteString(indent + "  - {}\n")
			}
		}
	}
}

// nested tells whether v takes lines of its own.
func nested(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Struct:
		return v.Type() != reflect.TypeFor[netip.AddrPort]() && v.Type() != reflect.TypeFor[netip.Prefix]()
	case reflect.Pointer:
		return !v.IsNil()
	case reflect.Slice:
		return v.Len() > 0 && nested(v.Index(0))
	}
	return false
}

// filled is a new t with its defaults.
func filled(t reflect.Type) reflect.Value {
	v := reflect.New(t).Elem()
	fillAll(v)
	return v
}

// masked stands for a secret, whatever its length.
const masked = "••••"

// isSecret tells whether the value of key is shown to nobody.
func isSecret(key string) bool { return key == "password" || key == "pin" || key == "open" }

// flat is v on one line, in the form that a document may have it. With mask no secret is in it.
func flat(v reflect.Value, mask bool) string {
	switch x := v.Interface().(type) {
	case time.Duration:
		return length(x)
	case netip.AddrPort:
		if !x.IsValid() {
			return plain("")
		}
		return plain(x.String())
	case netip.Prefix:
		return plain(x.String())
	}
	switch v.Kind() {
	case reflect.String:
		return plain(v.String())
	case reflect.Pointer:
		if v.IsNil() {
			return "null"
		}
		return flat(v.Elem(), mask)
	case reflect.Slice:
		items := make([]string, v.Len())
		for i := range items {
			items[i] = flat(v.Index(i), mask)
		}
		return "[" + strings.Join(items, ", ") + "]"
	case reflect.Map:
		m := v.Interface().(map[string]string)
		items := make([]string, 0, len(m))
		for _, k := range sortedKeys(m) {
			items = append(items, plainKey(k)+": "+plain(m[k]))
		}
		return "{" + strings.Join(items, ", ") + "}"
	case reflect.Struct:
		return flatFields(v, mask)
	}
	return fmt.Sprint(v.Interface())
}

// flatFields is the fields of a struct that are not as filled.
func flatFields(v reflect.Value, mask bool) string {
	normal := filled(v.Type())
	var items []string
	for i := range v.NumField() {
		key, text := keyOf(v, i), flat(v.Field(i), mask)
		if text == flat(normal.Field(i), mask) {
			continue
		}
		if mask && isSecret(key) {
			text = masked
		}
		items = append(items, key+": "+text)
	}
	return "{" + strings.Join(items, ", ") + "}"
}

// plain is s as it is where every reader of YAML takes it for that text, else in quotes.
func plain(s string) string {
	if s == "" || !only(s[:1], letters) || !only(s, letters+digits+"_-/.") {
		return strconv.Quote(s)
	}
	switch strings.ToLower(s) {
	case "null", "true", "false", "yes", "no", "on", "off", "y", "n":
		return strconv.Quote(s)
	}
	return s
}

// plainKey leaves a menu's digit without quotes, as a person writes it.
func plainKey(k string) string {
	if len(k) == 1 && only(k, digits) {
		return k
	}
	return plain(k)
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
