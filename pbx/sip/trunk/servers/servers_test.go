package servers

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// dns is a small name server: "name TYPE" → its records' data.
type dns struct {
	mu      sync.Mutex
	records map[string][][]byte
	asked   int
}

func (d *dns) put(name, kind string, data ...[]byte) { d.records[name+". "+kind] = data }

func srv(priority, weight, port uint16, target string) []byte {
	b := binary.BigEndian.AppendUint16(nil, priority)
	b = binary.BigEndian.AppendUint16(b, weight)
	b = binary.BigEndian.AppendUint16(b, port)
	for label := range strings.SplitSeq(target, ".") {
		b = append(append(b, byte(len(label))), label...)
	}
	return append(b, 0)
}

// count is how often it was asked.
func (d *dns) count() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.asked
}

// answer is RFC 1035 4: it repeats the question and adds what it knows.
func (d *dns) answer(q []byte) []byte {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.asked++
	name, i := "", 12
	for q[i] != 0 {
		name += string(q[i+1:i+1+int(q[i])]) + "."
		i += 1 + int(q[i])
	}
	end := i + 5
	kind := map[uint16]string{1: "A", 28: "AAAA", 33: "SRV"}[binary.BigEndian.Uint16(q[i+1:])]
	records, known := d.records[name+" "+kind]
	for k := range d.records {
		known = known || strings.HasPrefix(k, name+" ")
	}
	out := append(slices.Clone(q[:2]), 0x84, 0, 0, 1, 0, byte(len(records)), 0, 0, 0, 0)
	if !known {
		out[3] = 3
	}
	out = append(out, q[12:end]...)
	for _, r := range records {
		out = append(out, 0xc0, 12)
		out = append(out, q[i+1:end]...)
		out = append(out, 0, 0, 0, 60, byte(len(r)>>8), byte(len(r)))
		out = append(out, r...)
	}
	return out
}

func (d *dns) resolver(t *testing.T) *net.Resolver {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		b := make([]byte, 1500)
		for {
			n, from, err := c.ReadFrom(b)
			if err != nil {
				return
			}
			_, _ = c.WriteTo(d.answer(b[:n]), from)
		}
	})
	t.Cleanup(func() { c.Close(); wg.Wait() })
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp4", c.LocalAddr().String())
	}}
}

func acme() *dns {
	d := &dns{records: map[string][][]byte{}}
	d.put("_sip._udp.acme.example", "SRV", srv(20, 0, 5080, "b.acme.example"), srv(10, 0, 5070, "a.acme.example"))
	d.put("a.acme.example", "A", []byte{198, 51, 100, 1}, []byte{198, 51, 100, 2})
	d.put("b.acme.example", "A", []byte{198, 51, 100, 3})
	d.put("plain.example", "A", []byte{198, 51, 100, 9})
	return d
}

func TestServersComeByPriorityThenByTheDocument(t *testing.T) {
	f := New(acme().resolver(t), "udp")
	got, err := f.Find(t.Context(), []string{"acme.example", "plain.example", "a.acme.example:5090", "203.0.113.1", "[2001:db8::1]:5062", "nobody.example"})
	want := []string{"198.51.100.1:5070", "198.51.100.2:5070", "198.51.100.3:5080", "198.51.100.9:5060", "198.51.100.1:5090",
		"198.51.100.2:5090", "203.0.113.1:5060", "[2001:db8::1]:5062"}
	var texts []string
	for _, a := range got {
		texts = append(texts, a.At.String())
	}
	slices.Sort(texts[:2])
	slices.Sort(texts[4:6])
	if err != nil || !slices.Equal(texts, want) {
		t.Errorf("found %v, %v", texts, err)
	}
}

func TestWhatDNSSaidIsRemembered(t *testing.T) {
	d := acme()
	f := New(d.resolver(t), "udp")
	for range 5 {
		_, _ = f.Find(t.Context(), []string{"acme.example", "nobody.example"})
	}
	asked := d.count()
	if _, err := f.Find(t.Context(), []string{"nobody.example"}); !errors.Is(err, ErrName) {
		t.Errorf("a name that is not there: %v", err)
	}
	if d.count() != asked {
		t.Error("DNS was asked again for what it had just said")
	}
	for name, e := range f.known { // as if time had passed
		e.at = e.at.Add(-negative - time.Second)
		f.known[name] = e
	}
	d.mu.Lock()
	clear(d.records)
	d.mu.Unlock()
	if got, err := f.Find(t.Context(), []string{"acme.example"}); err != nil || len(got) != 3 || d.count() != asked {
		t.Errorf("within the minute: %v, %v", got, err)
	}
	e := f.known["acme.example"]
	e.at = e.at.Add(-fresh)
	f.known["acme.example"] = e
	got, err := f.Find(t.Context(), []string{"acme.example"})
	if err != nil || len(got) != 3 || d.count() == asked {
		t.Errorf("a name that is not found any more lost its addresses: %v, %v", got, err)
	}
	if !slices.Contains(got, Server{netip.MustParseAddrPort("198.51.100.3:5080"), "acme.example"}) {
		t.Errorf("found %v", got)
	}
}

func TestSecureServersHaveTheNameOfTheDocument(t *testing.T) {
	d := acme()
	d.put("_sips._tcp.acme.example", "SRV", srv(10, 0, 5071, "b.acme.example"))
	got, err := New(d.resolver(t), "tls").Find(t.Context(), []string{"acme.example", "plain.example", "203.0.113.1"})
	want := []Server{{netip.MustParseAddrPort("198.51.100.3:5071"), "acme.example"}, {netip.MustParseAddrPort("198.51.100.9:5061"), "plain.example"},
		{netip.MustParseAddrPort("203.0.113.1:5061"), "203.0.113.1"}}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("found %v, %v", got, err)
	}
}

func TestDNSThatIsSilentTakesNoLongerThanItMay(t *testing.T) {
	c, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "udp4", c.LocalAddr().String())
	}}
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	began := time.Now()
	if _, err := New(r, "udp").Find(ctx, []string{"acme.example"}); err == nil || time.Since(began) > 2*time.Second {
		t.Errorf("found something within %v: %v", time.Since(began), err)
	}
}
