package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"branchline/board/sim/phone"
	"branchline/ui"
	"branchline/ui/api"
)

const (
	pairs   = 8 // calls between phones, all recorded, every second one mixed
	settle  = 2 * time.Second
	listen  = 10 * time.Second // of each load
	repeats = 2                // of all loads in turn; the machine is used by others, too

	unseen  = time.Millisecond      // what nobody can measure for certain: more than alone
	unheard = 10 * time.Millisecond // what a phone's jitter buffer hides
)

// lateness measures how late the ticks of the sound begin, alone and beside each of the loads.
func (b *bench) lateness() error {
	if err := b.rubbish(); err != nil {
		return err
	}
	c, err := b.start()
	if err != nil {
		return err
	}
	b.client = &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return ui.DialUnix(ctx, b.dir)
	}}}
	defer b.client.CloseIdleConnections()
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
	var house sync.WaitGroup
	if err = b.talk(ctx, &house); err == nil {
		house.Go(func() { b.move(ctx) })
		err = b.loads(ctx, c)
	}
	cancel()
	house.Wait()
	return firstOf(err, stop(c))
}

// lateDocument is document with phones that call each other, and a caller who is welcomed by rubbish.
func (b *bench) lateDocument() []byte {
	text := strings.ReplaceAll(string(b.document()), "127.0.0.1:8088", b.page())
	var phones strings.Builder
	for i := range 2 * pairs {
		fmt.Fprintf(&phones, "  - { number: \"%d\", name: Desk, password: plum-cake-%d, record: true }\n", 300+i, 300+i)
	}
	text = strings.Replace(text, "extensions:\n", "extensions:\n"+phones.String(), 1)
	return []byte(strings.Replace(text, "steps: [ {", "steps: [ { name: welcome, play: [noise] }, {", 1))
}

func (b *bench) page() string { return b.address.String() + ":8088" }

// rubbish lays prompts into the folder that are none: 31 MB of noise, and a hole of a terabyte.
func (b *bench) rubbish() error {
	dir := filepath.Join(b.dir, "prompts", "en")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	noise := make([]byte, 31<<20)
	_, _ = rand.NewChaCha8([32]byte{}).Read(noise) // never fails
	claims := append([]byte("RIFF\x00\x00\x00\x00WAVE"), noise...)
	return firstOf(
		os.WriteFile(filepath.Join(dir, "noise.wav"), noise, 0o600),
		os.WriteFile(filepath.Join(dir, "claims.wav"), claims, 0o600),
		os.WriteFile(filepath.Join(dir, "huge.wav"), nil, 0o600),
		os.Truncate(filepath.Join(dir, "huge.wav"), 1<<40),
		os.WriteFile(b.seed(), b.lateDocument(), 0o600),
	)
}

// talk has all phones talk until ctx ends.
func (b *bench) talk(ctx context.Context, house *sync.WaitGroup) error {
	for i := range pairs {
		codec := [2]string{"PCMA", "PCMA"}
		if i%2 > 0 {
			codec[1] = "PCMU"
		}
		from, err := b.desk(ctx, house, fmt.Sprint(300+2*i), codec[0])
		if err != nil {
			return err
		}
		to := fmt.Sprint(301 + 2*i)
		if _, err := b.desk(ctx, house, to, codec[1]); err != nil {
			return err
		}
		c, err := from.Dial(ctx, to)
		if err != nil {
			return err
		}
		if err := c.WaitState(ctx, phone.Talking); err != nil {
			return fmt.Errorf("call to %s: %w", to, err)
		}
	}
	ana, err := b.desk(ctx, house, "201", "PCMA")
	if err != nil {
		return err
	}
	return b.signIn(ctx, ana)
}

