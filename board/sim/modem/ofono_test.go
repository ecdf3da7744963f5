package modem_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/board/sim/modem"
	"branchline/board/sim/network"
	"branchline/hal"
)

const busConfig = `<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:path=%s</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`

// said is what a program writes, for a look while it runs.
type said struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (s *said) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.Write(b)
}

func (s *said) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.buf.String()
}

// runs starts a program that is ended, by itself alone, with the test.
func runs(t *testing.T, env []string, name string, args ...string) *said {
	t.Helper()
	out := new(said)
	c := command(t, name, args...)
	c.Env, c.Stdout, c.Stderr = append(os.Environ(), env...), out, out
	c.Cancel = func() error { return c.Process.Signal(os.Interrupt) }
	c.WaitDelay = 3 * time.Second
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Wait() }) // t's context has ended it by now
	return out
}

// quiet is a sound port at which nobody is.
type quiet struct{ gone chan struct{} }

func (q quiet) Read([]byte) (int, error)    { <-q.gone; return 0, io.EOF }
func (q quiet) Write(b []byte) (int, error) { return len(b), nil }
func (q quiet) Close() error                { close(q.gone); return nil }

// ofono is oFono at a modem, on a bus of its own.
type ofono struct {
	*testing.T
	bus     string
	log     *said
	signals *said
}

// onOfono starts oFono for m. Its phonesim driver reaches a modem over TCP.
func onOfono(t *testing.T, m *modem.Modem) *ofono {
	t.Helper()
	dir, err := os.MkdirTemp("", "ofono") // a socket's path is short
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l, err := net.Listen("tcp", "127.44.7.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var accepting sync.WaitGroup
	t.Cleanup(func() { l.Close(); accepting.Wait() })
	accepting.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			m.Attach(c, quiet{make(chan struct{})})
		}
	})
	socket, config, bus := filepath.Join(dir, "bus"), filepath.Join(dir, "phonesim.conf"), filepath.Join(dir, "bus.conf")
	port := l.Addr().(*net.TCPAddr).Port
	for name, text := range map[string]string{
		bus:    fmt.Sprintf(busConfig, socket),
		config: fmt.Sprintf("[phonesim]\nAddress=127.44.7.1\nPort=%d\n", port),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	o := &ofono{T: t, bus: "unix:path=" + socket}
	runs(t, nil, "dbus-daemon", "--config-file="+bus, "--nofork", "--nopidfile")
	eventually(t, "the bus is there", func() bool { _, err := os.Stat(socket); return err == nil })
	o.log = runs(t, []string{"DBUS_SYSTEM_BUS_ADDRESS=" + o.bus, "OFONO_PHONESIM_CONFIG=" + config, "OFONO_AT_DEBUG=1"}, "ofonod", "-n", "-d")
	o.signals = runs(t, nil, "dbus-monitor", "--address", o.bus, "type='signal',interface='org.ofono.MessageManager'")
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(o.log)
		}
	})
	return o
}

