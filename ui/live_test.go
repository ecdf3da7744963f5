package ui_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"branchline/pbx/call"
	"branchline/ui"
	"branchline/ui/api"
	"branchline/ui/uitest"
)

// serveLive is serve with a live picture that moves.
func serveLive(t *testing.T, box *uitest.Box) (dial func() net.Conn, stop func()) {
	t.Helper()
	h, err := ui.New(box.Parts())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ln := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	done := make(chan error, 2)
	go func() { done <- ui.Serve(ctx, ln, h, slog.New(slog.DiscardHandler)) }()
	go func() { done <- h.Run(ctx) }()
	synctest.Wait()
	return ln.dial, func() {
		t.Helper()
		cancel()
		for range 2 {
			if err := <-done; err != nil {
				t.Error(err)
			}
		}
	}
}

// watch asks for the live stream and reads the answer's header.
func watch(t *testing.T, conn net.Conn, last string) *http.Response {
	t.Helper()
	head := "GET /api/v1/live HTTP/1.1\r\nHost: box\r\n"
	if last != "" {
		head += "Last-Event-ID: " + last + "\r\n"
	}
	if _, err := conn.Write([]byte(head + "\r\n")); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}

// event reads the next event that carries data.
func event(t *testing.T, lines *bufio.Scanner) (id, name, data string) {
	t.Helper()
	for lines.Scan() {
		key, value, _ := strings.Cut(lines.Text(), ": ")
		switch key {
		case "id":
			id = value
		case "event":
			name = value
		case "data":
			return id, name, value
		}
	}
	t.Fatalf("the stream ended: %v", lines.Err())
	return "", "", ""
}

func scan(answer *http.Response) *bufio.Scanner {
	lines := bufio.NewScanner(answer.Body)
	lines.Buffer(nil, 1<<20)
	return lines
}

func TestPageSeesThePictureThenWhatChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := uitest.New()
		dial, stop := serveLive(t, box)
		defer stop()
		conn := dial()
		defer conn.Close()
		answer := watch(t, conn, "")
		if kind := answer.Header.Get("Content-Type"); kind != "text/event-stream; charset=utf-8" {
			t.Errorf("content type %s", kind)
		}
		lines := scan(answer)
		_, name, data := event(t, lines)
		var all api.Live
		if err := json.Unmarshal([]byte(data), &all); err != nil {
			t.Fatal(err)
		}
		if name != "snapshot" || len(all.Calls) != 2 || len(all.Phones) != 3 || len(all.Facts) == 0 || all.Records != 1 {
			t.Errorf("%s: %d calls, %d phones, %d facts, record %d", name, len(all.Calls), len(all.Phones), len(all.Facts), all.Records)
		}
		began := time.Now()
		box.Timeline.Add(uitest.Now(), call.PhoneDown{Extension: "201"})
		id, name, data := event(t, lines)
		var change api.Change
		if err := json.Unmarshal([]byte(data), &change); err != nil {
			t.Fatal(err)
		}
		if name != "change" || change.Phones == nil || len(change.Phones.Put) != 1 || change.Phones.Put[0].Up || len(change.Facts) != 1 || change.Calls != nil {
			t.Errorf("%s %s: %s", id, name, data)
		}
		if took := time.Since(began); took > 25*time.Millisecond {
			t.Errorf("it took %v", took)
		}
		again := dial()
		defer again.Close()
		box.Timeline.Add(uitest.Now(), call.PhoneUp{Extension: "203"})
		if next, name, _ := event(t, scan(watch(t, again, id))); name != "change" || next == id {
			t.Errorf("after %s: %s %s", id, next, name)
		}
	})
}

func TestQuietPageIsToldThatTheBoxLives(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serveLive(t, uitest.New())
		defer stop()
		conn := dial()
		defer conn.Close()
		lines := scan(watch(t, conn, ""))
		event(t, lines)
		began := time.Now()
		if id, name, _ := event(t, lines); name != "alive" || id != "" || time.Since(began) != 15*time.Second {
			t.Errorf("%q %s after %v", id, name, time.Since(began))
		}
	})
}

func TestThousandthPageIsRefusedInWords(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serveLive(t, uitest.New())
		defer stop()
		var refused int
		for range 1000 {
			conn := dial()
			defer conn.Close()
			answer := watch(t, conn, "9-9")
			if answer.StatusCode == http.StatusOK {
				continue
			}
			refused++
			var p api.Problem
			if err := json.NewDecoder(answer.Body).Decode(&p); err != nil || p.Status != http.StatusServiceUnavailable || p.Cure == "" {
				t.Fatalf("refused by %s: %+v, %v", answer.Status, p, err)
			}
		}
		if refused != 800 {
			t.Errorf("%d of 1000 were refused", refused)
		}
	})
}

