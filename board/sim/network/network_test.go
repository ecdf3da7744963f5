package network

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"branchline/hal"
)

// phone is a station that does what the test says and remembers what it was told.
type phone struct {
	mu   sync.Mutex
	told []string
	leg  *Leg
	ring func(l *Leg)
}

func (p *phone) note(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.told = append(p.told, fmt.Sprintf(format, args...))
}

func (p *phone) Ring(l *Leg) {
	p.note("ring %s", l.Far())
	p.mu.Lock()
	p.leg = l
	p.mu.Unlock()
	if p.ring != nil {
		p.ring(l)
	}
}
func (p *phone) Alerting(*Leg)                              { p.note("alerting") }
func (p *phone) Answered(*Leg)                              { p.note("answered") }
func (p *phone) Ended(_ *Leg, why hal.Cause)                { p.note("ended %s", why) }
func (p *phone) KeyHeard(_ *Leg, key byte, d time.Duration) { p.note("key %c %v", key, d) }

func (p *phone) heard() string {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return strings.Join(p.told, "; ")
}

// inTown runs f in a bubble with a network and a station at number 100.
func inTown(t *testing.T, f func(t *testing.T, n *Network, p *phone, a *Access)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		n, p := New(slog.New(slog.DiscardHandler)), &phone{}
		a, err := n.Attach("100", p)
		if err != nil {
			t.Fatal(err)
		}
		defer n.Close()
		f(t, n, p, a)
	})
}

// clock exchanges sound at l for d, saying hz, and returns what it hears.
func clock(l *Leg, hz float64, d time.Duration) (heard []int16) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	say, hear := make([]int16, frame), make([]int16, frame)
	for i := range int(d / (20 * time.Millisecond)) {
		for k := range say {
			say[k] = int16(8000 * math.Sin(2*math.Pi*hz*float64(i*frame+k)/sampleRate))
		}
		<-tick.C
		l.Exchange(say, hear)
		heard = append(heard, hear...)
	}
	return heard
}

func level(pcm []int16, hz float64) float64 {
	coeff := 2 * math.Cos(2*math.Pi*hz/sampleRate)
	var s1, s2 float64
	for _, x := range pcm {
		s1, s2 = float64(x)+coeff*s1-s2, s1
	}
	return 2 * math.Sqrt(max(0, s1*s1+s2*s2-coeff*s1*s2)) / float64(len(pcm))
}

func script(t *testing.T, text string) Script {
	t.Helper()
	s, err := ParseScript(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func kinds(c *Call) string {
	synctest.Wait()
	var all []string
	for _, ev := range c.Events() {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s%s", ev.Kind, ev.By, ev.Key, ev.Cause)))
	}
	return strings.Join(all, "; ")
}

func want(t *testing.T, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s\n got %s\nwant %s", what, got, want)
	}
}

func TestCallerFollowsTheScriptOnceAnswered(t *testing.T) {
	inTown(t, func(t *testing.T, n *Network, p *phone, a *Access) {
		var out bytes.Buffer
		n.LedgerTo(&out)
		c, err := n.Call("100", script(t, "from=+4930123; wait 1s; tone 440; key 12; wait 2s; hangup after 1s"))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		p.leg.Ringing()
		time.Sleep(5 * time.Second)
		if err := p.leg.Answer(); err != nil {
			t.Fatal(err)
		}
		heard := clock(p.leg, 700, 5*time.Second)
		<-c.Done()
		want(t, "ledger", kinds(c), "dialled caller; ringing called; answered called; key caller 1; key caller 2; ended caller normal")
		want(t, "told", p.heard(), "ring +4930123; key 1 100ms; key 2 100ms; ended normal")
		if l := level(heard[:7900], 440); l > 50 {
			t.Errorf("440 Hz at %.0f before the tone", l)
		}
		if l := level(heard[8160:8800], 697); l < 4000 {
			t.Errorf("697 Hz at %.0f while 1 is pressed", l)
		}
		if l := level(heard[16000:24000], 440); l < 7500 {
			t.Errorf("440 Hz at %.0f after the keys", l)
		}
		if l := level(c.Heard()[:16000], 700); l < 7500 {
			t.Errorf("the person heard 700 Hz at %.0f", l)
		}
		s := c.State()
		if d := s.Ended.Sub(s.Answered); d < 4300*time.Millisecond || d > 4500*time.Millisecond {
			t.Errorf("talked for %v, want 1 s + two keys of 200 ms + 3 s", d)
		}
		checkLedger(t, out.String(), c)
	})
}

// checkLedger compares the written ledger with what the call knows.
func checkLedger(t *testing.T, text string, c *Call) {
	t.Helper()
	events := c.Events()
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) != len(events) {
		t.Fatalf("%d lines for %d events", len(lines), len(events))
	}
	for i, line := range lines {
		var ev Event
		if err := json.Unmarshal([]byte(line), &ev); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if !ev.At.Equal(events[i].At) || ev.Kind != events[i].Kind || ev.Seq != uint64(i+1) || ev.Call != c.ID() {
			t.Errorf("line %d: %s, want %+v", i+1, line, events[i])
		}
	}
}

