package uart_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"sync"
	"testing"
	"time"

	"github.com/creack/pty"

	"branchline/drivers/uart"
)

// newPort opens a port on a pty; master is the module's end.
func newPort(t *testing.T) (port *uart.Port, master, slave *os.File) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	port, err = uart.Open(slave.Name(), 115200)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		port.Close()
		master.Close()
		slave.Close()
	})
	return port, master, slave
}

func TestBytesGoBothWaysAsTheyAre(t *testing.T) {
	port, master, _ := newPort(t)
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	for _, c := range []struct {
		from interface{ Write([]byte) (int, error) }
		to   interface{ Read([]byte) (int, error) }
	}{{port, master}, {master, port}} {
		if _, err := c.from.Write(all); err != nil {
			t.Fatal(err)
		}
		var got []byte
		buf := make([]byte, 100)
		for len(got) < len(all) {
			n, err := c.to.Read(buf)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, buf[:n]...)
		}
		if string(got) != string(all) {
			t.Errorf("got % x", got)
		}
	}
}

func TestReadWaitsThroughTimeouts(t *testing.T) {
	port, master, _ := newPort(t)
	late := time.AfterFunc(350*time.Millisecond, func() { master.Write([]byte("x")) })
	defer late.Stop()
	buf := make([]byte, 10)
	if n, err := port.Read(buf); n != 1 || err != nil {
		t.Errorf("read %d, %v", n, err)
	}
}

// A box reads two ports per SIM all day. A read that waits in the kernel takes a thread, and a
// processor from everybody else until the scheduler notices.
func TestReadsThatWaitKeepNoThreads(t *testing.T) {
	const ports = 24
	threads := pprof.Lookup("threadcreate")
	before := threads.Count()
	var reading sync.WaitGroup
	defer reading.Wait()
	for range ports {
		port, _, _ := newPort(t)
		reading.Go(func() {
			if n, err := port.Read(make([]byte, 1)); !errors.Is(err, os.ErrClosed) {
				t.Errorf("read %d, %v", n, err)
			}
		})
		defer port.Close()
	}
	<-time.After(300 * time.Millisecond)
	if more := threads.Count() - before; more > ports/2 {
		t.Errorf("%d threads more while %d ports are read", more, ports)
	}
}

func TestReadSaysWhenThePortIsRemoved(t *testing.T) {
	port, master, slave := newPort(t)
	late := time.AfterFunc(50*time.Millisecond, func() {
		slave.Close()
		master.Close()
	})
	defer late.Stop()
	began := time.Now()
	n, err := port.Read(make([]byte, 10))
	if n != 0 || !errors.Is(err, uart.ErrRemoved) {
		t.Errorf("read %d, %v, want %v", n, err, uart.ErrRemoved)
	}
	if took := time.Since(began); took > time.Second {
		t.Errorf("noticed after %v", took)
	}
	if _, err := port.Write([]byte("x")); !errors.Is(err, uart.ErrRemoved) {
		t.Errorf("write: %v, want %v", err, uart.ErrRemoved)
	}
}

func TestCloseWakesAReadAndAWrite(t *testing.T) {
	port, _, _ := newPort(t)
	ended := make(chan error, 2)
	go func() {
		_, err := port.Read(make([]byte, 10))
		ended <- err
	}()
	go func() {
		for {
			if _, err := port.Write(make([]byte, 1<<16)); err != nil && !errors.Is(err, os.ErrDeadlineExceeded) {
				ended <- err
				return
			}
		}
	}()
	late := time.AfterFunc(100*time.Millisecond, func() { port.Close() })
	defer late.Stop()
	for range 2 {
		select {
		case err := <-ended:
			if !errors.Is(err, os.ErrClosed) {
				t.Errorf("%v, want %v", err, os.ErrClosed)
			}
		case <-time.After(2 * time.Second):
			t.Fatal("still waiting 2 s after Close")
		}
	}
	if err := port.Close(); err != nil {
		t.Errorf("second Close: %v", err)
	}
}

func TestWriteToAModuleThatTakesNothingEnds(t *testing.T) {
	port, master, _ := newPort(t)
	began := time.Now()
	var err error
	taken := 0
	for err == nil && time.Since(began) < 5*time.Second {
		var n int
		n, err = port.Write(make([]byte, 1<<16))
		taken += n
	}
	if !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Fatalf("%v, want %v", err, os.ErrDeadlineExceeded)
	}
	if _, err := io.CopyN(io.Discard, master, int64(taken)); err != nil {
		t.Fatal(err)
	}
	if _, err := port.Write([]byte("x")); err != nil {
		t.Errorf("once the module takes bytes again: %v", err)
	}
}

func TestPortBelongsToOneProgram(t *testing.T) {
	port, _, slave := newPort(t)
	if second, err := uart.Open(slave.Name(), 115200); !errors.Is(err, uart.ErrBusy) {
		t.Errorf("second Open: %v, %v, want %v", second, err, uart.ErrBusy)
	}
	port.Close()
	again, err := uart.Open(slave.Name(), 115200)
	if err != nil {
		t.Fatalf("after Close: %v", err)
	}
	again.Close()
}

func TestPortThatIsNotThereOrCannotBeSetIsRefused(t *testing.T) {
	if _, err := uart.Open(filepath.Join(t.TempDir(), "ttyUSB7"), 115200); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	if _, err := uart.Open(slave.Name(), 12345); err == nil {
		t.Error("12345 baud were taken")
	}
}

func TestWhatWasSaidBeforeIsThrownAway(t *testing.T) {
	master, slave, err := pty.Open()
	if err != nil {
		t.Fatal(err)
	}
	defer master.Close()
	defer slave.Close()
	master.Write([]byte("old\n"))
	port, err := uart.Open(slave.Name(), 115200)
	if err != nil {
		t.Fatal(err)
	}
	defer port.Close()
	master.Write([]byte("new\n"))
	buf := make([]byte, 10)
	if n, err := port.Read(buf); string(buf[:n]) != "new\n" || err != nil {
		t.Errorf("read %q, %v", buf[:n], err)
	}
}
