package atmodem

import (
	"errors"
	"log/slog"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// port is what was written to the modem.
type port struct {
	sent []string
	err  error
}

func (p *port) Write(b []byte) (int, error) {
	if p.err != nil {
		return 0, p.err
	}
	p.sent = append(p.sent, string(b))
	return len(b), nil
}

// bench is a Modem with its port and the news it told.
type bench struct {
	*Modem
	port
	told []string
}

func newBench() *bench {
	b := new(bench)
	b.Modem = New(&b.port, slog.New(slog.DiscardHandler), func(line string) { b.told = append(b.told, line) })
	b.Know("^DSCI:", "RDY")
	return b
}

// ask sends a command and returns where its reply will be.
func (b *bench) ask(c Command) *[]Reply {
	var replies []Reply
	c.Done = func(r Reply) { replies = append(replies, r) }
	if err := b.Send(c); err != nil {
		panic(err)
	}
	return &replies
}

// wait lets d pass, with Tick whenever Next asks for it.
func (b *bench) wait(d time.Duration) {
	for end := time.Now().Add(d); ; b.Tick() {
		next := b.Next()
		if next.IsZero() || next.After(end) {
			time.Sleep(time.Until(end))
			return
		}
		time.Sleep(time.Until(next))
	}
}

func TestAnswersAndNewsAreToldApart(t *testing.T) {
	clcc := Command{Text: "AT+CLCC", Expect: []string{"+CLCC:"}}
	for _, c := range []struct {
		name    string
		command Command
		input   string
		lines   []string
		final   string // "": not complete
		news    []string
	}{
		{"plain", Command{Text: "AT"}, "\r\nOK\r\n", nil, "OK", nil},
		{"echo", clcc, "AT+CLCC\r\r\n+CLCC: 1,0\r\n\r\nOK\r\n", []string{"+CLCC: 1,0"}, "OK", nil},
		{"lone CR", Command{Text: "AT"}, "\rOK\r", nil, "OK", nil},
		{"news inside", clcc, "\r\n+CLCC: 1\r\n\r\nRING\r\n\r\n+CLCC: 2\r\n\r\nOK\r\n", []string{"+CLCC: 1", "+CLCC: 2"}, "OK", []string{"RING"}},
		{"same prefix as news", Command{Text: "AT"}, "+CLCC: 1\r\nOK\r\n", nil, "OK", []string{"+CLCC: 1"}},
		{"error with number", Command{Text: "AT+CPIN?"}, "+CME ERROR: 10\r\n", nil, "+CME ERROR: 10", nil},
		{"error with text", Command{Text: "AT+CPIN?"}, "+CME ERROR: SIM failure\r\n", nil, "+CME ERROR: SIM failure", nil},
		{"old Huawei", Command{Text: "AT+X"}, "COMMAND NOT SUPPORT\r\n", nil, "COMMAND NOT SUPPORT", nil},
		{"end of another call", clcc, "NO CARRIER\r\nOK\r\n", nil, "OK", []string{"NO CARRIER"}},
		{"end of this call", Command{Text: "ATD1;", Dials: true}, "BUSY\r\n", nil, "BUSY", nil},
		{"line without prefix", Command{Text: "AT+CGMI", Plain: true}, "^DSCI: 1\r\nQuectel\r\nOK\r\n", []string{"Quectel"}, "OK", []string{"^DSCI: 1"}},
		{"garbage", Command{Text: "AT"}, "\x00\xff\xfe\r\nwhat?\r\n\x80OK\r\n", nil, "OK", nil},
		{"half a line", Command{Text: "AT"}, "\r\nO", nil, "", nil},
		{"SMS", Command{Text: "AT"}, "+CMT: ,4\r\n0011AAFF\r\nOK\r\n", nil, "OK", []string{"+CMT: ,4\n0011AAFF"}},
		{"SMS without its text", Command{Text: "AT"}, "+CMT: ,4\r\nOK\r\n", nil, "OK", nil},
		{"stored SMS", Command{Text: "AT+CMGR=1", Expect: []string{"+CMGR:"}}, "+CMGR: 1,,4\r\n0011AAFF\r\nOK\r\n", []string{"+CMGR: 1,,4\n0011AAFF"}, "OK", nil},
		{"USSD of two lines", Command{Text: "AT"}, "+CUSD: 0,\"You \"have\" 5\r\nOK\r\nleft\",15\r\nOK\r\n", nil, "OK", []string{"+CUSD: 0,\"You \"have\" 5\nOK\nleft\",15"}},
		{"USSD of one line", Command{Text: "AT"}, "+CUSD: 0,\"5 left\",15\r\nOK\r\n", nil, "OK", []string{"+CUSD: 0,\"5 left\",15"}},
		{"USSD without text", Command{Text: "AT"}, "+CUSD: 2\r\nOK\r\n", nil, "OK", []string{"+CUSD: 2"}},
		{"too long a line", Command{Text: "AT"}, strings.Repeat("x", 2*maxLine) + "\r\nOK\r\n", nil, "OK", nil},
	} {
		for _, size := range []int{1, 3, 1 << 20} { // read boundaries mean nothing
			b := newBench()
			replies := b.ask(c.command)
			for rest := c.input; rest != ""; rest = rest[min(size, len(rest)):] {
				b.Take([]byte(rest[:min(size, len(rest))]))
			}
			if c.final == "" {
				if len(*replies) != 0 {
					t.Errorf("%s: answered %+v", c.name, *replies)
				}
				continue
			}
			if len(*replies) != 1 {
				t.Errorf("%s, %d at a time: %d replies", c.name, size, len(*replies))
				continue
			}
			r := (*replies)[0]
			if !slices.Equal(r.Lines, c.lines) || r.Final != c.final || (r.Err == nil) != (c.final == "OK") || !slices.Equal(b.told, c.news) {
				t.Errorf("%s, %d at a time: %+v, news %q", c.name, size, r, b.told)
			}
		}
	}
}

func TestOneCommandAtATimeAndTheMostUrgentFirst(t *testing.T) {
	b := newBench()
	for _, c := range []Command{
		{Text: "AT+CLCC", Class: Status}, {Text: "AT+CSQ", Class: Status}, {Text: "AT+VTS=1", Class: Tones},
		{Text: "AT+CREG?", Class: Status}, {Text: "AT+CHUP", Class: Urgent}, {Text: "ATD1;", Class: Control},
	} {
		b.ask(c)
	}
	for i := 1; i <= 6; i++ {
		if len(b.sent) != i {
			t.Fatalf("%d commands out, want %d", len(b.sent), i)
		}
		b.Take([]byte("\r\nOK\r\n"))
	}
	want := []string{"AT+CLCC\r", "AT+CHUP\r", "ATD1;\r", "AT+VTS=1\r", "AT+CSQ\r", "AT+CREG?\r"}
	if !slices.Equal(b.sent, want) {
		t.Errorf("sent %q, want %q", b.sent, want)
	}
}

func TestCommandThatIsNotWantedAnyMoreIsNotSent(t *testing.T) {
	b := newBench()
	b.ask(Command{Text: "AT"})
	r := b.ask(Command{Text: "ATD1;", Skip: func() bool { return true }})
	b.Take([]byte("OK\r"))
	if len(b.sent) != 1 || len(*r) != 1 || !errors.Is((*r)[0].Err, ErrSkipped) {
		t.Errorf("sent %q, replies %+v", b.sent, *r)
	}
}

func TestPayloadWaitsForThePrompt(t *testing.T) {
	b := newBench()
	r := b.ask(Command{Text: "AT+CMGS=4", Payload: "0011AAFF", Expect: []string{"+CMGS:"}})
	b.Take([]byte("\r\n+CREG: 1\r\n\r\n> "))
	if want := []string{"AT+CMGS=4\r", "0011AAFF\x1a"}; !slices.Equal(b.sent, want) {
		t.Fatalf("sent %q, want %q", b.sent, want)
	}
	b.Take([]byte("\r\n+CMGS: 7\r\n\r\nOK\r\n> no prompt\r\n"))
	if len(*r) != 1 || (*r)[0].Line() != "+CMGS: 7" {
		t.Errorf("replies %+v", *r)
	}
}

func TestOverdueAnswerIsNotTakenForTheNextCommands(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		slow := b.ask(Command{Text: "AT+COPS?", Limit: time.Second})
		next := b.ask(Command{Text: "AT+CLCC", Expect: []string{"+CLCC:"}})
		b.wait(1100 * time.Millisecond)
		if len(*slow) != 1 || !errors.Is((*slow)[0].Err, ErrTimeout) {
			t.Fatalf("replies %+v, want a time-out", *slow)
		}
		b.wait(200 * time.Millisecond) // the ping is out
		b.Take([]byte("\r\n+COPS: 0\r\n\r\nOK\r\n"))
		b.wait(100 * time.Millisecond)
		b.Take([]byte("\r\nOK\r\n")) // of the ping
		b.wait(300 * time.Millisecond)
		b.Take([]byte("\r\n+CLCC: 1\r\n\r\nOK\r\n"))
		if want := []string{"AT+COPS?\r", "AT\r", "AT+CLCC\r"}; !slices.Equal(b.sent, want) {
			t.Errorf("sent %q, want %q", b.sent, want)
		}
		if len(*next) != 1 || (*next)[0].Line() != "+CLCC: 1" {
			t.Errorf("replies %+v", *next)
		}
	})
}

func TestSilentModemIsEscapedAndThenGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		r := b.ask(Command{Text: "AT+CLCC", Limit: time.Second})
		later := b.ask(Command{Text: "AT+CSQ"})
		b.wait(time.Minute)
		if want := []string{"AT+CLCC\r", "AT\r", "AT\r", "\x1b", "AT\r", "AT\r"}; !slices.Equal(b.sent, want) {
			t.Errorf("sent %q, want %q", b.sent, want)
		}
		if !errors.Is(b.Err(), ErrSilent) || len(*r) != 1 || len(*later) != 0 || !b.Next().IsZero() {
			t.Errorf("err %v, replies %+v %+v, next %v", b.Err(), *r, *later, b.Next())
		}
	})
}

func TestChatterDoesNotKeepAModemFromBeingAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.ask(Command{Text: "AT+CLCC", Limit: time.Second})
		for range 60 {
			b.wait(100 * time.Millisecond)
			b.Take([]byte("\r\nRING\r\n"))
		}
		if !slices.Contains(b.sent, "AT\r") {
			t.Errorf("sent %q", b.sent)
		}
	})
}

func TestResyncAsksBeforeAnythingElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench()
		b.Resync()
		r := b.ask(Command{Text: "ATZ"})
		b.Take([]byte("K\r\nOK\r\n")) // of a program before us
		b.wait(250 * time.Millisecond)
		b.Take([]byte("AT\r\r\nOK\r\n"))
		b.wait(250 * time.Millisecond)
		b.Take([]byte("\r\nOK\r\n"))
		if want := []string{"AT\r", "ATZ\r"}; !slices.Equal(b.sent, want) || len(*r) != 1 {
			t.Errorf("sent %q, want %q; replies %+v", b.sent, want, *r)
		}
	})
}

