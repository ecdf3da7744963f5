// Package wire is the way to SIP peers: sockets, messages, transactions. It is the only importer
// of sipgo, of which it takes the UDP transport, the parser and the transaction machines, and it
// mends what they let through (each mend says which pitfall it is for).
//
// Connections, by TCP and TLS, it has from package stream.
//
// It promises: everything happens on the goroutine of Run, one message after the other in the
// order in which they came, so that a CANCEL never overtakes its INVITE and nothing above needs
// a lock; a request that reaches the Handler is complete and well formed; responses and requests
// go out on a Flow, from the very socket on which its peer is heard; a panic costs the message
// that caused it. Start reading at Wire.
package wire

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"runtime/debug"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"

	"branchline/pbx/sip/stream"
)

// Handler is what stands above the wire. All calls come on the goroutine of Run.
type Handler interface {
	// Request handles r, which is new: not a retransmission, not an ACK of a refusal.
	Request(r *Request)
	// Cancelled says that the peer takes back invite, which was kept and has no final response yet.
	// The CANCEL itself is answered; why is its Reason header.
	Cancelled(invite *Request, why string)
	// Broken says that handling a message or timer of callID panicked: what belongs to it must go.
	Broken(callID string)
	// Lost says that flow, a connection, is no more. What was sent on it fails by itself.
	Lost(flow Flow)
}

// Watcher is a Handler that also wants to hear of messages that were cut short or lengthened on their way:
// their Content-Length says another length than they have. It is told on the goroutine of Run.
type Watcher interface{ Altered(flow Flow) }

// Wire is a set of sockets with their transactions. Requests and responses are sent only on the
// goroutine of Run; everybody else hands it a function by Post.
type Wire struct {
	log       *slog.Logger
	quiet     *slog.Logger // for sipgo, which logs whole datagrams
	seed      maphash.Seed
	listeners []*listener
	streams   *stream.Server // TCP and TLS; nil where there is none
	door      *Door
	inbox     chan any // *Request of phones that are signed in, and *Response
	strangers chan any // *Request of all others, which wait behind the inbox
	wake      chan struct{}
	stop      <-chan struct{} // closed when Run shall end
	ctx       context.Context // of Run: dialling ends with it
	handler   Handler
	tap       Tap // nil: nobody listens
	drains    sync.WaitGroup
	dropped   atomic.Uint64 // messages that were no SIP or broken
	panics    atomic.Uint64 // in reading
	stumbles  stumbles

	servers map[string]*Request // kept, by key
	clients map[string]*client  // sent, by branch and method
	revoked map[string]*Request // sent before a restart and taken back, by branch
	branch  uint64
	sentBy  string // see Advertise

	recent map[string][]byte // responses to requests that were remembered, by key
	ring   []string          // their keys; the oldest makes room
	oldest int

	mu     sync.Mutex // guards what follows
	posted []job
}

type job struct {
	callID string
	do     func()
}

const (
	maxPosted  = 1 << 17 // functions that wait for the goroutine of Run
	maxServers = 1 << 14 // transactions with requests of peers; about 3.6 kB each
	maxRecent  = 1 << 12 // answers that are remembered; about 1 kB each
)

// ErrFull says that a Post was refused because too much waits already.
var ErrFull = errors.New("wire: too many orders wait")

// New makes a wire. Open and Run start it.
func New(log *slog.Logger) *Wire {
	w := &Wire{
		log:       log,
		seed:      maphash.MakeSeed(),
		door:      &Door{},
		inbox:     make(chan any, 512),
		strangers: make(chan any, 256),
		wake:      make(chan struct{}, 1),
		servers:   map[string]*Request{},
		clients:   map[string]*client{},
		revoked:   map[string]*Request{},
		recent:    map[string][]byte{},
		branch:    maphash.String(maphash.MakeSeed(), "branch"), // a random start
	}
	w.quiet = slog.New(slog.DiscardHandler)
	return w
}

// GuardBy has a door of the caller's decide who may come in, in place of one of its own. It comes before Open.
func (w *Wire) GuardBy(d *Door) { w.door = d }

// T1 is the round-trip estimate of RFC 3261, 500 ms.
func T1() time.Duration { return sip.T1 }

// SetTimers changes the timers of RFC 3261 for the whole process. It is for tests that have no half
// minute, before anything runs.
func SetTimers(t1, t2, t4 time.Duration) { sip.SetTimers(t1, t2, t4) }

