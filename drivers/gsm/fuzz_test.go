package gsm

import (
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"branchline/drivers/atmodem"
	"branchline/drivers/gsm/module"
	"branchline/drivers/soundport"
	"branchline/hal"
)

// newBareActor is an actor in service whose ports take everything and say nothing.
func newBareActor() *actor {
	a := newActor(New(Options{Name: "gsm1", Boot: 1, Log: slog.New(slog.DiscardHandler)}))
	a.wire = &wire{pump: soundport.NewPump(nil)}
	a.at = atmodem.New(io.Discard, a.log, a.news)
	a.profile = module.Profiles()[0]
	a.at.Know(a.profile.News...)
	a.state, a.retryAt, a.networks["+CREG"] = ready, time.Time{}, 1
	a.inService()
	return a
}

// FuzzNews: whatever a module says, and whatever is ordered meanwhile, each leg is told by the
// rules: opened first, Gone once, nothing after it.
func FuzzNews(f *testing.F) {
	for _, seed := range []string{
		"RING\r\n+CLIP: \"0912\",129\r\n+CLCC: 1,1,4,0,0,\"0912\",129\r\nOK\r\nA\r\nOK\r\n+CLCC: 1,1,0,0,0\r\nOK\r\nOK\r\nNO CARRIER\r\nOK\r\nOK\r\n",
		"D\r\nOK\r\nOK\r\n^DSCI: 1,0,7,0,1,129\r\n+CLCC: 1,0,3,0,0\r\nOK\r\n^DSCI: 1,0,3,0,1,129\r\nOK\r\nH\r\nOK\r\nOK\r\nRING\r\n",
		"^DSCI: 2,1,4,0,0912,129\r\n+QIND: \"ccinfo\",2,1,-1,0,0,\"\",128\r\nOK\r\nOK\r\n",
		"+CREG: 3\r\n+CEREG: 1,\"a\",\"b\",7\r\n+CPIN: NOT READY\r\nRDY\r\n+QTONEDET: 35\r\n+CCWA: \"1\",129,1\r\n",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, input string) {
		a := newBareActor()
		dialled := uint64(0)
		for line := range strings.SplitSeq(input, "\r\n") {
			leg := hal.LegID("none")
			if a.call != nil {
				leg = a.call.leg
			}
			switch line {
			case "A":
				a.obey(hal.Answer{Leg: leg})
			case "H":
				a.obey(hal.Hangup{Leg: leg})
			case "K":
				a.obey(hal.Digits{Leg: leg, Ref: "k", Keys: "12"})
			case "D":
				dialled++
				a.obey(hal.Dial{Leg: hal.OutgoingLeg("gsm1", 1, dialled), To: "1"})
			default:
				a.at.Take([]byte(line + "\r\n"))
			}
			if a.trouble != nil || a.rebooted {
				break
			}
			a.callsDue(time.Now())
		}
		a.dropCalls("over")
		check(t, a.out)
	})
}

func check(t *testing.T, told []hal.Signal) {
	gone := make(map[hal.LegID]bool)
	began := make(map[hal.LegID]bool)
	for _, s := range told {
		leg := s.On()
		if leg == "" {
			continue
		}
		if gone[leg] {
			t.Errorf("told after Gone: %+v", s)
		}
		switch s.(type) {
		case hal.Opened:
			if began[leg] && strings.Contains(string(leg), "-o") {
				t.Errorf("began twice: %+v", s)
			}
		case hal.Incoming:
			if began[leg] {
				t.Errorf("began twice: %+v", s)
			}
		case hal.Gone:
			gone[leg] = true
		case hal.Failed: // may answer an order that came before Opened
			continue
		default:
			if !began[leg] {
				t.Errorf("told before its beginning: %+v", s)
			}
		}
		began[leg] = true
	}
	for leg := range began {
		if !gone[leg] {
			t.Errorf("leg %s never ends", leg)
		}
	}
}
