package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// pages has n browsers open the live page until ctx ends. Of a crowd every second one that was let in
// never reads on, and who was refused tries again every second.
func (b *bench) pages(ctx context.Context, n int, crowd bool) {
	var all sync.WaitGroup
	for i := range n {
		all.Go(func() {
			for ctx.Err() == nil {
				b.watch(ctx, crowd && i%2 > 0)
				select {
				case <-ctx.Done():
				case <-time.After(time.Second):
				}
			}
		})
	}
	all.Wait()
}

// watch is one visit to the live page.
func (b *bench) watch(ctx context.Context, deaf bool) {
	conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", b.page())
	if err != nil {
		return
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	if _, err := fmt.Fprintf(conn, "GET /api/v1/live HTTP/1.1\r\nHost: %s\r\n\r\n", b.page()); err != nil {
		return
	}
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil || res.StatusCode != http.StatusOK {
		return
	}
	if deaf {
		<-ctx.Done()
		return
	}
	_, _ = io.Copy(io.Discard, res.Body) // until either side has had enough
}

// configurations has four programs send 100 MB each, again and again.
func (b *bench) configurations(ctx context.Context) {
	b.again(ctx, 4, func() (string, io.Reader) { return "config/apply", io.LimitReader(zeros{}, 100<<20) })
}

// noPrompts has four programs ask whether prompts can be played that are none.
func (b *bench) noPrompts(ctx context.Context) {
	text := strings.Replace(string(b.lateDocument()), "play: [noise]", "play: [noise, claims, huge]", 1)
	b.again(ctx, 4, func() (string, io.Reader) { return "config/check", strings.NewReader(text) })
}

// again has so many programs post what next gives until ctx ends. It is bounded by their number: each
// waits for its answer.
func (b *bench) again(ctx context.Context, programs int, next func() (path string, body io.Reader)) {
	var all sync.WaitGroup
	for range programs {
		all.Go(func() {
			for ctx.Err() == nil {
				path, body := next()
				r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.page()+"/api/v1/"+path, body)
				if err != nil {
					return
				}
				r.Header.Set("Content-Type", "application/yaml")
				if res, err := http.DefaultClient.Do(r); err == nil {
					_, _ = io.Copy(io.Discard, res.Body)
					res.Body.Close()
				}
			}
		})
	}
	all.Wait()
}

// zeros is a file without end.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) { clear(p); return len(p), nil }
