package route

import (
	"testing"

	"branchline/hal"
	"branchline/pbx/config"
	"branchline/pbx/number"
)

func branch() *config.Doc {
	return &config.Doc{
		Site:       config.Site{Country: "DE"},
		Numbers:    config.Numbers{Area: "30"},
		Extensions: []config.Extension{{Number: "201"}, {Number: "2010"}},
		Codes: config.Codes{
			SignIn: "*22", Ready: "*23", Pickup: "*8", Park: "*6", DND: "*78",
			ForwardAlways: "*72", ForwardBusy: "*90", ForwardNoAnswer: "*92", ForwardUnreachable: "*94",
		},
		Outbound: []config.Route{
			{Prefix: "00", Strip: 2, Add: "+", Lines: []string{"gsm2"}},
			{Prefix: "0", Strip: 1, Lines: []string{"gsm1", "gsm2"}},
		},
	}
}

func TestDialledNumberLeadsToWhatThePersonMeans(t *testing.T) {
	doc := branch()
	gsm2, both := []string{"gsm2"}, []string{"gsm1", "gsm2"}
	for dialled, want := range map[hal.Number]Place{
		"*22":       {Kind: SignIn},
		"*221001":   {Kind: SignIn, To: "1001"},
		"*23":       {Kind: Ready},
		"*231":      {},
		"*8":        {Kind: Pickup},
		"*8201":     {Kind: Pickup, To: "201"},
		"*61":       {Kind: Park, To: "1"},
		"*78":       {Kind: DND},
		"*781":      {},
		"*72202":    {Kind: Forward, Why: Always, To: "202"},
		"*72":       {Kind: Forward, Why: Always},
		"*9000301":  {Kind: Forward, Why: OnBusy, To: "00301"},
		"*92":       {Kind: Forward, Why: NoAnswer},
		"*94":       {Kind: Forward, Why: Unreachable},
		"201":       {Kind: Extension, To: "201"},
		"2010":      {Kind: Extension, To: "2010"},
		"20":        {},
		"0901820":   {Kind: Outside, To: "+4930901820", Lines: both},
		"00441234":  {Kind: Outside, To: "+441234", Lines: gsm2},
		"0":         {},
		"":          {},
		"+":         {},
		"+49901820": {Kind: Outside, To: "+49901820", Lines: both},
		// from the phone's list of calls, as it was shown there
		"+4930901820":   {Kind: Outside, To: "+4930901820", Lines: both},
		"+442079460018": {Kind: Outside, To: "+442079460018", Lines: gsm2},
		// emergency, with the way out and without; over every line
		"112":   {Kind: Outside, To: "112", Lines: both},
		"0112":  {Kind: Outside, To: "112", Lines: both},
		"00112": {Kind: Outside, To: "+112", Lines: gsm2},
	} {
		got := Dialed(doc, plan(doc), dialled)
		if got.Kind != want.Kind || got.To != want.To || got.Why != want.Why || len(got.Lines) != len(want.Lines) {
			t.Errorf("%q leads to %+v, want %+v", dialled, got, want)
		}
	}
}

func TestCodesThatAreNotSetLeadNowhere(t *testing.T) {
	for _, number := range []hal.Number{"", "*22", "*", "112"} {
		if got := Dialed(&config.Doc{}, plan(&config.Doc{}), number); got.Kind != Nowhere {
			t.Errorf("%q leads to %+v", number, got)
		}
	}
}

func plan(doc *config.Doc) number.Plan { return number.Of(doc) }

func TestEmergencyGoesOverEveryLineThatAnyRouteHas(t *testing.T) {
	doc := branch()
	doc.Extensions = append(doc.Extensions, config.Extension{Number: "112"})
	for _, number := range []hal.Number{"112", "0112", "110"} {
		got := Dialed(doc, plan(doc), number)
		if got.Kind != Outside || len(got.Lines) != 2 || got.Number.To != config.ToEmergency {
			t.Errorf("%s leads to %+v", number, got)
		}
		if !Allowed(config.Class{Deny: config.Destinations()}, got.Number) {
			t.Errorf("%s is refused", number)
		}
	}
}

func TestClassSaysWhoMayDialWhat(t *testing.T) {
	doc := branch()
	p := plan(doc)
	for _, c := range []struct {
		name        string
		class       config.Class
		may, mayNot []hal.Number
	}{
		{"the default", doc.Class(""), []hal.Number{"112", "030901820", "089123456", "01512345678", "0800123456"}, []hal.Number{"09001234567", "0044123456", "*21*1#", "11833", "0088212345678"}},
		{"one that is not defined", doc.Class("boss"), []hal.Number{"112"}, []hal.Number{"030901820"}},
		{"words", config.Class{Allow: []string{config.ToLocal}}, []hal.Number{"030901820", "901820", "110"}, []hal.Number{"089123456"}},
		{"one country", config.Class{Allow: []string{"+44"}}, []hal.Number{"0044123456"}, []hal.Number{"0045123456", "030901820"}},
		{"all but one country", config.Class{Allow: []string{config.ToInternational}, Deny: []string{"+44"}}, []hal.Number{"0045123456"}, []hal.Number{"0044123456"}},
	} {
		for _, n := range c.may {
			if !Allowed(c.class, p.Read(n)) {
				t.Errorf("%s: %s is refused", c.name, n)
			}
		}
		for _, n := range c.mayNot {
			if Allowed(c.class, p.Read(n)) {
				t.Errorf("%s: %s is allowed", c.name, n)
			}
		}
	}
}

func TestWhatIsShownOutsideIsTheRoutesElseTheLines(t *testing.T) {
	line := &config.Line{Number: "+4930901820"}
	if got := Shown(nil, line); got != "+4930901820" {
		t.Errorf("shown %s", got)
	}
	line.Show = "+4930777"
	if got := Shown(&config.Route{}, line); got != "+4930777" {
		t.Errorf("shown %s", got)
	}
	if got := Shown(&config.Route{Show: "+4930888"}, line); got != "+4930888" {
		t.Errorf("shown %s", got)
	}
}