// ask calls a method; its error is oFono's.
func (o *ofono) ask(path, method string, args ...string) (string, error) {
	all := append([]string{"--bus=" + o.bus, "--print-reply", "--reply-timeout=8000", "--dest=org.ofono", path, "org.ofono." + method}, args...)
	out, err := command(o.T, "dbus-send", all...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !asExit(err, &exit) {
		o.Fatalf("dbus-send: %v", err)
	}
	return string(out), err
}

func asExit(err error, exit **exec.ExitError) (ok bool) {
	*exit, ok = err.(*exec.ExitError)
	return ok
}

// must asks for what has to work.
func (o *ofono) must(path, method string, args ...string) string {
	o.Helper()
	out, err := o.ask(path, method, args...)
	if err != nil {
		o.Fatalf("%s %s: %s", method, args, out)
	}
	return out
}

func (o *ofono) calls() string {
	out, _ := o.ask("/phonesim", "VoiceCallManager.GetCalls")
	return out
}

// inState waits for a call in a state and returns its path.
func (o *ofono) inState(state string) (path string) {
	o.Helper()
	one := regexp.MustCompile(`object path "(/phonesim/voicecall\d+)"`)
	eventually(o.T, "a call is "+state, func() bool {
		out := o.calls()
		found := one.FindStringSubmatch(out)
		if found == nil || !strings.Contains(out, `string "`+state+`"`) {
			return false
		}
		path = found[1]
		return true
	})
	return path
}

func (o *ofono) noCalls() {
	o.Helper()
	eventually(o.T, "there is no call any more", func() bool { return !strings.Contains(o.calls(), "voicecall") })
}

// power brings the modem online, until it can call, text and ask.
func (o *ofono) power() {
	o.Helper()
	eventually(o.T, "oFono knows the modem", func() bool {
		out, _ := o.ask("/", "Manager.GetModems")
		return strings.Contains(out, "/phonesim")
	})
	o.must("/phonesim", "Modem.SetProperty", "string:Powered", "variant:boolean:true")
	o.must("/phonesim", "Modem.SetProperty", "string:Online", "variant:boolean:true")
	eventually(o.T, "calls, texts and USSD are there", func() bool {
		out, _ := o.ask("/phonesim", "Modem.GetProperties")
		return strings.Contains(out, "org.ofono.VoiceCallManager") && strings.Contains(out, "org.ofono.MessageManager") &&
			strings.Contains(out, "org.ofono.SupplementaryServices") && strings.Contains(out, "org.ofono.NetworkRegistration")
	})
}

func script(t *testing.T, text string) network.Script {
	t.Helper()
	s, err := network.ParseScript(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestOfonoCallsAnswersAndTexts(t *testing.T) {
	t.Parallel()
	m, toy, _ := onTTY(t, modem.Options{NoDataBearer: true}) // oFono takes the bearer in AT+CLCC for a call
	o := onOfono(t, m)
	o.power()
	o.outgoing(toy)
	o.incoming(toy)
	o.texts(toy)
}

func (o *ofono) outgoing(toy *network.Network) {
	o.Helper()
	toy.Person("030111", script(o.T, "answer after 1s"))
	toy.Person("030112", script(o.T, "busy"))
	o.must("/phonesim", "VoiceCallManager.Dial", "string:030111", "string:")
	o.inState("active")
	o.must("/phonesim", "VoiceCallManager.SendTones", "string:12")
	o.must("/phonesim", "VoiceCallManager.HangupAll")
	o.noCalls()
	call := toy.Calls()[0]
	keys := ""
	for _, ev := range call.Events() {
		keys += ev.Key
	}
	if st := call.State(); keys != "12" || st.Phase != network.Ended || st.By != network.ByCaller || st.Cause != hal.Normal {
		o.Errorf("the call of oFono: keys %q, %+v", keys, st)
	}
	_, _ = o.ask("/phonesim", "VoiceCallManager.Dial", "string:030112", "string:")
	o.noCalls()
	eventually(o.T, "the busy one was called", func() bool {
		all := toy.Calls()
		return len(all) == 2 && all[1].State().Cause == hal.Busy
	})
}

func (o *ofono) incoming(toy *network.Network) {
	o.Helper()
	call, err := toy.Call(number, script(o.T, "from=+886935123456; wait 1h"))
	if err != nil {
		o.Fatal(err)
	}
	path := o.inState("incoming")
	if out := o.calls(); !strings.Contains(out, "+886935123456") {
		o.Errorf("no number of the caller in %s", out)
	}
	o.must(path, "VoiceCall.Answer")
	o.inState("active")
	if st := call.State(); st.Phase != network.Answered {
		o.Errorf("the caller is %s", st.Phase)
	}
	call.Hangup()
	o.noCalls()
}

func (o *ofono) texts(toy *network.Network) {
	o.Helper()
	out := "你好 from oFono"
	o.must("/phonesim", "MessageManager.SendMessage", "string:+15550100", "string:"+out)
	eventually(o.T, "the text is out", func() bool { return carried(toy, "+15550100", out) })
	long := strings.Repeat("今天的预约改到下午三点。", 10)
	if err := toy.Text("+8613800000000", number, long); err != nil {
		o.Fatal(err)
	}
	eventually(o.T, "the text is in, as one", func() bool {
		s := o.signals.String()
		return strings.Contains(s, long) && strings.Contains(s, "+8613800000000")
	})
	if reply := o.must("/phonesim", "SupplementaryServices.Initiate", "string:*100#"); !strings.Contains(reply, "Balance: 12.50") { // its reader ends at the quote within
		o.Errorf("USSD: %s", reply)
	}
}
