package boot

import (
	"reflect"
	"testing"

	"branchline/pbx/config"
	"branchline/pbx/sip"
	"branchline/pbx/sip/subscribe"
	"branchline/pbx/view/lamps"
)

func TestLampOfAForwardIsAsConfiguredUntilThePhoneSaysOtherwise(t *testing.T) {
	doc := func(to string) *config.Doc {
		return &config.Doc{Extensions: []config.Extension{{Number: "201", Forward: config.Forward{Always: to}}}}
	}
	lit := func(list []sip.Lamp) (names []string) {
		for _, l := range list {
			if len(l.Talks) > 0 {
				names = append(names, l.Name)
			}
		}
		return names
	}
	p := newPanel()
	if got := lit(p.unknown(doc("202"))); !reflect.DeepEqual(got, []string{"forward-201"}) {
		t.Errorf("as configured: %q", got)
	}
	if got := lit(p.show(lamps.Lamp{Kind: lamps.Set, Name: "201", DND: true}, "en")); !reflect.DeepEqual(got, []string{"dnd-201"}) {
		t.Errorf("as set: %q", got)
	}
	if got := p.unknown(doc("203")); len(got) != 0 {
		t.Errorf("a new document shows %+v", got)
	}
}

func TestPlacesToParkAtHaveLamps(t *testing.T) {
	names := lampNames(&config.Doc{Codes: config.Codes{Park: "*6"}})
	if names["*61"] != "park-1" || names["*699"] != "park-99" || names["*6100"] != "" || names["*60"] != "" {
		t.Errorf("names %v", names)
	}
	if _, ok := lampNames(&config.Doc{})["1"]; ok {
		t.Error("without a code for parking a place has a name")
	}
	p := newPanel()
	got := p.show(lamps.Lamp{Kind: lamps.Park, Name: "1", Talks: []lamps.Talk{{Other: "0935", Name: "Carl"}}}, "en")
	want := []sip.Lamp{{Name: "park-1", Talks: []sip.Talk{{ID: "park-1", Incoming: true, Stage: subscribe.Confirmed, Other: "0935", Name: "Carl"}}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("shows %+v", got)
	}
}