// T2 is the longest pause between repetitions of a message, 4 s.
func T2() time.Duration { return sip.T2 }

// Run receives and works until ctx ends, and closes the sockets. It returns nil when ctx ends.
func (w *Wire) Run(ctx context.Context, h Handler) error {
	ctx, cancel := context.WithCancel(ctx)
	w.stop, w.handler = ctx.Done(), h
	w.ctx = ctx
	broken := make(chan error, len(w.listeners)+1)
	var readers sync.WaitGroup
	for _, l := range w.listeners {
		readers.Go(func() { broken <- l.run(ctx) })
	}
	if w.streams != nil {
		readers.Go(func() { broken <- w.streams.Run() })
	}
	defer func() {
		cancel()
		w.Close()
		for _, r := range w.servers {
			r.server.Terminate()
		}
		for _, c := range w.clients {
			c.tx.Terminate()
		}
		w.drains.Wait()
		readers.Wait()
	}()
	minute := time.NewTicker(time.Minute)
	defer minute.Stop()
	for {
		w.ahead(h)
		select {
		case <-ctx.Done():
			return nil
		case err := <-broken:
			if ctx.Err() != nil {
				return nil
			}
			return err
		case m := <-w.inbox:
			w.receive(m, h)
		case m := <-w.strangers:
			w.receive(m, h)
		case <-w.wake:
			for _, j := range w.take() {
				w.guard(h, j.callID, j.do)
			}
		case <-minute.C:
			if n := w.dropped.Swap(0); n > 0 {
				w.log.Warn("messages dropped that were not SIP or broken", "count", n)
			}
			w.stumbles.report(w.log)
		}
	}
}

// ahead works off what peers that are known have sent, where strangers wait too.
func (w *Wire) ahead(h Handler) {
	if len(w.strangers) == 0 {
		return // all have their turn as they come
	}
	for range len(w.inbox) {
		w.receive(<-w.inbox, h)
	}
}

// Close ends the sockets of a wire that will not Run, or runs no more.
func (w *Wire) Close() {
	for _, l := range w.listeners {
		l.conn.Close()
	}
	if w.streams != nil {
		w.streams.Close()
	}
}

// Post has f done on the goroutine of Run. It never waits.
func (w *Wire) Post(f func()) error { return w.post(job{do: f}) }

// After has f done on the goroutine of Run when d has passed; a panic in it is callID's. stop
// prevents what has not begun; it may be called on the goroutine of Run only.
func (w *Wire) After(d time.Duration, callID string, f func()) (stop func()) {
	stopped := false
	t := time.AfterFunc(d, func() {
		_ = w.post(job{callID, func() {
			if !stopped {
				f()
			}
		}})
	})
	return func() { stopped = true; t.Stop() }
}

func (w *Wire) post(j job) error {
	w.mu.Lock()
	full := len(w.posted) >= maxPosted
	if !full {
		w.posted = append(w.posted, j)
	}
	w.mu.Unlock()
	if full {
		return ErrFull
	}
	select {
	case w.wake <- struct{}{}:
	default:
	}
	return nil
}

func (w *Wire) take() []job {
	w.mu.Lock()
	defer w.mu.Unlock()
	jobs := w.posted
	w.posted = nil
	return jobs
}

