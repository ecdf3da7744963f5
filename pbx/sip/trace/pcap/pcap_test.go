package pcap

import (
	"bytes"
	"encoding/binary"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func addr(s string) netip.AddrPort { return netip.MustParseAddrPort(s) }

func write(t *testing.T, packets ...Packet) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := New(&b)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range packets {
		if err := w.Put(p); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

const options = "OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1:5060;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\n" +
	"Call-ID: x\r\nCSeq: 1 OPTIONS\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n"

func TestWiresharkReadsAllFamiliesAndStreams(t *testing.T) {
	at := time.Date(2026, 1, 31, 15, 4, 5, 123456000, time.UTC)
	long := strings.Replace(options, "Content-Length: 0\r\n\r\n", "Content-Type: text/plain\r\nContent-Length: 30000\r\n\r\n"+strings.Repeat("y", 30000), 1)
	var list []Packet
	for _, stream := range []bool{false, true} {
		for _, pair := range [][2]string{{"192.0.2.1:5060", "192.0.2.2:5060"}, {"[2001:db8::1]:5060", "[2001:db8::2]:5060"}} {
			a, b := addr(pair[0]), addr(pair[1])
			list = append(list, Packet{at, a, b, stream, []byte(options)}, Packet{at, b, a, stream, []byte(long)},
				Packet{at, a, b, stream, []byte(options + options[:100])}, Packet{at, a, b, stream, []byte(options[100:])})
			if !stream { // a datagram holds one message
				list = append(list[:len(list)-2], Packet{at, a, b, stream, []byte(options)})
			}
		}
	}
	file := filepath.Join(t.TempDir(), "x.pcap")
	if err := os.WriteFile(file, write(t, list...), 0o600); err != nil {
		t.Fatal(err)
	}
	got, err := exec.Command("tshark", "-r", file, "-o", "ip.check_checksum:TRUE", "-o", "udp.check_checksum:TRUE", "-o", "tcp.check_checksum:TRUE",
		"-T", "fields", "-e", "sip.Method", "-e", "_ws.expert.message", "-e", "frame.time_epoch").Output()
	if err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(string(got), "OPTIONS"); n != 14 {
		t.Errorf("tshark sees %d messages, want 14:\n%s", n, got)
	}
	for _, bad := range []string{"hecksum", "alformed", "etrans", "ut-of-order", "lost"} {
		if strings.Contains(string(got), bad) {
			t.Errorf("tshark tells of %q:\n%s", bad, got)
		}
	}
	if !strings.Contains(string(got), ".123456") {
		t.Errorf("the time is another one:\n%s", got)
	}
}

func TestPacketThatCannotBeIsLeftOut(t *testing.T) {
	for _, p := range []Packet{
		{}, {From: addr("192.0.2.1:1"), To: addr("[::1]:1"), Data: []byte("x")}, {From: addr("192.0.2.1:1"), To: addr("192.0.2.2:1")},
	} {
		if n := len(write(t, p)); n != 24 {
			t.Errorf("%+v: %d bytes", p, n)
		}
	}
	// What is longer than a packet can be is cut.
	b := write(t, Packet{From: addr("192.0.2.1:1"), To: addr("192.0.2.2:1"), Data: make([]byte, 70000)})
	if n := binary.LittleEndian.Uint32(b[24+8:]); n != 20+8+maxData {
		t.Errorf("a packet of %d bytes", n)
	}
}
