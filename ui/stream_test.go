package ui_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"iter"
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

// serve answers for box in the test's bubble and gives a way to connect; stop waits for its end.
func serve(t *testing.T, box *uitest.Box) (dial func() net.Conn, stop func()) {
	t.Helper()
	h, err := ui.New(box.Parts())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ln := &pipes{conns: make(chan net.Conn), closed: make(chan struct{})}
	done := make(chan error, 1)
	go func() { done <- ui.Serve(ctx, ln, h, slog.New(slog.DiscardHandler)) }()
	return ln.dial, func() {
		t.Helper()
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Serve: %v", err)
		}
	}
}

// pipes listens in memory, so that time in a bubble can pass.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
}

func (p *pipes) dial() net.Conn {
	client, server := net.Pipe()
	p.conns <- server
	return client
}

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { close(p.closed); return nil }
func (p *pipes) Addr() net.Addr { return &net.UnixAddr{Net: "unix", Name: "pipe"} }

// open sends a GET and reads the answer's header.
func open(t *testing.T, conn net.Conn, path string) *bufio.Scanner {
	t.Helper()
	request, err := http.NewRequest(http.MethodGet, "http://box"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := request.Write(conn); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(conn), request)
	if err != nil {
		t.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK || answer.Header.Get("Content-Type") != "application/x-ndjson" {
		t.Fatalf("answer %s %s", answer.Status, answer.Header.Get("Content-Type"))
	}
	return bufio.NewScanner(answer.Body)
}

func next(t *testing.T, lines *bufio.Scanner) string {
	t.Helper()
	if !lines.Scan() {
		t.Fatalf("the stream ended: %v", lines.Err())
	}
	return lines.Text()
}

func TestFollowerSeesWhatHappensAsItHappens(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := uitest.New()
		last := box.Timeline.Last()
		dial, stop := serve(t, box)
		defer stop()
		conn := dial()
		defer conn.Close()
		lines := open(t, conn, "/api/v1/timeline?follow=true&lang=en")
		box.Timeline.Add(uitest.Now(), call.PhoneUp{Extension: "201"})
		var e api.Entry
		if err := json.Unmarshal([]byte(next(t, lines)), &e); err != nil {
			t.Fatal(err)
		}
		if e.Seq != uint64(last)+1 || string(e.Fact) != `{"kind":"phone_up","extension":"201"}` || e.Words == "" {
			t.Errorf("entry %+v, fact %s", e, e.Fact)
		}
	})
}

func TestQuietStreamHasAHeartbeat(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, uitest.New())
		defer stop()
		conn := dial()
		defer conn.Close()
		lines := open(t, conn, "/api/v1/timeline?follow=true")
		began := time.Now()
		for range 3 {
			if got := next(t, lines); got != "" {
				t.Errorf("heartbeat %q", got)
			}
		}
		if got := time.Since(began); got != 45*time.Second {
			t.Errorf("three heartbeats in %v", got)
		}
	})
}

func TestStreamEndsWhenTheBoxStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, uitest.New())
		conn := dial()
		defer conn.Close()
		lines := open(t, conn, "/api/v1/timeline?follow=true")
		began := time.Now()
		ended := make(chan struct{})
		go func() {
			for lines.Scan() {
			}
			close(ended)
		}()
		stop()
		<-ended
		if err := lines.Err(); err != nil {
			t.Errorf("the stream was cut: %v", err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("stopping took %v", took)
		}
	})
}

func TestReaderWhoNeverReadsIsDroppedAndHoldsNobodyUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := uitest.New()
		dial, stop := serve(t, box)
		defer stop()
		lazy := dial()
		defer lazy.Close()
		open(t, lazy, "/api/v1/timeline?follow=true&since=0") // and never reads the rest
		for range 1000 {
			box.Timeline.Add(uitest.Now(), call.Trouble{What: strings.Repeat("x", 100)})
		}
		good := dial()
		defer good.Close()
		lines := open(t, good, "/api/v1/timeline?since=0")
		for range 1000 {
			next(t, lines)
		}
		time.Sleep(11 * time.Second) // in the bubble: the patience of the server passes
		synctest.Wait()
		_ = lazy.SetReadDeadline(time.Now().Add(time.Second))
		kept := 0
		buffer := make([]byte, 1<<16)
		for {
			n, err := lazy.Read(buffer)
			kept += n
			if ne, ok := err.(net.Error); ok && ne.Timeout() {
				t.Fatal("the server still holds the connection")
			}
			if err != nil {
				break
			}
		}
		if kept > 64<<10 {
			t.Errorf("%d bytes were kept for a reader who does not read", kept)
		}
	})
}

func TestTimelineWithoutFollowEndsAtItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := uitest.New()
		dial, stop := serve(t, box)
		defer stop()
		conn := dial()
		defer conn.Close()
		lines := open(t, conn, "/api/v1/timeline?since=0")
		n := 0
		for lines.Scan() {
			n++
		}
		if n != int(box.Timeline.Last()) || lines.Err() != nil {
			t.Errorf("%d entries of %d, %v", n, box.Timeline.Last(), lines.Err())
		}
	})
}

func TestRecordsAreFollowedFromTheOneAskedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		box := uitest.New()
		last, _ := box.Timeline.LastRow("")
		dial, stop := serve(t, box)
		defer stop()
		conn := dial()
		defer conn.Close()
		lines := open(t, conn, "/api/v1/records/follow?after=1")
		box.Timeline.AddRecord(`{"id":"new"}`)
		got := ""
		for range last {
			got = next(t, lines)
		}
		if !strings.Contains(got, `"record":{"id":"new"}`) {
			t.Errorf("last row %s", got)
		}
	})
}

func TestBodyThatNeverComesIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, uitest.New())
		defer stop()
		conn := dial()
		defer conn.Close()
		began := time.Now()
		if _, err := conn.Write([]byte("POST /api/v1/config/apply HTTP/1.1\r\nHost: box\r\nContent-Length: 100\r\n\r\nversion")); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); answer.StatusCode != http.StatusRequestTimeout || took != 10*time.Second {
			t.Errorf("%s after %v", answer.Status, took)
		}
	})
}

func TestHeaderThatNeverComesIsNotWaitedFor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, uitest.New())
		defer stop()
		conn := dial()
		defer conn.Close()
		if _, err := conn.Write([]byte("GET /api/v1/status HTTP/1.1\r\nHo")); err != nil {
			t.Fatal(err)
		}
		_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
		began := time.Now()
		if _, err := io.ReadAll(conn); err != nil {
			t.Errorf("read: %v", err)
		}
		if took := time.Since(began); took > 11*time.Second {
			t.Errorf("the connection was held for %v", took)
		}
	})
}

func TestNoMoreClientsFollowThanTheBoxBears(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, uitest.New())
		defer stop()
		for range 64 {
			conn := dial()
			defer conn.Close()
			open(t, conn, "/api/v1/timeline?follow=true")
		}
		conn := dial()
		defer conn.Close()
		if _, err := conn.Write([]byte("GET /api/v1/timeline?follow=true HTTP/1.1\r\nHost: box\r\n\r\n")); err != nil {
			t.Fatal(err)
		}
		answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
		if err != nil || answer.StatusCode != http.StatusServiceUnavailable {
			t.Errorf("answer %v, %v", answer, err)
		}
	})
}

// brokenTimeline makes our own mistake in the midst of a stream.
type brokenTimeline struct{ ui.Timeline }

func (brokenTimeline) Follow(context.Context, call.Seq) iter.Seq[call.Entry] {
	return func(yield func(call.Entry) bool) {
		yield(call.Entry{Seq: 1, At: uitest.Now(), Fact: call.PhoneUp{Extension: "201"}})
		panic("our own mistake")
	}
}

func TestPanicInAStreamEndsThatStreamAlone(t *testing.T) {
	box := uitest.New()
	h := handlerOf(t, box, func(b *ui.Box) { b.Timeline = brokenTimeline{box.Timeline} })
	w := ask(h, "GET", "/api/v1/timeline?follow=true", "")
	if n := strings.Count(w.Body.String(), "\n"); w.Code != http.StatusOK || n != 1 {
		t.Errorf("answer %d %q", w.Code, w.Body)
	}
	if w := ask(h, "GET", "/api/v1/status", ""); w.Code != http.StatusOK {
		t.Errorf("afterwards %d", w.Code)
	}
}
