package ui_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"branchline/ui/api"
	"branchline/ui/uitest"
)

// request writes one and reads the answer.
func request(t *testing.T, conn net.Conn, text string) (*http.Response, api.Problem) {
	t.Helper()
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		_, _ = io.WriteString(conn, text) // who is refused need not be heard out
	}()
	answer, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	var p api.Problem
	if answer.StatusCode >= 400 {
		if err := json.NewDecoder(answer.Body).Decode(&p); err != nil || p.Detail == "" || p.Cure == "" {
			t.Errorf("%s: %+v, %v", answer.Status, p, err)
		}
		conn.Close()
	}
	<-sent
	return answer, p
}

func TestConnectionsTooManyAreRefusedInWordsAndRoomIsMade(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, uitest.New())
		defer stop()
		conns := make([]net.Conn, 1024)
		for i := range conns {
			conns[i] = dial()
			defer conns[i].Close()
		}
		for range 3 {
			answer, p := request(t, dial(), "GET /api/v1/status HTTP/1.1\r\nHost: box\r\n\r\n")
			if answer.StatusCode != http.StatusServiceUnavailable || !strings.HasPrefix(p.Detail, "1024 connections") {
				t.Errorf("%s: %s", answer.Status, p.Detail)
			}
		}
		conns[7].Close()
		synctest.Wait()
		conn := dial()
		defer conn.Close()
		if answer, _ := request(t, conn, "GET /api/v1/status HTTP/1.1\r\nHost: box\r\n\r\n"); answer.StatusCode != http.StatusOK {
			t.Errorf("after one has gone: %s", answer.Status)
		}
	})
}

func TestNoMoreBodiesAreTakenAtATimeThanFitTheMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, uitest.New())
		defer stop()
		for range 8 { // they promise and do not send: each has its place for 10 s
			conn := dial()
			defer conn.Close()
			if _, err := io.WriteString(conn, "POST /api/v1/config/check HTTP/1.1\r\nHost: box\r\nContent-Length: 10\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
		}
		<-time.After(time.Second)
		conn := dial()
		defer conn.Close()
		body, began := "version: 1", time.Now()
		answer, _ := request(t, conn, fmt.Sprintf("POST /api/v1/config/check HTTP/1.1\r\nHost: box\r\nContent-Type: application/yaml\r\nContent-Length: %d\r\n\r\n%s", len(body), body))
		if took := time.Since(began); answer.StatusCode != http.StatusOK || took != 9*time.Second {
			t.Errorf("the ninth: %s after %v", answer.Status, took)
		}
	})
}

func TestBodyThatIsTooLargeIsNotEvenRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, uitest.New())
		defer stop()
		answer, p := request(t, dial(), "POST /api/v1/config/apply HTTP/1.1\r\nHost: box\r\nContent-Length: 104857600\r\nExpect: 100-continue\r\n\r\n")
		if answer.StatusCode != http.StatusRequestEntityTooLarge || !strings.Contains(p.Detail, "1048576 bytes") {
			t.Errorf("%s: %s", answer.Status, p.Detail)
		}
		answer, p = request(t, dial(), "GET /api/v1/live HTTP/1.1\r\nHost: box\r\nContent-Length: 1\r\n\r\nx")
		if answer.StatusCode != http.StatusBadRequest || p.Detail != "a GET carries nothing" {
			t.Errorf("%s: %s", answer.Status, p.Detail)
		}
	})
}

func TestBodyThatDoesNotComeWholeIsNotTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dial, stop := serve(t, uitest.New())
		defer stop()
		for _, body := range []string{"Content-Length: 20\r\n\r\nversion: 1", "Transfer-Encoding: chunked\r\n\r\na\r\nversion: 1\r\n"} {
			answer, p := request(t, dial(), "POST /api/v1/config/check HTTP/1.1\r\nHost: box\r\nContent-Type: application/yaml\r\n"+body)
			if answer.StatusCode != http.StatusRequestTimeout || p.Cure != "send the whole body at once" {
				t.Errorf("%s: %s", answer.Status, p.Detail)
			}
		}
	})
}
