package media

import (
	"errors"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"branchline/hal"
	"branchline/hal/dsp"
	"branchline/pbx/media/mail"
)

// desk turns a Worker's ticks by hand, in one goroutine.
type desk struct {
	t testing.TB
	*Worker
}

func newDesk(t testing.TB, o Options) *desk {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Country == "" {
		o.Country = "DE"
	}
	return &desk{t, New(o)}
}

// order gives orders and carries them out, prompts included.
func (d *desk) order(orders ...hal.Order) {
	d.t.Helper()
	for _, o := range orders {
		if err := d.Do(o); err != nil {
			d.t.Fatalf("%T: %v", o, err)
		}
	}
	d.settle()
}

func (d *desk) settle() {
	d.obey(d.mail.Take())
	for len(d.loads) > 0 {
		one := make(chan *play, 1)
		one <- <-d.loads
		close(one)
		d.load(one)
		d.obey(d.mail.Take())
	}
}

func (d *desk) ticks(n int) {
	for range n {
		d.tick()
	}
}

// told takes the signals that are due.
func (d *desk) told() (list []hal.Signal) {
	for n, ok := d.out.Next(); ok; n, ok = d.out.Next() {
		if n.Kind != mail.Logged {
			list = append(list, n.Signal())
		}
	}
	return list
}

// expect checks the signals that are due.
func (d *desk) expect(want ...hal.Signal) {
	d.t.Helper()
	got := d.told()
	if len(got) != len(want) {
		d.t.Fatalf("told %+v, want %+v", got, want)
	}
	for i := range got {
		if f, ok := got[i].(hal.Failed); ok && want[i] == (hal.Failed{Leg: f.Leg, Ref: f.Ref}) && f.Why != "" {
			continue // the words are free
		}
		if got[i] != want[i] {
			d.t.Fatalf("told %+v, want %+v", got[i], want[i])
		}
	}
}

// party is a leg of PCM: it says a tone and keeps what it hears.
type party struct {
	rate  int
	says  dsp.Generator
	mute  bool
	heard []int16
	keys  bool
	crash bool
}

func (d *desk) party(id hal.LegID, hz float64) *party { return d.partyAt(id, hz, rate) }

func (d *desk) partyAt(id hal.LegID, hz float64, perSecond int) *party {
	p := &party{rate: perSecond, says: dsp.NewGenerator(sine(hz), perSecond)}
	d.Attach(id, p)
	d.settle()
	return p
}

func sine(hz float64) dsp.Cadence { return dsp.Cadence{{Hz: [4]float64{hz}, Gain: 0.25}} }

func (p *party) Rate() int { return p.rate }

func (p *party) Read(pcm []int16) int {
	if p.crash {
		panic("the driver is broken")
	}
	if p.mute {
		return 0
	}
	p.says.Fill(pcm)
	return len(pcm)
}

func (p *party) Write(pcm []int16) int {
	p.heard = append(p.heard, pcm...)
	return len(pcm)
}

func (p *party) KeysInSound() bool { return p.keys }

// hears checks which of the tones arrive at the party, by their level, in what it heard last.
func (p *party) hears(t testing.TB, who string, levels map[float64]float64) {
	t.Helper()
	n := p.rate / 2
	if len(p.heard) < n {
		t.Fatalf("%s heard only %d samples", who, len(p.heard))
	}
	for hz, want := range levels {
		if got := dsp.Level(p.heard[len(p.heard)-n:], p.rate, hz); got < want-0.02 || got > want+0.02 {
			t.Errorf("%s hears %v Hz at %.3f, want %.3f", who, hz, got, want)
		}
	}
}

// shelf is prompts in memory.
type shelf map[string][]int16

func (s shelf) Load(name string) ([]int16, error) {
	if name == "panics" {
		panic("the shelf fell down")
	}
	if pcm, ok := s[name]; ok {
		return pcm, nil
	}
	return nil, errors.New("there is no such file")
}

// reel is a Recorder in memory.
type reel struct {
	t      testing.TB
	files  map[string]*film
	refuse error
}

type film struct {
	pcm    []int16
	closed bool
	done   func(time.Duration, error)
}

func (r *reel) Open(file string, rate int, done func(time.Duration, error)) (Tape, error) {
	if r.refuse != nil {
		return nil, r.refuse
	}
	f := &film{done: done}
	r.files[file] = f
	return f, nil
}

func (f *film) Write(stereo []int16) bool {
	f.pcm = append(f.pcm, stereo...)
	return !f.closed
}

func (f *film) Close() {
	f.closed = true
	f.done(time.Duration(len(f.pcm)/2)*time.Second/rate, nil)
}

// port makes an RTP leg without sockets: packets are handed over by feed, what is sent is lost.
func (d *desk) port(id hal.LegID, s Session) *Port {
	p := d.newPort(id, netip.AddrPort{}, -1, -1)
	p.Negotiated(s)
	d.Attach(id, p)
	d.settle()
	return p
}

func remote(n int) netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, byte(n)}), 4000)
}

func session(n int, c Codec) Session {
	pt := uint8(0)
	if c == PCMA {
		pt = 8
	}
	return Session{Remote: remote(n), Codec: c, PayloadType: pt, DTMF: 101, Send: true, Recv: true}
}