func TestPersonsOutsideBehaveAsTheirScriptsSay(t *testing.T) {
	for text, wanted := range map[string]struct{ told, ledger string }{
		"answer after 3s; tone 700; hangup after 20s": {"alerting; answered; ended normal", "dialled caller; ringing called; answered called; ended called normal"},
		"busy":                {"ended busy", "dialled caller; ended network busy"},
		"no answer after 10s": {"alerting; ended no-answer", "dialled caller; ringing called; ended network no-answer"},
		"no answer":           {"alerting; ended no-answer", "dialled caller; ringing called; ended network no-answer"},
		"unallocated":         {"ended unallocated", "dialled caller; ended network unallocated"},
		"switched off":        {"ended unreachable", "dialled caller; ended network unreachable"},
		"congestion after 5s": {"ended congestion", "dialled caller; ended network congestion"},
		"reject after 2s":     {"alerting; ended rejected", "dialled caller; ringing called; ended called rejected"},
		"wait 1s; hangup":     {"alerting; answered; ended normal", "dialled caller; ringing called; answered called; ended called normal"},
	} {
		t.Run(text, func(t *testing.T) {
			inTown(t, func(t *testing.T, n *Network, p *phone, a *Access) {
				n.Person("200", script(t, text))
				l, err := a.Dial("200", false)
				if err != nil {
					t.Fatal(err)
				}
				<-l.Call().Done()
				want(t, "told", p.heard(), wanted.told)
				want(t, "ledger", kinds(l.Call()), wanted.ledger)
			})
		})
	}
}

func TestNumberThatNobodyHasIsUnallocated(t *testing.T) {
	inTown(t, func(t *testing.T, n *Network, p *phone, a *Access) {
		l, err := a.Dial("999", false)
		if err != nil {
			t.Fatal(err)
		}
		<-l.Call().Done()
		want(t, "told", p.heard(), "ended unallocated")
		if _, err := n.Call("999", Script{}); err == nil || !strings.Contains(err.Error(), "100") {
			t.Errorf("calling nobody: %v, want the numbers that are there", err)
		}
	})
}

func TestSubscribersCallEachOtherAndHearEachOther(t *testing.T) {
	inTown(t, func(t *testing.T, n *Network, p *phone, a *Access) {
		other := &phone{ring: func(l *Leg) { l.Ringing(); l.Answer() }}
		if _, err := n.Attach("101", other); err != nil {
			t.Fatal(err)
		}
		l, err := a.Dial("101", true)
		if err != nil {
			t.Fatal(err)
		}
		want(t, "the called", other.heard(), "ring ")
		want(t, "the caller", p.heard(), "alerting; answered")
		done := make(chan []int16)
		go func() { done <- clock(other.leg, 500, time.Second) }()
		mine := clock(l, 700, time.Second)
		theirs := <-done
		if a, b := level(mine[800:], 500), level(theirs[800:], 700); a < 7000 || b < 7000 {
			t.Errorf("500 Hz at %.0f, 700 Hz at %.0f", a, b)
		}
		other.leg.Hangup(hal.Normal)
		want(t, "the caller", p.heard(), "alerting; answered; ended normal")
	})
}

func TestAnswerAndHangupInTheSameInstantHaveOneTruth(t *testing.T) {
	for range 200 {
		inTown(t, func(t *testing.T, n *Network, p *phone, a *Access) {
			c, err := n.Call("100", script(t, "patience 1s; wait 1s; hangup"))
			if err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			p.leg.Ringing()
			time.Sleep(time.Second)
			answered := p.leg.Answer() == nil
			<-c.Done()
			got := kinds(c)
			wanted := "dialled caller; ringing called; ended caller no-answer"
			if answered {
				wanted = "dialled caller; ringing called; answered called; ended caller normal"
			}
			want(t, "ledger", got, wanted)
		})
	}
}

func TestCallThatNobodyAnswersIsEndedByTheNetwork(t *testing.T) {
	inTown(t, func(t *testing.T, n *Network, p *phone, a *Access) {
		c, err := n.Call("100", Script{})
		if err != nil {
			t.Fatal(err)
		}
		<-c.Done()
		if s := c.State(); s.By != ByNetwork || s.Cause != hal.NoAnswer || s.Ended.Sub(s.Began) != 2*time.Minute {
			t.Errorf("%+v", s)
		}
		a.Reachable(false)
		c, err = n.Call("100", Script{})
		if err != nil {
			t.Fatal(err)
		}
		<-c.Done()
		want(t, "switched off", kinds(c), "dialled caller; ended network unreachable")
	})
}

