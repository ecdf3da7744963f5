package modem

import (
	"context"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"branchline/board/sim/network"
	"branchline/hal"
)

const number = "+4915112345678"

// bench is a modem on a network with a host at its ports, inside a synctest bubble.
type bench struct {
	t    *testing.T
	m    *Modem
	net  *network.Network
	at   io.ReadWriteCloser
	pcm  io.ReadWriteCloser
	got  chan byte
	quit chan struct{}
	call *network.Call
}

// onBench runs f with a modem that has been switched on at this moment.
func onBench(t *testing.T, o Options, f func(b *bench)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		o.Number = number
		net := network.New(slog.New(slog.DiscardHandler))
		m, err := New(o, net)
		if err != nil {
			t.Fatal(err)
		}
		b := &bench{t: t, m: m, net: net, got: make(chan byte), quit: make(chan struct{})}
		b.plug()
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- m.Run(ctx) }()
		defer func() {
			stop()
			close(b.quit)
			if err := <-ended; err != nil {
				t.Errorf("Run ended with %v", err)
			}
			b.at.Close()
			b.pcm.Close()
			net.Close()
		}()
		f(b)
	})
}

// plug opens pipes and reads the AT port from now on.
func (b *bench) plug() {
	b.at, b.pcm = b.m.OpenPipes()
	go func(at io.Reader) {
		var one [1]byte
		for {
			if _, err := at.Read(one[:]); err != nil {
				return
			}
			select {
			case b.got <- one[0]:
			case <-b.quit:
				return
			}
		}
	}(b.at)
}

// expect reads exactly want.
func (b *bench) expect(want string) {
	b.t.Helper()
	got := ""
	for len(got) < len(want) {
		select {
		case c := <-b.got:
			got += string(rune(c))
			if !strings.HasPrefix(want, got) {
				b.t.Fatalf("read %q, want %q", got, want)
			}
		case <-time.After(time.Hour):
			b.t.Fatalf("read %q and then nothing for an hour, want %q", got, want)
		}
	}
}

// skip reads and returns all that comes within d.
func (b *bench) skip(d time.Duration) string {
	got, end := "", time.After(d)
	for {
		synctest.Wait()
		select {
		case c := <-b.got:
			got += string(rune(c))
			continue
		default:
		}
		select {
		case c := <-b.got:
			got += string(rune(c))
		case <-end:
			return got
		}
	}
}

func (b *bench) send(line string) {
	for _, c := range []byte(line + "\r") {
		b.at.Write([]byte{c})
	}
}

// ask types a line and expects the lines of its answer.
func (b *bench) ask(line string, answer ...string) {
	b.t.Helper()
	b.send(line)
	for _, l := range answer {
		b.expect("\r\n" + l + "\r\n")
	}
}

// ready waits for the end of the boot, switches the echo off and makes the given settings.
func (b *bench) ready(settings ...string) {
	b.t.Helper()
	b.skip(4 * time.Second)
	b.send("ATE0")
	b.expect("ATE0\r\r\nOK\r\n")
	for _, s := range settings {
		b.ask(s, "OK")
	}
}

func (b *bench) dialIn(script string) *network.Call {
	b.t.Helper()
	c, err := b.net.Call(number, mustScript(b.t, script))
	if err != nil {
		b.t.Fatal(err)
	}
	return c
}

