package modem

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"branchline/board/sim/network"
)

// level is how loud hz is in pcm: the amplitude of that tone (Goertzel).
func level(pcm []int16, hz float64) float64 {
	coeff := 2 * math.Cos(2*math.Pi*hz/8000)
	var s1, s2 float64
	for _, x := range pcm {
		s1, s2 = float64(x)+coeff*s1-s2, s1
	}
	return 2 * math.Sqrt(max(0, s1*s1+s2*s2-coeff*s1*s2)) / float64(len(pcm))
}

func sine(hz float64, n int) []byte {
	b := make([]byte, 0, 2*n)
	for i := range n {
		b = binary.LittleEndian.AppendUint16(b, uint16(int16(9000*math.Sin(2*math.Pi*hz*float64(i)/8000))))
	}
	return b
}

func samplesOf(b []byte) []int16 {
	pcm := make([]int16, len(b)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return pcm
}

// talk writes hz to the sound port in 20 ms steps for d, and returns what it reads meanwhile.
func talk(t *testing.T, pcm io.ReadWriter, hz float64, d time.Duration) []int16 {
	t.Helper()
	want := int(d / (20 * time.Millisecond) * 320)
	heard := make(chan []byte, 1)
	go func() {
		b := make([]byte, want)
		n, _ := io.ReadFull(pcm, b)
		heard <- b[:n]
	}()
	mine := sine(hz, want/2)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for len(mine) > 0 {
		if _, err := pcm.Write(mine[:320]); err != nil {
			t.Fatal(err)
		}
		mine = mine[320:]
		<-tick.C
	}
	select {
	case b := <-heard:
		if len(b) < want {
			t.Fatalf("%d bytes of sound, want %d", len(b), want)
		}
		return samplesOf(b)
	case <-time.After(5 * time.Second):
		t.Fatal("the sound port went silent")
		return nil
	}
}

func TestSoundGoesBothWaysWhileThePortIsOn(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready("AT+QPCMV=1,0")
		c := b.dialIn("from=+4930123; tone 440")
		b.expect("\r\nRING\r\n")
		b.ask("ATA", "OK")
		b.skip(200 * time.Millisecond)
		heard := talk(t, b.pcm, 700, 2*time.Second)
		if l := level(heard[8000:], 440); l < 7000 {
			t.Errorf("the host hears 440 Hz at %.0f, want 8000", l)
		}
		if l := level(heard[8000:], 700); l > 100 {
			t.Errorf("the host hears itself at %.0f", l)
		}
		theirs := c.Heard()
		if l := level(theirs[len(theirs)-8000:], 700); l < 7000 {
			t.Errorf("the caller hears 700 Hz at %.0f, want 9000", l)
		}
		b.m.MuteSound(true)
		heard = talk(t, b.pcm, 700, time.Second)
		if l := level(heard[len(heard)-4000:], 440); l > 10 {
			t.Errorf("muted, the host hears 440 Hz at %.0f", l)
		}
	})
}

func TestSoundPortSaysNothingUnlessOnAndInACall(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready()
		b.dialIn("from=+4930123; tone 440; wait 5s; hangup")
		b.expect("\r\nRING\r\n")
		b.ask("ATA", "OK")
		b.expect("\r\nNO CARRIER\r\n")
		b.ask("AT+QPCMV=1,0", "OK")
		b.skip(time.Second)
		b.pcm.Close()
		if rest, _ := io.ReadAll(io.LimitReader(b.pcm, 1)); len(rest) > 0 {
			t.Error("there was sound on the port")
		}
	})
}

func TestKeysFromTheHostAreHeardAndInTheLedger(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready()
		c := b.dialIn("from=+4930123")
		b.expect("\r\nRING\r\n")
		b.ask("ATA", "OK")
		b.skip(500 * time.Millisecond)
		b.ask("AT+VTS=\"5#\"", "OK")
		b.skip(500 * time.Millisecond)
		wantLedger(t, c, "dialled caller; ringing called; answered called; key called 5; key called #")
		if pcm := c.Heard(); level(pcm, 770) < 300 || level(pcm, 1336) < 300 || level(pcm, 697) > 150 {
			t.Errorf("the caller heard 770 Hz at %.0f and 1336 Hz at %.0f", level(pcm, 770), level(pcm, 1336))
		}
	})
}

