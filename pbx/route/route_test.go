package route

import (
	"reflect"
	"testing"

	"branchline/hal"
	"branchline/pbx/config"
)

func TestDialledNumberLeadsToWhatThePersonMeans(t *testing.T) {
	doc := &config.Doc{
		Extensions: []config.Extension{{Number: "201"}, {Number: "2010"}},
		Codes:      config.Codes{SignIn: "*22", Ready: "*23"},
		Outbound: []config.Route{
			{Prefix: "00", Strip: 2, Add: "+", Lines: []string{"gsm2"}},
			{Prefix: "0", Strip: 1, Lines: []string{"gsm1", "gsm2"}},
		},
	}
	for number, want := range map[hal.Number]Place{
		"*22":       {Kind: SignIn},
		"*221001":   {Kind: SignIn, To: "1001"},
		"*23":       {Kind: Ready},
		"*231":      {},
		"201":       {Kind: Extension, To: "201"},
		"2010":      {Kind: Extension, To: "2010"},
		"20":        {},
		"0901820":   {Kind: Outside, To: "901820", Lines: []string{"gsm1", "gsm2"}},
		"00441234":  {Kind: Outside, To: "+441234", Lines: []string{"gsm2"}},
		"0":         {},
		"":          {},
		"+49901820": {},
	} {
		if got := Dialed(doc, number); !reflect.DeepEqual(got, want) {
			t.Errorf("%q leads to %+v, want %+v", number, got, want)
		}
	}
}

func TestCodesThatAreNotSetLeadNowhere(t *testing.T) {
	for _, number := range []hal.Number{"", "*22", "*"} {
		if got := Dialed(&config.Doc{}, number); got.Kind != Nowhere {
			t.Errorf("%q leads to %+v", number, got)
		}
	}
}
