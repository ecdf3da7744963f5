package sound

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net"
	"net/netip"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"branchline/hal/dsp"
)

// Flow is what two descriptions agreed on; see Agree. The zero value sends nothing.
type Flow struct {
	To       netip.AddrPort
	Sends    bool // we may speak
	Receives bool // we listen
	Codec    Codec
	Events   uint8       // payload type of telephone events to send; 0: the other side has none
	In       [128]string // what each payload type means that comes in
	Quiet    bool        // send silence instead of the tone: the phone's own hold
}

// Session is the sound of one call. New opens its socket, Run works it and closes it. All methods
// may be called from any goroutine at any time, and none but Run waits.
type Session struct {
	onKey func(byte)
	flow  atomic.Pointer[Flow]
	tone  atomic.Uint64 // bits of the Hz; 0: silence
	loss  atomic.Uint64 // bits of the share of packets to lose
	mute  atomic.Bool
	ear   ear

	mu    sync.Mutex
	conns []*net.UDPConn // the last one speaks, all listen
	ended bool
	keys  []byte  // to be pressed
	pcm   []int16 // to be said
}

const amplitude = 8000 // peak of the tone: about -14 dBm0, as loud as a person

// New opens a socket on host. onKey hears of every key the other side presses, from Run's
// goroutines; it must not wait. It may be nil.
func New(host netip.Addr, onKey func(byte)) (*Session, error) {
	conn, err := listenEven(host)
	if err != nil {
		return nil, fmt.Errorf("open RTP port: %w", err)
	}
	if onKey == nil {
		onKey = func(byte) {}
	}
	s := &Session{onKey: onKey, conns: []*net.UDPConn{conn}}
	s.flow.Store(&Flow{})
	return s, nil
}

// listenEven prefers an even port, as RFC 3550 11 has it.
func listenEven(host netip.Addr) (*net.UDPConn, error) {
	addr := net.UDPAddrFromAddrPort(netip.AddrPortFrom(host, 0))
	for range 8 {
		conn, err := net.ListenUDP("udp", addr)
		if err != nil {
			return nil, err
		}
		if localOf(conn).Port()%2 == 0 {
			return conn, nil
		}
		if err := conn.Close(); err != nil {
			return nil, err
		}
	}
	return net.ListenUDP("udp", addr)
}

func localOf(conn *net.UDPConn) netip.AddrPort {
	return conn.LocalAddr().(*net.UDPAddr).AddrPort()
}

// Port is where the session listens.
func (s *Session) Port() uint16 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return localOf(s.conns[0]).Port()
}

// Set changes what is sent and understood, from the next frame on.
func (s *Session) Set(f Flow) { s.flow.Store(&f) }

// Flow is what is set.
func (s *Session) Flow() Flow { return *s.flow.Load() }

// SetTone says a sine of hz from now on; 0 is silence.
func (s *Session) SetTone(hz float64) { s.tone.Store(math.Float64bits(hz)) }

// Play says pcm (8 kHz) once instead of the tone; what was playing goes on before it.
func (s *Session) Play(pcm []int16) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pcm = append(s.pcm, pcm...)
}

// Press queues keys to be sent as telephone events, 100 ms each.
func (s *Session) Press(keys string) error {
	keys = strings.ToUpper(keys)
	for i := range len(keys) {
		if strings.IndexByte(keyNames, keys[i]) < 0 {
			return fmt.Errorf("press %q: no such key", keys[i])
		}
	}
	if s.Flow().Events == 0 {
		return errors.New("press keys: the other side takes no telephone events")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys = append(s.keys, keys...)
	return nil
}

// Lose drops this share (0 to 1) of the packets that would be sent: a bad network.
func (s *Session) Lose(share float64) { s.loss.Store(math.Float64bits(share)) }

// Mute stops all sending, as if the cable were out; what comes in is still heard.
func (s *Session) Mute(on bool) { s.mute.Store(on) }

// Heard is what came in during the time d up to now (at most 10 s), 8 kHz, oldest first; lost packets and
// pauses are silence.
func (s *Session) Heard(d time.Duration) []int16 { return s.ear.last(time.Now(), d) }

// Keys is every key heard so far, in order.
func (s *Session) Keys() string {
	s.ear.mu.Lock()
	defer s.ear.mu.Unlock()
	return string(s.ear.keys)
}

// NoteKey adds a key that came another way (SIP INFO).
func (s *Session) NoteKey(key byte) { s.ear.note(key) }

// Packets is how many packets of sound or keys were taken in.
func (s *Session) Packets() int {
	s.ear.mu.Lock()
	defer s.ear.mu.Unlock()
	return s.ear.packet
}

// Move goes on from another socket: the phone's address has changed behind a router, or somebody
// forges its sound. The old one keeps listening.
func (s *Session) Move() (netip.AddrPort, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended || len(s.conns) == maxSockets {
		return netip.AddrPort{}, errors.New("move RTP: the call is over, or moved too often")
	}
	conn, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(localOf(s.conns[0]).Addr(), 0)))
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("move RTP: %w", err)
	}
	s.conns = append(s.conns, conn)
	return localOf(conn), nil
}

const maxSockets = 16

// Run works the session until ctx ends; then its sockets are closed. It is called once, always.
func (s *Session) Run(ctx context.Context) {
	var wg sync.WaitGroup
	defer wg.Wait()
	defer s.close()
	v := voice{s: s, ssrc: rand.Uint32(), seq: uint16(rand.Uint32()), stamp: rand.Uint32(), fresh: true}
	listening, next := 0, time.Now()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer.C:
		}
		s.mu.Lock()
		conns := s.conns
		s.mu.Unlock()
		for ; listening < len(conns); listening++ {
			conn := conns[listening]
			wg.Go(func() { s.listen(conn) })
		}
		v.frame(conns[len(conns)-1])
		next = next.Add(frameTime)
		if time.Since(next) > time.Second { // the machine stood still: do not make up for it
			next = time.Now()
		}
		timer.Reset(time.Until(next))
	}
}

func (s *Session) close() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for _, c := range s.conns {
		_ = c.Close() // ends its listen
	}
}

// listen takes in packets until conn is closed.
func (s *Session) listen(conn *net.UDPConn) {
	var buf [2048]byte
	var pcm [2048]int16
	for {
		n, _, err := conn.ReadFromUDPAddrPort(buf[:])
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err == nil { // else an ICMP of the other side: it may come back
			s.take(time.Now(), buf[:n], pcm[:])
		}
	}
}

// take is one packet from the wire. It does not allocate but for keys.
func (s *Session) take(now time.Time, b []byte, pcm []int16) {
	p, ok := readPacket(b)
	f := s.flow.Load()
	if !ok || !f.Receives {
		return
	}
	switch f.In[p.payloadType] {
	case "PCMU":
		dsp.DecodeULaw(pcm[:len(p.payload)], p.payload)
		s.ear.hear(now, p.ssrc, p.stamp, pcm[:len(p.payload)])
	case "PCMA":
		dsp.DecodeALaw(pcm[:len(p.payload)], p.payload)
		s.ear.hear(now, p.ssrc, p.stamp, pcm[:len(p.payload)])
	case eventName:
		if e, ok := readEvent(p.payload); ok {
			if key, fresh := s.ear.press(p.ssrc, p.stamp, e); fresh {
				s.onKey(key)
			}
		}
	}
}