// guard does f; a panic costs what belongs to callID and nothing else.
func (w *Wire) guard(h Handler, callID string, f func()) (ok bool) {
	defer func() {
		if v := recover(); v != nil {
			w.log.Error("SIP handling broke", "call", callID, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
			if callID != "" {
				w.guard(h, "", func() { h.Broken(callID) })
			}
		}
	}()
	f()
	return true
}

// receive finds the transaction of a message, or hands it to h as new.
func (w *Wire) receive(m any, h Handler) {
	switch m := m.(type) {
	case *Response:
		if c := w.clients[m.branch+" "+m.method]; c != nil {
			w.guard(h, c.req.CallID, func() { c.receive(m) })
			return
		}
		w.stray(m, h)
	case *Request:
		if !w.guard(h, m.CallID, func() { w.request(m, h) }) && m.final == 0 && m.Method != "ACK" {
			w.guard(h, "", func() { _ = m.Reply(Response{Code: 500}) })
		}
	}
}

func (w *Wire) request(r *Request, h Handler) {
	key := r.key(r.Method)
	if answer := w.recent[key]; answer != nil {
		_ = w.writeBytes(r.back(), answer)
		return
	}
	if known := w.servers[key]; known != nil && (r.Method != "ACK" || known.final >= 300) {
		_ = known.server.Receive(r.bare()) // a retransmission, or the ACK of a refusal
		return
	}
	if r.Method != "CANCEL" {
		h.Request(r)
		return
	}
	invite := w.servers[r.key("INVITE")]
	if invite == nil && r.known { // it may have come before its sender was known, and wait with the strangers
		for range len(w.strangers) {
			w.receive(<-w.strangers, h)
		}
		invite = w.servers[r.key("INVITE")]
	}
	if invite == nil || invite.CallID != r.CallID {
		_ = r.Reply(Response{Code: 481})
		return
	}
	_ = r.Reply(Response{Code: 200})
	if invite.final == 0 {
		h.Cancelled(invite, r.Header("Reason"))
	}
}

// Keep makes r a transaction: its retransmissions are answered with the last response and do not
// reach the Handler again. A request that is refused before anybody is known to stand behind it
// needs none (RFC 3261 8.2.7). false: there are too many; r was answered 503.
func (r *Request) Keep() bool {
	if r.server != nil {
		return true
	}
	w := r.wire
	if len(w.servers) >= maxServers {
		_ = r.Reply(Response{Code: 503, Headers: []Header{{"Retry-After", "10"}}})
		return false
	}
	key := r.key(r.Method)
	r.server = sip.NewServerTx(key, r.bare(), &link{wire: w, flow: r.back()}, w.quiet)
	_ = r.server.Init() // never fails
	r.server.OnTerminate(func(string, error) {
		_ = w.post(job{do: func() { delete(w.servers, key) }})
	})
	w.servers[key] = r
	return true
}

// bare is what a transaction machine needs of a request.
func (r *Request) bare() *sip.Request {
	m := sip.NewRequest(sip.RequestMethod(r.Method), sip.Uri{})
	m.SetTransport(strings.ToUpper(r.Flow.Network))
	return m
}

// Remember is a lesser Keep, for requests that come by the thousand: the answer alone is held for
// retransmissions, for as long as it is among the newest. A transaction of sipgo's holds 3.6 kB
// for 32 s (sipgo v1.7.2).
func (r *Request) Remember() { r.remember = true }

func (w *Wire) remember(key string, answer []byte) {
	if len(w.ring) < maxRecent {
		w.ring = append(w.ring, key)
	} else {
		delete(w.recent, w.ring[w.oldest])
		w.ring[w.oldest] = key
		w.oldest = (w.oldest + 1) % maxRecent
	}
	w.recent[key] = answer
}

// Reply answers r. A request that was kept takes no second final response, but a 2xx to an INVITE
// may be sent again.
func (r *Request) Reply(res Response) error {
	m := r.response(&res)
	if r.server == nil {
		if res.Code >= 200 {
			r.final = res.Code
		}
		b := marshal(m)
		if r.remember {
			r.wire.remember(r.key(r.Method), b)
		}
		return r.wire.writeBytes(r.back(), b)
	}
	if r.final != 0 && (res.Code < 200 || r.final >= 300 || res.Code >= 300) {
		return fmt.Errorf("%s %s: already answered %d", r.Method, r.CallID, r.final)
	}
	if res.Code >= 200 {
		r.final = res.Code
	}
	return r.server.Respond(m)
}

// Answered is the code of the final response that r was given, 0 while there is none.
func (r *Request) Answered() int { return r.final }

// tag makes the To tag of a response without state: the same for the same request.
func (w *Wire) tag(r *Request) string {
	return strconv.FormatUint(maphash.String(w.seed, r.CallID+" "+r.From.Text+" "+r.branch), 36)
}

// newBranch makes a branch that nobody can guess.
func (w *Wire) newBranch() string {
	w.branch++
	return sip.RFC3261BranchMagicCookie + strconv.FormatUint(w.branch, 36) +
		strconv.FormatUint(maphash.Comparable(w.seed, w.branch), 36)
}

// localAddr is the listener of a local address.
func (w *Wire) listener(local netip.AddrPort) *listener {
	for _, l := range w.listeners {
		if l.local == local {
			return l
		}
	}
	return nil
}
