package config

import (
	"fmt"
	"net/netip"
	"reflect"
	"strconv"
	"time"

	"branchline/pbx/config/both"
	"branchline/pbx/config/tree"
)

// decoder puts nodes into a Doc and collects what does not fit.
type decoder struct {
	places places
	wrong  problems
}

// decode fills v from n, on top of v's defaults. path is where v is in the document.
func (d *decoder) decode(v reflect.Value, n *tree.Node, path string) {
	if _, known := d.places[path]; !known {
		d.places[path] = place{n.Line, n.Column}
	}
	switch v.Kind() {
	case reflect.Struct:
		switch v.Interface().(type) {
		case netip.AddrPort, netip.Prefix:
			d.scalar(v, n, path)
			return
		}
		d.fields(v, n, path)
	case reflect.Slice:
		d.list(v, n, path)
	case reflect.Map:
		d.table(v, n, path)
	case reflect.Pointer:
		if n.Kind != tree.Null {
			v.Set(reflect.New(v.Type().Elem()))
			d.decode(v.Elem(), n, path)
		}
	default:
		d.scalar(v, n, path)
	}
}

// fields fills a struct: first with its defaults, so that a part that the text leaves out has them.
func (d *decoder) fields(v reflect.Value, n *tree.Node, path string) {
	fillAll(v)
	names := make([]string, v.NumField())
	for i := range names {
		names[i] = keyOf(v, i)
	}
	switch n.Kind {
	case tree.Null:
		return
	case tree.Mapping:
	default:
		d.refuse(n, path, both.Say("keys with values are wanted", "此处应为键和值"), both.Say("write one \"key: value\" per line, indented under it", "请每行写一个 \"key: value\"，并缩进"))
		return
	}
	for _, e := range n.Entries {
		at := join(path, e.Key)
		i := indexOf(names, e.Key)
		if i < 0 {
			d.wrong.add(Problem{Path: at, What: both.Say("there is no key %s here", "此处没有键 %s", quote(e.Key)), Cure: didYouMean(e.Key, names), Line: e.Line, Column: e.Column})
			continue
		}
		d.places[at] = place{e.Line, e.Column}
		d.decode(v.Field(i), e.Value, at)
	}
}

// fillAll gives a struct and the structs in it their defaults.
func fillAll(v reflect.Value) {
	fill(v.Addr().Interface())
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Struct && f.CanSet() {
			fillAll(f)
		}
	}
}

func (d *decoder) list(v reflect.Value, n *tree.Node, path string) {
	switch n.Kind {
	case tree.Null:
		return
	case tree.List:
	default:
		d.refuse(n, path, both.Say("a list is wanted", "此处应为列表"), both.Say("write it as [one, two], or one per line behind a dash", "请写成 [one, two]，或每行一项、以短横开头"))
		return
	}
	v.SetZero() // an empty list is nil, so that equal documents are equal values
	if len(n.Items) == 0 {
		return
	}
	v.Set(reflect.MakeSlice(v.Type(), len(n.Items), len(n.Items)))
	for i, item := range n.Items {
		d.decode(v.Index(i), item, fmt.Sprintf("%s[%d]", path, i))
	}
}

// table fills a map of strings.
func (d *decoder) table(v reflect.Value, n *tree.Node, path string) {
	switch n.Kind {
	case tree.Null:
		return
	case tree.Mapping:
	default:
		d.refuse(n, path, both.Say("keys with values are wanted", "此处应为键和值"), both.Say("write it as {1: one, 2: two}", "请写成 {1: one, 2: two}"))
		return
	}
	if len(n.Entries) == 0 {
		return
	}
	v.Set(reflect.MakeMapWithSize(v.Type(), len(n.Entries)))
	for _, e := range n.Entries {
		at := fmt.Sprintf("%s[%s]", path, e.Key)
		d.places[at] = place{e.Line, e.Column}
		value := reflect.New(v.Type().Elem()).Elem()
		d.decode(value, e.Value, at)
		v.SetMapIndex(reflect.ValueOf(e.Key), value)
	}
}

func (d *decoder) scalar(v reflect.Value, n *tree.Node, path string) {
	switch n.Kind {
	case tree.Null:
		return
	case tree.Scalar:
	default:
		d.refuse(n, path, both.Say("one value is wanted", "此处应为一个值"), both.Say("write it behind the colon", "请写在冒号后面"))
		return
	}
	switch v.Interface().(type) {
	case time.Duration:
		t, err := time.ParseDuration(n.Text)
		if err != nil {
			d.refuse(n, path, both.Say("%s is no length of time", "%s 不是时长", quote(n.Text)), both.Say("write it with its unit, as in 15s or 2m30s", "请带单位，如 15s 或 2m30s"))
			return
		}
		v.SetInt(int64(t))
		return
	case netip.AddrPort:
		a, err := netip.ParseAddrPort(n.Text)
		if err != nil {
			d.refuse(n, path, both.Say("%s is no address with a port", "%s 不是带端口的地址", quote(n.Text)),
				both.Say("write it as in 192.168.1.10:5060 or \"[fd00::10]:5060\"", "请写成 192.168.1.10:5060 或 \"[fd00::10]:5060\" 的样子"))
			return
		}
		v.Set(reflect.ValueOf(a))
		return
	case netip.Prefix:
		p, err := netip.ParsePrefix(n.Text)
		if err != nil {
			d.refuse(n, path, both.Say("%s is no network", "%s 不是网段", quote(n.Text)),
				both.Say("write it as in 192.168.2.0/24, a single address as in 203.0.113.7/32", "请写成 192.168.2.0/24 的样子，单个地址如 203.0.113.7/32"))
			return
		}
		v.Set(reflect.ValueOf(p))
		return
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(n.Text)
	case reflect.Bool:
		if n.Text != "true" && n.Text != "false" {
			d.refuse(n, path, both.Say("%s is neither true nor false", "%s 既不是 true 也不是 false", quote(n.Text)), both.Say("write true or false", "请写 true 或 false"))
			return
		}
		v.SetBool(n.Text == "true")
	case reflect.Int, reflect.Uint16:
		d.number(v, n, path)
	default:
		panic(fmt.Sprintf("config: no reading of a %s", v.Type()))
	}
}

// number fills an int or a uint16; the document has no use for more than an int32.
func (d *decoder) number(v reflect.Value, n *tree.Node, path string) {
	low, high := int64(-1<<31), int64(1<<31-1)
	if v.Kind() == reflect.Uint16 {
		low, high = 0, 1<<16-1
	}
	i, err := strconv.ParseInt(n.Text, 10, 64)
	if err != nil || i < low || i > high {
		d.refuse(n, path, both.Say("%s is not a whole number that fits", "%s 不是合适的整数", quote(n.Text)), both.Say("write one from %d to %d", "请写 %d 到 %d 之间的整数", low, high))
		return
	}
	if v.Kind() == reflect.Uint16 {
		v.SetUint(uint64(i))
		return
	}
	v.SetInt(i)
}

func (d *decoder) refuse(n *tree.Node, path string, what, cure both.Words) {
	d.wrong.add(Problem{Path: path, What: what, Cure: cure, Line: n.Line, Column: n.Column})
}

// keyOf is the key of v's field i in the text.
func keyOf(v reflect.Value, i int) string { return v.Type().Field(i).Tag.Get("yaml") }

func indexOf(names []string, name string) int {
	for i, n := range names {
		if n == name {
			return i
		}
	}
	return -1
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// quote is s in quotes for a message, short enough for a line.
func quote(s string) string {
	if len(s) > 64 {
		s = s[:64] + "…"
	}
	return strconv.Quote(s)
}
