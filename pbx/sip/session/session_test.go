package session

import (
	"fmt"
	"testing"
	"time"
)

// said is a message of a few headers.
type said map[string]string

func (s said) Header(name string) string { return s[name] }
func (s said) Values(name string) []string {
	if v, ok := s[name]; ok {
		return []string{v}
	}
	return nil
}

func TestWhoRefreshesAndHowLongACallStands(t *testing.T) {
	const timer = "timer"
	for name, c := range map[string]struct {
		asked   said
		want    Timer
		answer  string
		refused int
	}{
		"nothing said, nothing known":         {said{}, Timer{}, "[]", 0},
		"it knows of timers, asks for none":   {said{"Supported": timer}, Timer{1800 * time.Second, true}, "[{Session-Expires 1800;refresher=uas}]", 0},
		"it leaves to us who refreshes":       {said{"Supported": timer, "Session-Expires": "600"}, Timer{600 * time.Second, true}, "[{Session-Expires 600;refresher=uas}]", 0},
		"it refreshes":                        {said{"Supported": timer, "Session-Expires": "600;refresher=uac"}, Timer{600 * time.Second, false}, "[{Session-Expires 600;refresher=uac} {Require timer}]", 0},
		"we shall":                            {said{"Require": timer, "x": "600 ; REFRESHER=UAS"}, Timer{600 * time.Second, true}, "[{Session-Expires 600;refresher=uas}]", 0},
		"longer than we want":                 {said{"Supported": timer, "Session-Expires": "99999"}, Timer{1800 * time.Second, true}, "[{Session-Expires 1800;refresher=uas}]", 0},
		"longer, for that is its least":       {said{"Supported": timer, "Session-Expires": "9999", "Min-SE": "3600"}, Timer{3600 * time.Second, true}, "[{Session-Expires 3600;refresher=uas}]", 0},
		"too short":                           {said{"Supported": timer, "Session-Expires": "89"}, Timer{}, "[]", 422},
		"too short, by one who knows no 422":  {said{"Session-Expires": "30"}, Timer{90 * time.Second, true}, "[{Session-Expires 90;refresher=uas}]", 0},
		"a proxy asked; the caller knows not": {said{"Session-Expires": "600;refresher=uac"}, Timer{600 * time.Second, true}, "[{Session-Expires 600;refresher=uas}]", 0},
		"rubbish":                             {said{"Session-Expires": "-5;;;=", "Min-SE": "9999999999999"}, Timer{}, "[]", 0},
	} {
		got, headers, refused := Wants{}.Answer(c.asked, false, Timer{})
		if got != c.want || refused.Code != c.refused || fmt.Sprint(headers) != c.answer {
			t.Errorf("%s: %v, %v, refused %d", name, got, headers, refused.Code)
		}
	}
}

func TestWhatA2xxAgreesOn(t *testing.T) {
	for text, want := range map[string]Timer{
		"":                   {},
		"600;refresher=uac":  {600 * time.Second, true},
		"600;refresher=uas":  {600 * time.Second, false},
		"600":                {600 * time.Second, true},
		"0;refresher=uas":    {},
		"4000000000":         {},
		"600;refresher=\"x;": {600 * time.Second, true},
	} {
		if got := Agreed(said{"Session-Expires": text}); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func TestLeastIsRaisedByAReasonable422Alone(t *testing.T) {
	for text, want := range map[string]time.Duration{"": 0, "90": 0, "120": 1800, "3600": 3600, "90000": 0} {
		w, ok := Wants{}.Raise(said{"Min-SE": text})
		if ok != (want != 0) || ok && w.Expires != want*time.Second {
			t.Errorf("%q: %v, %v", text, w, ok)
		}
	}
}

func TestTimesOfASession(t *testing.T) {
	long, short := Timer{Expires: 1800 * time.Second}, Timer{Expires: 90 * time.Second}
	if long.Refresh() != 900*time.Second || long.End() != 1768*time.Second || short.End() != 60*time.Second {
		t.Errorf("%v, %v, %v", long.Refresh(), long.End(), short.End())
	}
}
