package main

import (
	"bytes"
	"context"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/board/sim/phone"
)

// paper is what the program writes.
type paper struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.b.String()
}

func TestProviderCallsWhoSignsInAndAnswersHim(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	var parts sync.WaitGroup
	defer parts.Wait()
	defer cancel()
	var out paper
	const at = "127.84.1.1:5070"
	parts.Go(func() {
		if code := run(ctx, []string{"-listen", at, "-user", "77", "-password", "kites", "-call", "77", "-answer", "10ms"}, &out, &out); code != 0 {
			t.Errorf("ended with %d\n%s", code, &out)
		}
	})
	p, err := phone.New(phone.Options{Server: netip.MustParseAddrPort(at), Listen: netip.MustParseAddrPort("127.84.1.2:0"), User: "77", Password: "kites",
		Retry: 100 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	parts.Go(func() { _ = p.Run(ctx) })
	in, err := p.WaitCall(ctx)
	if err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	if err := in.Answer(); err != nil {
		t.Fatal(err)
	}
	if err := in.WaitHears(ctx, 440); err != nil {
		t.Fatal(err)
	}
	call, err := p.Dial(ctx, "0123")
	if err != nil {
		t.Fatal(err)
	}
	if err := call.WaitHears(ctx, 440); err != nil {
		t.Fatal(err)
	}
	if text := out.String(); !strings.Contains(text, "signed in: sip:77@127.84.1.2") || !strings.Contains(text, "calls sip:0123@") {
		t.Errorf("said\n%s", text)
	}
}
