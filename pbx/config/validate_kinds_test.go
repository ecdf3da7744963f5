package config

import (
	"strings"
	"testing"
)

func TestEachMistakeOfAKindOfPhoneIsNamed(t *testing.T) {
	door := func(d *Doc) *Extension {
		e := &d.Extensions[0]
		e.Kind, e.Target, e.Open, e.Forward = KindDoor, []string{d.Extensions[1].Number}, "#1", Forward{}
		return e
	}
	for _, c := range []struct {
		name string
		make func(*Doc)
		want string // path; "" nothing is wrong
	}{
		{"a door", func(d *Doc) { door(d) }, ""},
		{"a door that calls a queue", func(d *Doc) { door(d).Target = []string{d.Queues[0].Name} }, ""},
		{"a fax machine", func(d *Doc) { d.Extensions[0].Kind, d.Extensions[0].Fax = KindAdapter, true }, ""},
		{"no such kind", func(d *Doc) { d.Extensions[0].Kind = "gate" }, "extensions[0].kind"},
		{"a door that calls nobody", func(d *Doc) { door(d).Target = nil }, "extensions[0].target"},
		{"a door that calls a queue among others", func(d *Doc) { e := door(d); e.Target = append(e.Target, d.Queues[0].Name) }, "extensions[0].target[1]"},
		{"a door that calls one twice", func(d *Doc) { e := door(d); e.Target = append(e.Target, e.Target[0]) }, "extensions[0].target[1]"},
		{"a door that calls itself", func(d *Doc) { e := door(d); e.Target = []string{e.Number} }, "extensions[0].target[0]"},
		{"a door that forwards", func(d *Doc) { door(d).Forward.Always = d.Extensions[1].Number }, "extensions[0].forward"},
		{"letters open the door", func(d *Doc) { door(d).Open = "abc" }, "extensions[0].open"},
		{"a code of calls opens the door", func(d *Doc) { door(d).Open = "##1" }, "extensions[0].open"},
		{"a desk phone that opens", func(d *Doc) { d.Extensions[0].Open = "#1" }, "extensions[0].open"},
		{"a desk phone with a target", func(d *Doc) { d.Extensions[0].Target = []string{"sales"} }, "extensions[0].target"},
		{"a desk phone that faxes", func(d *Doc) { d.Extensions[0].Fax = true }, "extensions[0].fax"},
		{"a code of one key", func(d *Doc) { d.Codes.Transfer = "#" }, "codes.transfer"},
		{"codes that begin alike", func(d *Doc) { d.Codes.Transfer, d.Codes.Consult = "*2", "*22" }, "codes.consult"},
		{"codes that are off", func(d *Doc) { d.Codes.Transfer, d.Codes.Consult = "", "" }, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := sample(t)
			c.make(d)
			got := Validate(d)
			if c.want == "" && len(got) == 0 {
				return
			}
			if len(got) != 1 || got[0].Path != c.want || got[0].Cure.EN == "" || got[0].Cure.ZH == "" {
				t.Errorf("got %+v, want one of %q", got, c.want)
			}
		})
	}
}

func TestKeysThatOpenADoorAreShownToNobody(t *testing.T) {
	d := sample(t)
	e := &d.Extensions[0]
	e.Kind, e.Target, e.Open = KindDoor, []string{d.Extensions[1].Number}, "4711#"
	for _, c := range Diff(sample(t), d) {
		if strings.Contains(c.String(), "4711#") {
			t.Errorf("%+v", c)
		}
	}
}