func TestKeysFromTheCallerAreInTheSoundAndReported(t *testing.T) {
	onBench(t, Options{}, func(b *bench) {
		b.ready("AT+QPCMV=1,0;+QTONEDET=1")
		c := b.dialIn("from=+4930123; wait 1s; key 9 1s; key 1 20ms")
		b.expect("\r\nRING\r\n")
		b.ask("ATA", "OK")
		b.skip(1100 * time.Millisecond)
		heard := talk(t, b.pcm, 0, 900*time.Millisecond)
		if level(heard[4000:], 852) < 3000 || level(heard[4000:], 1477) < 3000 {
			t.Errorf("the host hears 852 Hz at %.0f and 1477 Hz at %.0f", level(heard, 852), level(heard, 1477))
		}
		b.expect("\r\n+QTONEDET: 57\r\n")
		if got := b.skip(2 * time.Second); got != "" {
			t.Errorf("a key of 20 ms was found: %q", got)
		}
		wantLedger(t, c, "dialled caller; ringing called; answered called; key caller 9; key caller 1")
	})
}

// onPTYs runs f with a modem at real ptys, in real time.
func onPTYs(t *testing.T, f func(m *Modem, n *network.Network, at, pcm string)) {
	t.Helper()
	n := network.New(slog.New(slog.DiscardHandler))
	m, err := New(Options{Number: number, Boot: 40 * time.Millisecond, RingEvery: time.Second, Delay: time.Millisecond}, n)
	if err != nil {
		t.Fatal(err)
	}
	at, pcm, err := m.OpenPTYs(filepath.Join(t.TempDir(), "sim1"))
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- m.Run(ctx) }()
	defer func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		if _, err := os.Lstat(at); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the symlink is still there: %v", err)
		}
		n.Close()
	}()
	f(m, n, at, pcm)
}

func openPort(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// until reads the port until what is read ends in want.
func until(t *testing.T, port *os.File, want string) {
	t.Helper()
	if err := port.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	got, one := "", make([]byte, 1)
	for !strings.HasSuffix(got, want) {
		if _, err := port.Read(one); err != nil {
			t.Fatalf("read %q, want %q: %v", got, want, err)
		}
		got += string(one)
	}
}

func TestCallOverRealPTYsSoundsBothWays(t *testing.T) {
	onPTYs(t, func(m *Modem, n *network.Network, atPath, pcmPath string) {
		at, pcm := openPort(t, atPath), openPort(t, pcmPath)
		until(t, at, "+QIND: PB DONE\r\n")
		at.WriteString("ATE0\r")
		until(t, at, "ATE0\r\r\nOK\r\n")
		at.WriteString("AT+CLIP=1;+QPCMV=1,0\r")
		until(t, at, "\r\nOK\r\n")
		c, err := n.Call(number, mustScript(t, "from=+4930123; tone 440"))
		if err != nil {
			t.Fatal(err)
		}
		until(t, at, "\r\nRING\r\n\r\n+CLIP: \"+4930123\",145,,,,0\r\n")
		at.WriteString("ATA\r")
		until(t, at, "\r\nOK\r\n")
		heard := talk(t, pcm, 700, time.Second)
		if l := level(heard[4000:], 440); l < 6000 {
			t.Errorf("the host hears 440 Hz at %.0f", l)
		}
		theirs := c.Heard()
		if l := level(theirs[len(theirs)-4000:], 700); l < 6000 {
			t.Errorf("the caller hears 700 Hz at %.0f", l)
		}
		c.Hangup()
		until(t, at, "\r\nNO CARRIER\r\n")
	})
}

func TestPTYThatVanishesIsAnErrorAndReturnsUnderTheSameName(t *testing.T) {
	onPTYs(t, func(m *Modem, n *network.Network, atPath, pcmPath string) {
		at := openPort(t, atPath)
		until(t, at, "+QIND: PB DONE\r\n")
		m.Vanish()
		if k, err := at.Read(make([]byte, 10)); err == nil {
			t.Errorf("a vanished port gave %d bytes", k)
		}
		if _, err := at.WriteString("AT\r"); err == nil {
			t.Error("a vanished port took bytes")
		}
		if _, err := os.Lstat(atPath); !errors.Is(err, os.ErrNotExist) {
			t.Errorf("the symlink of a vanished port: %v", err)
		}
		if err := m.Return(); err != nil {
			t.Fatal(err)
		}
		at = openPort(t, atPath)
		at.WriteString("AT\r")
		until(t, at, "AT\r\r\nOK\r\n")
		at.WriteString("AT+CFUN=1,1\r")
		until(t, at, "\r\nOK\r\n")
		if err := at.SetReadDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		if rest, err := io.ReadAll(at); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("the port stayed through a reset; read %q", rest)
		}
		back := openPort(t, waitForLink(t, atPath))
		until(t, back, "\r\nRDY\r\n")
	})
}

// waitForLink waits until path is there.
func waitForLink(t *testing.T, path string) string {
	t.Helper()
	look := time.NewTicker(5 * time.Millisecond)
	defer look.Stop()
	for end := time.After(5 * time.Second); ; {
		if _, err := os.Stat(path); err == nil {
			return path
		}
		select {
		case <-look.C:
		case <-end:
			t.Fatalf("%s did not come back", path)
		}
	}
}
