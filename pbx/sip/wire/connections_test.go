package wire

import (
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

func TestWhatWaitsOnALostConnectionFails(t *testing.T) {
	kept, failed := make(chan *Request, 1), make(chan *Response, 1)
	lost := make(chan Flow, 1)
	var w *Wire
	w, at, _ := start(t, desk{
		request: func(r *Request) { r.Keep(); kept <- r },
		lost:    func(f Flow) { lost <- f },
	})
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text := peer{t: t, UDPConn: dial(t, at).UDPConn}.text("INVITE", "Content-Length: 0")
	if _, err := io.WriteString(c, strings.Replace(text, "/UDP ", "/TCP ", 1)); err != nil {
		t.Fatal(err)
	}
	r := <-kept
	ask := &Request{Method: "OPTIONS", URI: r.URI, Flow: r.Flow, From: r.To, To: r.From, CallID: "ours", CSeq: 1}
	inside := func(f func()) {
		done := make(chan struct{})
		if err := w.Post(func() { f(); close(done) }); err != nil {
			t.Fatal(err)
		}
		<-done
	}
	inside(func() {
		if err := w.Send(ask, func(res *Response) { failed <- res }); err != nil {
			t.Error(err)
		}
	})
	b := make([]byte, 4096)
	if n, err := c.Read(b); err != nil || !strings.HasPrefix(string(b[:n]), "OPTIONS ") {
		t.Errorf("heard %q, %v", b[:n], err)
	}
	c.Close()
	if f := <-lost; f != r.Flow {
		t.Errorf("lost %+v, want %+v", f, r.Flow)
	}
	select {
	case res := <-failed:
		if !res.Local {
			t.Errorf("answered %d", res.Code)
		}
	case <-time.After(time.Second):
		t.Error("the request still waits")
	}
	inside(func() {
		if r.Reply(Response{Code: 503}) == nil {
			t.Error("answered on a connection that is no more")
		}
		if w.Send(&Request{Method: "BYE", URI: r.URI, Flow: r.Flow, From: r.To, To: r.From, CallID: "o", CSeq: 2}, func(*Response) {}) == nil {
			t.Error("sent on a connection that is no more")
		}
	})
	for range 100 { // transactions end by a post of their own
		left := 0
		inside(func() { left = len(w.servers) + len(w.clients) })
		if left == 0 {
			return
		}
		<-time.After(10 * time.Millisecond)
	}
	t.Errorf("%d server and %d client transactions are left", len(w.servers), len(w.clients))
}

func TestRequestsGoOnNoOtherConnection(t *testing.T) { // sipgo v1.7.2 does otherwise
	came := make(chan *Request, 1)
	var w *Wire
	w, at, _ := start(t, desk{request: func(r *Request) { came <- r }})
	c, err := net.Dial("tcp", at.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	text := peer{t: t, UDPConn: dial(t, at).UDPConn}.text("OPTIONS", "Content-Length: 0")
	if _, err := io.WriteString(c, text); err != nil {
		t.Fatal(err)
	}
	flow := (<-came).Flow
	for _, f := range []Flow{
		{"tcp", flow.Local, flow.Remote, flow.Conn + 1},
		{"tcp", flow.Local, flow.Remote, 0},
		{"tcp", flow.Local, at, flow.Conn},
	} {
		if err := w.writeBytes(f, []byte("x")); err == nil {
			t.Errorf("sent to %+v", f)
		}
	}
	if err := w.writeBytes(flow, []byte("x")); err != nil {
		t.Error(err)
	}
}