func TestBrowserThatNeverReadsIsDroppedAndItsPlaceIsFree(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := uitest.New()
		dial, stop := serveLive(t, box)
		defer stop()
		var dead []net.Conn
		for range 200 {
			conn := dial()
			if _, err := conn.Write([]byte("GET /api/v1/live HTTP/1.1\r\nHost: box\r\n\r\n")); err != nil {
				t.Fatal(err)
			}
			dead = append(dead, conn)
		}
		time.Sleep(time.Minute)
		conn := dial()
		defer conn.Close()
		if answer := watch(t, conn, ""); answer.StatusCode != http.StatusOK {
			t.Errorf("200 that do not read keep their places: %s", answer.Status)
		}
		for _, c := range dead {
			c.Close()
		}
	})
}

// Calls are looked for from the newest on, page by page, none twice and none left out.
func TestRecordsAreFoundFromTheNewestOn(t *testing.T) {
	box := uitest.New()
	for i := range 600 {
		outcome := "answered"
		if i%3 == 0 {
			outcome = "abandoned"
		}
		box.Timeline.AddRecord(fmt.Sprintf(`{"call":"C%03d","direction":"inbound","from":"+4930%03d","to":"+49","legs":[],"outcome":%q,"agent":"11"}`, i, i, outcome))
	}
	h := handlerOf(t, box, nil)
	look := func(query string) (found api.Found) {
		t.Helper()
		w := ask(h, "GET", "/api/v1/records/search?"+query, "")
		if err := json.Unmarshal(w.Body.Bytes(), &found); err != nil {
			t.Fatalf("%s: %d %s", query, w.Code, w.Body)
		}
		return found
	}
	for query, want := range map[string]int{"": 601, "outcome=abandoned": 200, "q=%2B4930599": 1, "q=ANA": 601, "q=nobody": 0, "q=c59": 10} {
		seen, before := 0, uint64(0)
		last := uint64(1 << 62)
		for {
			found := look(fmt.Sprintf("%s&before=%d&limit=25", query, before))
			for _, r := range found.Rows {
				if r.No >= last {
					t.Fatalf("%s: record %d after %d", query, r.No, last)
				}
				last = r.No
			}
			seen += len(found.Rows)
			if before = found.Before; before == 0 {
				break
			}
		}
		if seen != want {
			t.Errorf("%q: %d found, want %d", query, seen, want)
		}
	}
}

func TestRecordIsToldInBothLanguages(t *testing.T) {
	h := handlerOf(t, uitest.New(), nil)
	for lang, word := range map[string]string{"en": "key 1 is pressed", "zh-CN": "按键 1"} {
		var told api.Told
		w := ask(h, "GET", "/api/v1/records/1?lang="+lang, "")
		if err := json.Unmarshal(w.Body.Bytes(), &told); err != nil {
			t.Fatal(err)
		}
		if told.Outcome != "answered" || told.Queue != "sales" || told.Summary == "" || !strings.Contains(w.Body.String(), word) {
			t.Errorf("%s: %s", lang, w.Body)
		}
		if len(told.Recordings) != 1 || told.Recordings[0].Left != "+8613800000001" || told.Recordings[0].Right != "Ana" || told.Recordings[0].Why == "" {
			t.Errorf("recordings %+v", told.Recordings)
		}
	}
	problemOf(t, ask(h, "GET", "/api/v1/records/9", ""), http.StatusNotFound)
}

func TestPeopleOutsideDoWhatThePageSays(t *testing.T) {
	box := uitest.New()
	h := handlerOf(t, box, nil)
	if w := ask(h, "POST", "/api/v1/sim/calls", `{"from":"+49301"}`); w.Code != http.StatusCreated {
		t.Fatalf("call: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/api/v1/sim/calls", ""); !strings.Contains(w.Body.String(), `"number":"+49301"`) {
		t.Errorf("people: %s", w.Body)
	}
	if w := ask(h, "POST", "/api/v1/sim/calls/c1-1/keys", `{"keys":"12#"}`); w.Code != http.StatusNoContent {
		t.Errorf("keys: %d %s", w.Code, w.Body)
	}
	if w := ask(h, "POST", "/api/v1/sim/calls/c1-1/hangup", ""); w.Code != http.StatusNoContent {
		t.Errorf("hang up: %d %s", w.Code, w.Body)
	}
	problemOf(t, ask(h, "POST", "/api/v1/sim/calls/c1-7/hangup", ""), http.StatusNotFound)
	problemOf(t, ask(h, "POST", "/api/v1/sim/calls/c1-1/keys", `{"keys":"hello"}`), http.StatusUnprocessableEntity)
}