func TestPortThatTakesNothingEndsTheConversation(t *testing.T) {
	b := newBench()
	b.port.err = errors.New("unplugged")
	b.ask(Command{Text: "AT"})
	if b.Err() == nil {
		t.Error("no error")
	}
}

func TestQueueIsBounded(t *testing.T) {
	b := newBench()
	var err error
	for range 2 * maxQueue {
		err = b.Send(Command{Text: "AT"})
	}
	if !errors.Is(err, ErrFull) {
		t.Errorf("err %v, want %v", err, ErrFull)
	}
}

func TestPINIsNotInErrors(t *testing.T) {
	b := newBench()
	r := b.ask(Command{Text: `AT+CPIN="1234"`})
	b.Take([]byte("+CME ERROR: 16\r"))
	if err := (*r)[0].Err; strings.Contains(err.Error(), "1234") || (*r)[0].Code() != 16 {
		t.Errorf("%v, code %d", err, (*r)[0].Code())
	}
}

func TestFieldsOfALine(t *testing.T) {
	for line, want := range map[string][]string{
		`+CLIP: "0935",129,"",0`:     {"0935", "129", "", "0"},
		`+CREG: 2,1,  0 5, 2715`:     {"2", "1", "0 5", "2715"},
		`+X: "a,b" , c`:              {"a,b", "c"},
		`+X:`:                        {""},
		`RING`:                       nil,
		`+COPS: 0,0,"SGP-M1",7`:      {"0", "0", "SGP-M1", "7"},
		`^DSCI: 2,1,4,0,0912345,129`: {"2", "1", "4", "0", "0912345", "129"},
		`+X: "open`:                  {"open"},
	} {
		if got := Fields(line); !slices.Equal(got, want) {
			t.Errorf("Fields(%s) = %q, want %q", line, got, want)
		}
	}
}

// FuzzTake: whatever comes, each command is answered once at most, nothing grows beyond its bound,
// and a modem that speaks plainly afterwards is understood.
func FuzzTake(f *testing.F) {
	for _, seed := range []string{"\r\nOK\r\n", "AT+CLCC\r\r\n+CLCC: 1\r\n", "+CMT: ,4\r\n0011\r\n", "+CUSD: 0,\"a\r\nb\",15\r\n",
		"> ", "NO CARRIER\r", "\xff\x00RING\r\n", "+CME ERROR: 515\r\n", "+CUSD: 0,\"", strings.Repeat("x", 5000)} {
		f.Add([]byte(seed), 7)
	}
	f.Fuzz(func(t *testing.T, input []byte, size int) {
		b := newBench()
		replies := b.ask(Command{Text: "AT+CLCC", Expect: []string{"+CLCC:"}, Payload: "00", Plain: size%2 == 0, Dials: size%3 == 0})
		size = max(1, min(size, 4096))
		for rest := input; len(rest) > 0; rest = rest[min(size, len(rest)):] {
			b.Take(rest[:min(size, len(rest))])
			if len(b.tok.line) > maxLine || len(b.lines) > maxAnswer || len(b.second.head) > (maxSecond+1)*(maxLine+1) {
				t.Fatal("a bound is broken")
			}
		}
		b.Take([]byte(strings.Repeat("\r\n..\"\r\n\r\nOK\r\n", maxSecond+2)))
		if len(*replies) != 1 {
			t.Fatalf("%d replies to one command", len(*replies))
		}
		again := b.ask(Command{Text: "AT"})
		b.Take([]byte("\r\nOK\r\n"))
		if len(*again) != 1 {
			t.Fatalf("%d replies after the noise", len(*again))
		}
		for _, line := range b.told {
			Fields(line)
		}
	})
}