func mustScript(t *testing.T, text string) network.Script {
	t.Helper()
	s, err := network.ParseScript(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// ledger is a call's events in short: "dialled caller; ringing called; …".
func ledger(c *network.Call) string {
	var all []string
	for _, ev := range c.Events() {
		all = append(all, strings.TrimSpace(fmt.Sprintf("%s %s %s%s", ev.Kind, ev.By, ev.Key, ev.Cause)))
	}
	return strings.Join(all, "; ")
}

func wantLedger(t *testing.T, c *network.Call, want string) {
	t.Helper()
	synctest.Wait()
	if got := ledger(c); got != want {
		t.Errorf("ledger\n got %s\nwant %s", got, want)
	}
}

// TestTranscripts replays what was written between a host and the modem, byte by byte:
//
//	> AT      the host types a line      < OK     the modem writes a line
//	= AT      the modem echoes a line    ~ 4s     time passes
//	+ script  somebody calls the SIM     * what   the caller does: hangup, key 5
//	@ number: script  who answers there  ! fault  see fault
//	% RDY    the modem writes a line that ends in CR CR LF
//	. 0691…  a second line of it, directly behind
//	^ PDU    the host types it behind the prompt that comes now, and Ctrl-Z; ^ alone: ESC
//	& from: text  a text comes           $ to: text  the last text that the network has carried
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.transcript")
	if err != nil || len(files) < 9 {
		t.Fatalf("%d transcripts, %v", len(files), err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		t.Run(strings.TrimSuffix(filepath.Base(file), ".transcript"), func(t *testing.T) {
			lines := strings.Split(string(text), "\n")
			onBench(t, transcriptOptions(t, lines[0]), func(b *bench) {
				for i, line := range lines[1:] {
					if line = strings.TrimRight(line, " "); line != "" && line[0] != '#' {
						b.t.Log(i+2, line)
						b.play(line[:1], strings.TrimPrefix(line[1:], " "))
					}
				}
				if rest := b.skip(time.Second); rest != "" {
					t.Errorf("at the end the modem also wrote %q", rest)
				}
			})
		})
	}
}

// transcriptOptions reads the first line: "# options -pin 1234 -clipfirst".
func transcriptOptions(t *testing.T, line string) (o Options) {
	t.Helper()
	args, found := strings.CutPrefix(line, "# options")
	if !found {
		t.Fatalf("the first line of a transcript is # options, not %q", line)
	}
	f := flag.NewFlagSet("options", flag.ContinueOnError)
	f.StringVar(&o.PIN, "pin", "", "")
	f.StringVar(&o.Model, "model", "", "")
	f.BoolVar(&o.VoiceLocked, "locked", false, "")
	f.BoolVar(&o.ClipFirst, "clipfirst", false, "")
	f.BoolVar(&o.MissedCall, "missedcall", false, "")
	f.BoolVar(&o.NoDataBearer, "nobearer", false, "")
	f.BoolVar(&o.NoSIM, "nosim", false, "")
	if err := f.Parse(strings.Fields(args)); err != nil {
		t.Fatal(err)
	}
	return o
}

func (b *bench) play(sign, rest string) {
	b.t.Helper()
	switch sign {
	case ">":
		b.send(rest)
	case "<":
		b.expect("\r\n" + rest + "\r\n")
	case "=":
		b.expect(rest + "\r")
	case "~":
		d, err := time.ParseDuration(rest)
		if err != nil {
			b.t.Fatal(err)
		}
		if got := b.skip(d); got != "" {
			b.t.Fatalf("while %s passed the modem wrote %q", d, got)
		}
	case "+":
		b.call = b.dialIn(rest)
	case "*":
		if keys, isKey := strings.CutPrefix(rest, "key "); isKey {
			b.call.Key(keys)
		} else {
			b.call.Hangup()
		}
	case "@":
		who, script, _ := strings.Cut(rest, ": ")
		b.net.Person(who, mustScript(b.t, script))
	case "!":
		b.fault(rest)
	case "%":
		b.expect("\r\n" + rest + "\r\r\n")
	case ".":
		b.expect(rest + "\r\n")
	case "^":
		b.expect("\r\n> ")
		end := "\x1a"
		if rest == "" {
			end = "\x1b"
		}
		b.at.Write([]byte(rest + end))
	case "&":
		from, body, _ := strings.Cut(rest, ": ")
		if err := b.net.Text(from, number, body); err != nil {
			b.t.Fatal(err)
		}
	case "$":
		synctest.Wait()
		texts := b.net.Texts()
		if last := texts[len(texts)-1]; last.To+": "+last.Body != rest || last.From != number {
			b.t.Errorf("the network carried %+v, want %s", last, rest)
		}
	default:
		b.t.Fatalf("unknown sign %q", sign)
	}
}

func (b *bench) fault(what string) {
	b.t.Helper()
	verb, arg, _ := strings.Cut(what, " ")
	switch verb {
	case "lose":
		b.m.LoseNextURC(arg)
	case "nosignal":
		b.m.NoSignal(true)
	case "signal":
		b.m.NoSignal(false)
	case "stick":
		b.m.StickSound()
	case "mute":
		b.m.Mute(arg == "on")
	case "urc":
		b.m.Unsolicited(arg)
	default:
		b.t.Fatalf("unknown fault %q", what)
	}
	synctest.Wait()
}

func TestCallerWhoGivesUpWhileItRingsLeavesNoCall(t *testing.T) {
	onBench(t, Options{NoDataBearer: true}, func(b *bench) {
		b.ready()
		c := b.dialIn("from=+4930123; patience 6s")
		b.expect("\r\nRING\r\n")
		b.expect("\r\nRING\r\n")
		b.expect("\r\nNO CARRIER\r\n")
		b.ask("AT+CLCC", "OK")
		wantLedger(t, c, "dialled caller; ringing called; ended caller no-answer")
		if d := c.State().Ended.Sub(c.State().Began); d != 6*time.Second {
			t.Errorf("the caller waited %v, want 6s", d)
		}
	})
}

func TestModemThatHangsUpEndsTheCallForTheCaller(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready()
		c := b.dialIn("from=+4930123; tone 440")
		b.expect("\r\nRING\r\n")
		b.ask("ATA", "OK")
		b.skip(5 * time.Second)
		b.ask("AT+CHUP", "OK")
		wantLedger(t, c, "dialled caller; ringing called; answered called; ended called normal")
	})
}

