package e2e

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"branchline/board/sim/phone"
	"branchline/ui/api"
)

// sipp, as a phone of another maker, watches 202: dark, ringing, talking, dark. It checks each document.
func TestSippWatchesAPhoneRingTalkAndEnd(t *testing.T) {
	t.Parallel()
	r := start(t)
	a, b := r.phone("203", nil), r.phone("202", nil)
	messages := filepath.Join(t.TempDir(), "messages")
	verdict := r.sipp("lamp", "202", "-trace_msg", "-message_file", messages)
	shown := func(state string) {
		t.Helper()
		r.eventually("the lamp to be "+state, func() bool {
			text, _ := os.ReadFile(messages) // there is none at first
			return bytes.Contains(text, []byte("<state>"+state+"</state>"))
		})
	}
	r.eventually("the subscription", func() bool { return strings.Contains(r.log.said(), "phone watches") })
	out, err := a.Dial(r.ctx(), "202")
	if err != nil {
		t.Fatal(err)
	}
	in, err := b.WaitCall(r.ctx())
	if err != nil {
		t.Fatal(err)
	}
	shown("early")
	if err := in.Answer(); err != nil {
		t.Fatal(err)
	}
	if err := out.WaitState(r.ctx(), phone.Talking); err != nil {
		t.Fatal(err)
	}
	shown("confirmed")
	if err := in.Hangup(); err != nil {
		t.Fatal(err)
	}
	verdict()
}

// A person is told what each phone said, and of an extension without a phone that there is none.
func TestPersonIsToldWhatAPhoneThinksOfAResync(t *testing.T) {
	t.Parallel()
	r := start(t)
	r.phone("201", nil)
	post := func(extension string) (*http.Response, []api.PhoneAnswer) {
		res, err := r.http.Post("http://box/api/v1/phones/"+extension+"/resync?reboot=true", "application/json", nil)
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		var answers []api.PhoneAnswer
		if res.StatusCode == http.StatusOK {
			if err := json.NewDecoder(res.Body).Decode(&answers); err != nil {
				t.Fatal(err)
			}
		}
		return res, answers
	}
	if _, answers := post("201"); len(answers) != 1 || answers[0].Answer != api.Taken || answers[0].Code != 200 {
		t.Errorf("answers %+v", answers)
	}
	if res, _ := post("202"); res.StatusCode != http.StatusConflict {
		t.Errorf("an extension without a phone: %s", res.Status)
	}
	if res, _ := post("299"); res.StatusCode != http.StatusNotFound {
		t.Errorf("no such extension: %s", res.Status)
	}
}