// desk is a phone that answers by itself and hums.
func (b *bench) desk(ctx context.Context, house *sync.WaitGroup, user, codec string) (*phone.Phone, error) {
	p, err := phone.New(phone.Options{
		Server: netip.AddrPortFrom(b.address, 5060), Listen: netip.AddrPortFrom(b.address, 0), User: user, Password: "plum-cake-" + user,
		Codecs: []string{codec}, Auto: phone.AnswerAfter(0), Tone: 440, Retry: 100 * time.Millisecond, Log: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		return nil, err
	}
	house.Go(func() { _ = p.Run(ctx) }) // it ends with ctx
	return p, p.Registered(ctx)
}

// move has something happen all the time, so that a page has something to show: an agent who cannot
// make up her mind, and now and then a caller.
func (b *bench) move(ctx context.Context) {
	beat := time.NewTicker(200 * time.Millisecond)
	defer beat.Stop()
	for i := 0; ; i++ {
		select {
		case <-ctx.Done():
			return
		case <-beat.C:
		}
		wish := [2]string{"ready", "not-ready"}[i%2]
		_ = b.post(ctx, "agents/1001/"+wish, nil) // in a call she is refused
		if i%50 == 0 {
			_ = b.post(ctx, "sim/calls", api.OutsideCall{From: "+4930551", Script: "tone 440; hangup after 6s"})
		}
	}
}

func (b *bench) post(ctx context.Context, path string, body any) error {
	raw, err := json.Marshal(body)
	if err != nil {
		return err
	}
	var reader *bytes.Reader
	if reader = bytes.NewReader(raw); body == nil {
		reader = bytes.NewReader(nil)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://box/api/v1/"+path, reader)
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	res, err := b.client.Do(r)
	if err != nil {
		return err
	}
	return res.Body.Close()
}

// loads measures beside each load in turn, several times, and tells the best of each: what is worse
// may be the machine's.
func (b *bench) loads(ctx context.Context, box *exec.Cmd) error {
	list := []struct {
		name string
		goal time.Duration // of p99, beyond that of alone
		run  func(context.Context)
	}{
		{"alone", unheard, func(ctx context.Context) { <-ctx.Done() }},
		{"100 pages that read", unseen, func(ctx context.Context) { b.pages(ctx, 100, false) }},
		{"1,000 pages, most refused or deaf", unheard, func(ctx context.Context) { b.pages(ctx, 1000, true) }},
		{"100 MB configurations", unheard, b.configurations},
		{"prompts that are none", unheard, b.noPrompts},
	}
	fmt.Printf("\nhow late the ticks of the sound begin, %d calls up, %v of each, best of %d:\n", pairs, listen, repeats)
	best := make([]api.Sound, len(list))
	memory := make([]float64, len(list))
	for round := range repeats {
		for i, load := range list {
			s, err := b.beside(ctx, load.run)
			if err != nil {
				return fmt.Errorf("%s: %w", load.name, err)
			}
			memory[i] = max(memory[i], resident(box.Process.Pid))
			if round == 0 || s.Began.P99us < best[i].Began.P99us {
				best[i] = s
			}
		}
	}
	ms := func(us int64) float64 { return float64(us) / 1000 }
	for i, load := range list {
		s := best[i]
		goal := best[0].Began.P99us + load.goal.Microseconds()
		fmt.Printf("%-36s late p50 %.2f, p99 %.2f, max %.2f ms; took p50 %.2f, p99 %.2f ms; %d of %d over 10 ms; %.0f MB (goal p99 ≤ %.2f ms)\n",
			load.name, ms(s.Began.P50us), ms(s.Began.P99us), ms(s.Began.MaxUs), ms(s.Took.P50us), ms(s.Took.P99us), s.LateTicks, s.Ticks, memory[i], ms(goal))
		b.missed = b.missed || s.Began.P99us > goal
	}
	return nil
}

// beside measures while load runs, and waits for its end.
func (b *bench) beside(ctx context.Context, load func(context.Context)) (s api.Sound, err error) {
	ctx, cancel := context.WithCancel(ctx)
	var one sync.WaitGroup
	one.Go(func() { load(ctx) })
	defer one.Wait()
	defer cancel()
	select {
	case <-ctx.Done():
		return s, ctx.Err()
	case <-time.After(settle + listen):
	}
	res, err := b.client.Get(fmt.Sprintf("http://box/api/v1/sound?seconds=%d", listen/time.Second))
	if err != nil {
		return s, err
	}
	defer res.Body.Close()
	if err := json.NewDecoder(res.Body).Decode(&s); err != nil {
		return s, err
	}
	if s.Ticks == 0 {
		return s, errors.New("no tick was told")
	}
	return s, nil
}