func TestRefusedCallTellsTheCallerWhy(t *testing.T) {
	for command, want := range map[string]hal.Cause{
		"AT+CHUP": hal.Rejected, "AT+CHLD=0": hal.Busy, "AT+QHUP=17": hal.Busy, "AT+QHUP=21,2": hal.Rejected, "AT+CVHU=0;H": hal.Rejected,
	} {
		onBench(t, Options{}, func(b *bench) {
			b.ready()
			c := b.dialIn("from=+4930123")
			b.expect("\r\nRING\r\n")
			b.ask(command, "OK")
			synctest.Wait()
			if got := c.State(); got.Phase != network.Ended || got.Cause != want || got.By != network.ByCalled {
				t.Errorf("%s: %+v, want the end by the called side with %s", command, got, want)
			}
		})
	}
}

func TestATHIsIgnoredUnlessCVHUIs0(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready()
		c := b.dialIn("from=+4930123")
		b.expect("\r\nRING\r\n")
		b.ask("ATH", "OK")
		synctest.Wait()
		if c.State().Phase != network.Ringing {
			t.Errorf("the call is %s", c.State().Phase)
		}
	})
}

func TestPINIsTakenOnceRightAndLocksAfterThreeWrongOnes(t *testing.T) {
	onBench(t, Options{PIN: "1234"}, func(b *bench) {
		b.ready("AT+CMEE=2")
		if _, err := b.net.Call("+49999", network.Script{}); err == nil {
			t.Error("a number without a subscriber could be called")
		}
		c := b.dialIn("from=+4930123")
		b.ask("AT+CIMI", "+CME ERROR: SIM PIN required")
		b.ask(`AT+CPIN="0000"`, "+CME ERROR: incorrect password")
		b.ask(`AT+CPIN="0001"`, "+CME ERROR: incorrect password")
		b.ask(`AT+QPINC?`, `+QPINC: "SC",1,10`, `+QPINC: "P2",3,10`, "OK")
		b.ask(`AT+CPIN="0002"`, "+CME ERROR: SIM PUK required")
		b.ask(`AT+CPIN="1234"`, "+CME ERROR: SIM PUK required")
		wantLedger(t, c, "dialled caller; ended network unreachable")
	})
}