func TestWatcherSeesEveryEventInOrder(t *testing.T) {
	inTown(t, func(t *testing.T, n *Network, p *phone, a *Access) {
		p.ring = func(l *Leg) { l.Hangup(hal.Busy) }
		go func() {
			for range 300 {
				if c, err := n.Call("100", Script{}); err == nil {
					<-c.Done()
				}
			}
		}()
		last := uint64(0)
		for ev := range n.Watch(t.Context(), 0) {
			if ev.Seq != last+1 {
				t.Fatalf("event %d after %d", ev.Seq, last)
			}
			if last = ev.Seq; last == 600 {
				break
			}
		}
		synctest.Wait()
		if calls := n.Calls(); len(calls) > keptCalls || n.Find(calls[0].ID()) == nil || n.Find("none") != nil {
			t.Errorf("%d calls are kept", len(calls))
		}
	})
}

func TestScriptErrorsSayWhatIsWrongAndWhere(t *testing.T) {
	for text, wanted := range map[string]string{
		"tne 440":                      `step 1 at column 1, "tne 440": unknown`,
		"from=1; wait":                 `step 2 at column 9, "wait": one duration is wanted`,
		"from=1;\n  tone x":            `step 2 at column 11, "tone x": "x" is no tone`,
		"wait 1s; busy":                `must come before the steps`,
		"busy; wait 1s":                `nothing can follow`,
		"busy; answer":                 `said twice`,
		"key 5x":                       `keys are 0-9`,
		"from=abc":                     `is no telephone number`,
		"hangup in 3s":                 `did you mean "after 3s"?`,
		"wait -1s":                     `no duration`,
		"tone NaN":                     `no tone`,
		"play nosuch.wav":              `no such file`,
		"answer after 3s 4s":           `one duration is wanted`,
		strings.Repeat("quiet;", 1001): `too many steps`,
	} {
		if _, err := ParseScript(text); err == nil || !strings.Contains(err.Error(), wanted) {
			t.Errorf("%.40q: error %v, want %s", text, err, wanted)
		}
	}
}

func TestPersonPlaysAWAVFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "hello there.wav")
	data := make([]byte, 2*8000)
	for i := range 8000 {
		s := int16(8000 * math.Sin(2*math.Pi*600*float64(i)/8000))
		data[2*i], data[2*i+1] = byte(s), byte(s>>8)
	}
	header := "RIFF\x00\x00\x00\x00WAVELIST\x03\x00\x00\x00abc\x00fmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x80\x3e\x00\x00"
	if err := os.WriteFile(path, append([]byte(header), data...), 0o600); err != nil {
		t.Fatal(err)
	}
	inTown(t, func(t *testing.T, n *Network, p *phone, a *Access) {
		p.ring = func(l *Leg) { l.Answer() }
		c, err := n.Call("100", script(t, "play "+path+"; hangup"))
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if heard := clock(p.leg, 0, 2*time.Second); level(heard[:8000], 600) < 7500 {
			t.Errorf("600 Hz at %.0f", level(heard[:8000], 600))
		}
		<-c.Done()
		if s := c.State(); s.Ended.Sub(s.Answered) > 1100*time.Millisecond {
			t.Errorf("hung up after %v, want one second", s.Ended.Sub(s.Answered))
		}
	})
}

func FuzzParseScript(f *testing.F) {
	for _, seed := range []string{"from=+4930123456; wait 1s; tone 440; key 1; wait 10s; hangup", "answer after 3s", "no answer", "key 12# 200ms\nquiet", "patience 5s;;;"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if strings.Contains(text, "play") {
			return // it would read files
		}
		s, err := ParseScript(text)
		if err != nil {
			return
		}
		if again, err := ParseScript(s.String()); err != nil || len(again.steps) != len(s.steps) || again.from != s.from || again.after != s.after {
			t.Errorf("%q does not read back: %v", text, err)
		}
		for _, st := range s.steps {
			if st.d < 0 || st.d > maxWait {
				t.Errorf("%q: a step of %v", text, st.d)
			}
		}
	})
}

func FuzzParseWAV(f *testing.F) {
	f.Add([]byte("RIFF\x00\x00\x00\x00WAVEfmt \x10\x00\x00\x00\x01\x00\x01\x00\x40\x1f\x00\x00\x80\x3e\x00\x00\x02\x00\x10\x00data\x04\x00\x00\x00abcd"))
	f.Fuzz(func(t *testing.T, b []byte) {
		pcm, err := parseWAV(bytes.NewReader(b))
		if err == nil && 2*len(pcm) > len(b) {
			t.Errorf("%d samples of %d bytes", len(pcm), len(b))
		}
	})
}
