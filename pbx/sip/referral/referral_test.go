package referral

import (
	"strings"
	"testing"
)

func TestReferTo(t *testing.T) {
	for text, want := range map[string]Target{
		"sip:203@box":                                          {Number: "203", Host: "box"},
		"<sip:203@box:5070;user=phone>":                        {Number: "203", Host: "box"},
		`"Bo" <sips:%2a21@BOX;method=invite>`:                  {Number: "*21", Host: "box"},
		"<tel:+49-30-901820>":                                  {Number: "+4930901820"},
		"<sip:203@box?Subject=x&Body=y>":                       {Number: "203", Host: "box"},
		"<sip:box?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>": {Host: "box", Replaces: Dialog{CallID: "a@b", To: "1", From: "2"}},
		"<sip:203@box?replaces=a;to-tag=1;from-tag=2>":         {Number: "203", Host: "box", Replaces: Dialog{CallID: "a", To: "1", From: "2"}},
		"<sip:203@box?Replaces=a%3Bfrom-tag%3D2%3BEARLY-only%3Bto-tag%3D1&Require=replaces>": {Number: "203", Host: "box", Replaces: Dialog{CallID: "a", To: "1", From: "2", EarlyOnly: true}},
	} {
		if got, code := Read(text); code != 0 || got != want {
			t.Errorf("%s: %+v, %d; want %+v", text, got, code, want)
		}
	}
}

func TestHostileReferToIsRefused(t *testing.T) {
	for text, want := range map[string]int{
		"":                                      400,
		"203":                                   400,
		"<sip:203@box":                          400,
		"<sip:@box>":                            400,
		"<sip:box>":                             400,
		"<http://box/>":                         416,
		"<mailto:a@b>":                          416,
		"<sip:203@box;method=BYE>":              400,
		"<sip:203@box;method=REFER>":            400,
		"<sip:2%0d%0aX@box>":                    400,
		"<sip:2%200@box>":                       400,
		"<sip:2%3b0@box>":                       400,
		"<sip:203@box?Replaces=a>":              400,
		"<sip:203@box?Replaces=a%3Bto-tag%3D1>": 400,
		"<sip:203@box?Replaces=%zz>":            400,
		"<sip:203@box?Replaces=a%0d%0ab%3Bto-tag%3D1%3Bfrom-tag%3D2>":                 400,
		"<sip:203@box?Replaces=a;to-tag=1;from-tag=2&Replaces=b;to-tag=1;from-tag=2>": 400,
		"<sip:" + strings.Repeat("1", 65) + "@box>":                                   400,
		"<sip:203@box?Replaces=a;to-tag=" + strings.Repeat("1", 200) + ";from-tag=2>": 400,
	} {
		if got, code := Read(text); code != want {
			t.Errorf("%q: %+v, %d; want %d", text, got, code, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add("<sip:203@box?Replaces=a%40b%3Bto-tag%3D1%3Bfrom-tag%3D2>")
	f.Add(`"x" <tel:+49>`)
	f.Fuzz(func(t *testing.T, text string) {
		got, code := Read(text)
		if code != 0 {
			return
		}
		if got.Number == "" && got.Replaces.CallID == "" || strings.ContainsAny(got.Number+got.Replaces.CallID, "\r\n \x00") {
			t.Errorf("%q: %+v", text, got)
		}
	})
}