func TestSignalThatGoesEndsTheCallAndComesBack(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready("AT+CREG=1")
		c := b.dialIn("from=+4930123; tone 440")
		b.expect("\r\nRING\r\n")
		b.ask("ATA", "OK")
		b.skip(time.Second)
		b.m.NoSignal(true)
		b.expect("\r\nNO CARRIER\r\n\r\n+CREG: 2\r\n")
		wantLedger(t, c, "dialled caller; ringing called; answered called; ended called wire-trouble")
		b.ask("ATD+4930123;", "NO CARRIER")
		wantLedger(t, b.dialIn("from=+4930123"), "dialled caller; ended network unreachable")
		b.m.NoSignal(false)
		b.expect("\r\n+CREG: 1\r\n")
		b.dialIn("from=+4930123")
		b.expect("\r\nRING\r\n")
	})
}

func TestCableThatIsPulledLeavesTheCallUp(t *testing.T) {
	onBench(t, Options{NoDataBearer: true}, func(b *bench) {
		b.ready()
		c := b.dialIn("from=+4930123; tone 440")
		b.expect("\r\nRING\r\n")
		b.ask("ATA", "OK")
		b.skip(time.Second)
		b.m.Vanish()
		if _, err := b.at.Write([]byte("AT\r")); err == nil {
			t.Error("the AT port still takes bytes")
		}
		b.skip(10 * time.Second)
		b.plug()
		b.ask("AT+CLCC", `+CLCC: 1,1,0,0,0,"+4930123",145`, "OK")
		b.ask("AT+CHUP", "OK")
		wantLedger(t, c, "dialled caller; ringing called; answered called; ended called normal")
		at, pcm := b.m.Dropped()
		t.Log("dropped", at, pcm)
	})
}

func TestPowerCutDropsTheCallAndBootsAnew(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready()
		c := b.dialIn("from=+4930123")
		b.expect("\r\nRING\r\n")
		b.m.PowerCut()
		wantLedger(t, c, "dialled caller; ringing called; ended called wire-trouble")
		b.plug()
		b.send("AT")
		if got := b.skip(time.Second); got != "" {
			t.Errorf("without power it wrote %q", got)
		}
		if err := b.m.Return(); err != nil {
			t.Fatal(err)
		}
		b.expect("\r\nRDY\r\n")
		b.send("AT")
		b.expect("AT\r\r\nOK\r\n")
	})
}

func TestHalfALineIsHalfALine(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready()
		b.m.HalfLine()
		b.send("AT+CIMI")
		b.expect("\r\n2629900") // and then the OK as if nothing were
		b.expect("\r\nOK\r\n")
		b.m.Garbage([]byte{0xff, 0, 'x'})
		b.expect("\u00ff\x00x")
	})
}

func TestModemRingsThroughADayWithoutAnybodyReading(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready()
		b.m.Vanish()
		for range 24 * 30 {
			c := b.dialIn("from=+4930123; patience 60s")
			<-c.Done()
			b.skip(time.Minute)
		}
		at, _ := b.m.Dropped()
		if want := int64(24 * 30 * len("\r\nRING\r\n") * 15); at < want {
			t.Errorf("%d bytes dropped, want at least %d", at, want)
		}
	})
}

func TestSlowReaderDoesNotStopTheModem(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		net := network.New(slog.New(slog.DiscardHandler))
		m, err := New(Options{Number: number}, net)
		if err != nil {
			t.Fatal(err)
		}
		at, pcm := m.OpenPipes() // and nobody reads
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- m.Run(ctx) }()
		time.Sleep(5 * time.Second)
		at.Write([]byte("ATS0=1\rAT+QPCMV=1,0\r"))
		c, err := net.Call(number, mustScript(t, "from=+4930123; wait 10m; hangup"))
		if err != nil {
			t.Fatal(err)
		}
		<-c.Done()
		if got := c.State(); got.By != network.ByCaller || got.Ended.Sub(got.Answered) != 10*time.Minute {
			t.Errorf("%+v, want the caller to hang up after ten minutes", got)
		}
		if _, dropped := m.Dropped(); dropped < 600*16000-100_000 {
			t.Errorf("%d bytes of sound dropped, want almost all of it", dropped)
		}
		stop()
		<-ended
		at.Close()
		pcm.Close()
		net.Close()
	})
}
