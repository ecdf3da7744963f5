package ui_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"branchline/ui/api"
	"branchline/ui/uitest"
)

func TestLadderOfACallIsFoundByTheEndOfItsID(t *testing.T) {
	h := handlerOf(t, uitest.New(), nil)
	for _, id := range []string{string(uitest.CallID), "000G", "01KG9XNJ98000040000400000F", "400000F"} { // the last two are over
		w := ask(h, "GET", "/api/v1/trace/calls/"+id, "")
		var l api.Ladder
		if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d %s", id, w.Code, w.Body)
		}
		if !strings.HasSuffix(l.Call, id) || len(l.Parties) != 2 || len(l.Messages) != 8 || strings.Contains(l.Messages[0].Text, "0123") {
			t.Errorf("%s: %+v", id, l)
		}
	}
	if w := ask(h, "GET", "/api/v1/trace/calls/000G?whole=true", ""); !strings.Contains(w.Body.String(), "0123") {
		t.Errorf("not whole: %s", w.Body)
	}
	problemOf(t, ask(h, "GET", "/api/v1/trace/calls/000Z", ""), http.StatusNotFound)
	problemOf(t, ask(h, "GET", "/api/v1/trace/pcap?call=000Z", ""), http.StatusNotFound)
	problemOf(t, ask(h, "GET", "/api/v1/trace/calls/G", ""), http.StatusUnprocessableEntity)
	problemOf(t, ask(h, "POST", "/api/v1/trace/calls/000Z/media", ""), http.StatusNotFound)
	problemOf(t, ask(h, "POST", "/api/v1/trace/calls/000G/media?seconds=500", ""), http.StatusUnprocessableEntity)
}

func TestCaptureFileIsNamedAndNotKeptByBrowsers(t *testing.T) {
	w := ask(handlerOf(t, uitest.New(), nil), "GET", "/api/v1/trace/pcap?call=000G&since=2026-01-31T15:00:00Z", "")
	head := w.Header()
	if w.Code != http.StatusOK || head.Get("Content-Type") != "application/vnd.tcpdump.pcap" || head.Get("Cache-Control") != "no-store" ||
		head.Get("Content-Disposition") != `attachment; filename="branchline-20260131-150405.pcap"` ||
		!strings.Contains(w.Body.String(), "phones#4-o2") || !strings.Contains(w.Body.String(), "15:00:00Z whole false") {
		t.Errorf("%d %v %s", w.Code, head, w.Body)
	}
}
