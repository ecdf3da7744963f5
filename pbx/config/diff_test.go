package config

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestDiffNamesEachChangeByPath(t *testing.T) {
	for _, c := range []struct {
		name string
		make func(*Doc)
		want []string
	}{
		{"nothing", func(d *Doc) {}, nil},
		{"a value", func(d *Doc) { d.Queues[0].WrapUp = 20 * time.Second }, []string{"queues[sales].wrap_up: 10s → 20s"}},
		{"a switch", func(d *Doc) { d.Queues[0].Record = false }, []string{"queues[sales].record: true → false"}},
		{"a list", func(d *Doc) { d.Queues[1].Agents = []string{"1003"} }, []string{`queues[support].agents: ["1002", "1003"] → ["1003"]`}},
		{"a list emptied", func(d *Doc) { d.Queues[1].Music = nil }, []string{"queues[support].music: - [silence/5, queue-thankyou]"}},
		{"a name given", func(d *Doc) { d.Flows[0].Steps[5].Name = "bye" }, []string{"flows[main].steps[5].name: + bye"}},
		{"a key of a menu", func(d *Doc) { delete(d.Flows[0].Steps[1].Menu.Keys, "#") }, []string{`flows[main].steps[1].menu.keys: {"#": welcome, 1: sales, 2: support} → {1: sales, 2: support}`}},
		{"a menu gone", func(d *Doc) { d.Flows[0].Steps[1] = Step{Name: "choice", Hangup: true} }, []string{
			`flows[main].steps[1].menu: - {prompt: [vm-press, digits/1, vm-press, digits/2], keys: {"#": welcome, 1: sales, 2: support}, invalid: [invalid], otherwise: support}`,
			"flows[main].steps[1].hangup: false → true"}},
		{"a queue more", func(d *Doc) {
			d.Queues = slices.Insert(d.Queues, 0, Queue{Name: "night", Strategy: LongestIdle, RingTimeout: 15 * time.Second})
		}, []string{"queues[night]: + {name: night, wrap_up: 0s}"}},
		{"a phone gone", func(d *Doc) { d.Extensions = d.Extensions[1:] }, []string{`extensions[201]: - {number: "201", name: "Ana's desk", password: ••••}`}},
		{"a password", func(d *Doc) { d.Extensions[0].Password = "geheim99" }, []string{"extensions[201].password: •••• → ••••"}},
		{"a PIN taken away", func(d *Doc) { d.Lines[0].PIN = "" }, []string{"lines[gsm1].pin: - ••••"}},
		{"order alone", func(d *Doc) { slices.Reverse(d.Agents) }, []string{"agents: in the order 1001, 1002, 1003 → in the order 1003, 1002, 1001"}},
		{"the address", func(d *Doc) { d.Network.SIP.Listen = d.Network.SIP.Listen[:1] }, []string{`network.sip.listen: ["192.168.1.10:5060", "[fd00::10]:5060"] → ["192.168.1.10:5060"]`}},
		{"TCP switched off", func(d *Doc) { d.Network.SIP.TCP = false }, []string{"network.sip.tcp: true → false"}},
		{"a route", func(d *Doc) { d.Outbound[0].Add = "+49" }, []string{`outbound[0].add: + "+49"`}},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := sample(t)
			c.make(d)
			var got []string
			for _, ch := range Diff(sample(t), d) {
				got = append(got, ch.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got  %s\nwant %s", strings.Join(got, "\n     "), strings.Join(c.want, "\n     "))
			}
			if strings.Contains(fmt.Sprint(got), "geheim") || strings.Contains(fmt.Sprint(got), "kettle") {
				t.Error("a secret is shown")
			}
		})
	}
}

// Each field of the document, changed alone, is seen by Diff and survives being written and read.
func TestEachFieldOfTheDocumentIsSeenAndKept(t *testing.T) {
	var walk func(at string, v func(*Doc) reflect.Value)
	walk = func(at string, pick func(*Doc) reflect.Value) {
		d := sample(t)
		switch v := pick(d); v.Kind() {
		case reflect.Struct:
			if !nested(v) {
				return
			}
			for i := range v.NumField() {
				if name := keyOf(v, i); name == "" {
					t.Errorf("%s: field %d has no key", at, i)
				}
				walk(at+"."+keyOf(v, i), func(d *Doc) reflect.Value { return pick(d).Field(i) })
			}
			return
		case reflect.Pointer:
			if !v.IsNil() {
				walk(at, func(d *Doc) reflect.Value { return pick(d).Elem() })
			}
			return
		case reflect.Slice:
			for i := range v.Len() {
				walk(fmt.Sprintf("%s[%d]", at, i), func(d *Doc) reflect.Value { return pick(d).Index(i) })
			}
			v.SetZero()
		case reflect.String:
			v.SetString(v.String() + ": \"#\\ \u2028'\t")
		case reflect.Bool:
			v.SetBool(!v.Bool())
		case reflect.Int, reflect.Int64:
			v.SetInt(v.Int() + 1)
		case reflect.Uint16:
			v.SetUint(v.Uint() + 1)
		case reflect.Map:
			v.SetMapIndex(reflect.ValueOf("*"), reflect.ValueOf("x"))
		default:
			t.Errorf("%s: a %s is not tested", at, v.Kind())
		}
		if at == ".version" || reflect.DeepEqual(d, sample(t)) {
			return
		}
		if len(Diff(sample(t), d)) == 0 {
			t.Errorf("%s: Diff does not see the change", at)
		}
		again, err := Load(Marshal(d))
		if err != nil || !reflect.DeepEqual(again, d) {
			t.Errorf("%s: %v: read back %+v, want %+v", at, err, again, d)
		}
	}
	walk("", func(d *Doc) reflect.Value { return reflect.ValueOf(d).Elem() })
}
