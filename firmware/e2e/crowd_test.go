package e2e

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"branchline/ui/api"
)

// A thousand programs want the live page, most of them never read; somebody sends 100 MB as a
// configuration; prompts are no sound. Each is told so in words, memory stays bounded, and a call
// goes on beside it. It runs alone: other boxes in this program would be counted as its memory.
func TestACrowdAndRubbishCostNoCallAnything(t *testing.T) {
	r := startIn(t, boxes.next(), func(dir string) {
		rubbish(t, dir, "hello", 0) // the caller of below is welcomed by it
		rubbish(t, dir, "huge", 1<<30)
	})
	ana := r.anaAnswers()
	r.lineUp("gsm1")
	caller, desk := r.talk(ana, "+4930871", "+4930901820", 1000)
	began, before := time.Now(), inUse()

	crowd := r.crowd(1000)
	if crowd.in != 200 || crowd.refused != 800 {
		t.Errorf("%d pages are open, %d were refused, of 1000", crowd.in, crowd.refused)
	}
	r.heardThroughout("a thousand pages", caller, desk, 1000, time.Since(began))
	if more := inUse() - before; more > 64<<20 {
		t.Errorf("the crowd takes %d MiB, the test's own half included", more>>20)
	}

	began = time.Now()
	for range 3 {
		for _, length := range []int64{100 << 20, -1} { // told beforehand, and not
			answer, p := r.send(length)
			if answer != http.StatusRequestEntityTooLarge || !strings.Contains(p.Detail, "larger than 1048576 bytes") || p.Cure == "" {
				t.Errorf("100 MB as a configuration: %d, %q, %q", answer, p.Detail, p.Cure)
			}
		}
	}
	faults := r.check(document(t, r.ip, "play: [hello]", "play: [huge]", "invalid: [pbx-invalid]", "invalid: [hello]")).Faults
	for prompt, words := range map[string]string{"hello.wav": "not a WAV file", "huge.wav": "longer than half an hour"} {
		if said := fmt.Sprint(faults); !strings.Contains(said, prompt+" cannot be played: "+words) {
			t.Errorf("nothing says that %s is %s: %s", prompt, words, said)
		}
	}
	r.heardThroughout("rubbish", caller, desk, 1000, time.Since(began))
	if more := inUse() - before; more > 64<<20 {
		t.Errorf("with rubbish it takes %d MiB", more>>20)
	}

	crowd.leave()
	r.eventually("a place for a page", func() bool {
		one := r.crowd(1)
		one.leave()
		return one.in == 1
	})
	caller.Hangup()
	r.record("+4930871")
}

// rubbish is a prompt that is none: some words, with a hole after them up to so many bytes.
func rubbish(t *testing.T, dir, name string, bytes int64) {
	t.Helper()
	file := filepath.Join(dir, "prompts", "en", name+".wav")
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte("I am no sound at all"), 0o600); err != nil {
		t.Fatal(err)
	}
	if bytes > 0 {
		if err := os.Truncate(file, bytes); err != nil {
			t.Fatal(err)
		}
	}
}

// inUse is the memory that the program holds, what nobody needs any more left out.
func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapInuse + m.StackInuse)
}

// crowd is who asked for the live page, and stays.
type crowd struct {
	mu          sync.Mutex
	in, refused int
	conns       []net.Conn
}

func (c *crowd) leave() {
	for _, conn := range c.conns {
		conn.Close()
	}
}

// crowd opens the live page n times and waits for the answers. Nobody reads more of them than the
// header, or the refusal, which must be in words.
func (r *rig) crowd(n int) *crowd {
	r.t.Helper()
	c := &crowd{}
	var asking sync.WaitGroup
	for range min(n, 20) {
		asking.Go(func() {
			for range max(n/20, 1) {
				if err := c.one(r); err != nil {
					r.t.Errorf("a page: %v", err)
					return
				}
			}
		})
	}
	asking.Wait()
	r.t.Cleanup(c.leave)
	return c
}

func (c *crowd) one(r *rig) error {
	host := strings.TrimSuffix(strings.TrimPrefix(r.box.Page(), "http://"), "/")
	conn, err := net.Dial("tcp", host)
	if err != nil {
		return err
	}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	if _, err := fmt.Fprintf(conn, "GET /api/v1/live HTTP/1.1\r\nHost: %s\r\n\r\n", host); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
	if err != nil {
		return err
	}
	if answer.StatusCode != http.StatusOK {
		var p api.Problem
		err := json.NewDecoder(answer.Body).Decode(&p)
		if err != nil || answer.StatusCode != http.StatusServiceUnavailable || !strings.Contains(p.Detail, "200 pages") || p.Cure == "" {
			return fmt.Errorf("%s: %q, %q, %v", answer.Status, p.Detail, p.Cure, err)
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.conns = append(c.conns, conn)
	if answer.StatusCode == http.StatusOK {
		c.in++
	} else {
		c.refused++
	}
	return nil
}

// send puts 100 MB into force; length is what the request says of it, -1: nothing.
func (r *rig) send(length int64) (status int, p api.Problem) {
	r.t.Helper()
	request, err := http.NewRequestWithContext(r.ctx(), http.MethodPost, r.box.Page()+"api/v1/config/apply", io.LimitReader(zeros{}, 100<<20))
	if err != nil {
		r.t.Fatal(err)
	}
	request.ContentLength = length
	request.Header.Set("Content-Type", "application/yaml")
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		r.t.Fatal(err)
	}
	defer answer.Body.Close()
	if err := json.NewDecoder(answer.Body).Decode(&p); err != nil {
		r.t.Errorf("%s: %v", answer.Status, err)
	}
	return answer.StatusCode, p
}

// zeros is a file without end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }
