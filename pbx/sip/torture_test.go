package sip

import (
	"bytes"
	"io"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// torture is what becomes of a message of RFC 4475 or RFC 5118: the code of our answer, 0 for silence, and
// why. By TCP it is the same but where tcp says otherwise (-1: silence).
type torture struct {
	file, section string
	code, tcp     int
	why           string
}

// tortures is one line for each message. A phone that has not proved who it is gets 401 where it asks for
// something that needs proof: what else is wrong with a sound request is nobody's business before that.
func tortures() []torture {
	return []torture{
		{"wsinv", "4475 3.1.1.1", 481, 0, "sound; its To has a tag, and we know no such dialog"},
		{"intmeth", "4475 3.1.1.2", 501, 0, "sound, with a method that nobody knows"},
		{"esc01", "4475 3.1.1.3", 401, 0, "sound"},
		{"escnull", "4475 3.1.1.4", 401, 0, "sound: an escaped NUL ends no name"},
		{"esc02", "4475 3.1.1.5", 501, 0, "sound: % is no escape in a method"},
		{"lwsdisp", "4475 3.1.1.6", 200, 0, "sound"},
		{"longreq", "4475 3.1.1.7", 401, 0, "sound"},
		{"dblreq", "4475 3.1.1.8", 401, 400, "sound: what follows the body is no part of it; by TCP it is an INVITE without Contact"},
		{"semiuri", "4475 3.1.1.9", 200, 0, "sound"},
		{"transports", "4475 3.1.1.10", 200, 0, "sound"},
		{"mpart01", "4475 3.1.1.11", 405, 0, "sound; we take no MESSAGE"},
		{"unreason", "4475 3.1.1.12", 0, 0, "a response to nothing that we sent"},
		{"noreason", "4475 3.1.1.13", 0, 0, "a response to nothing that we sent"},
		{"badinv01", "4475 3.1.2.1", 400, 0, "parameters without names in Via and Contact"},
		{"clerr", "4475 3.1.2.2", 400, -1, "Content-Length beyond the datagram; by TCP we wait for the rest, and hang up"},
		{"ncl", "4475 3.1.2.3", 400, 0, "Content-Length below 0"},
		{"scalar02", "4475 3.1.2.4", 400, 0, "CSeq beyond its range"},
		{"scalarlg", "4475 3.1.2.5", 0, 0, "a broken response is dropped"},
		{"quotbal", "4475 3.1.2.6", 400, 0, "a quote without its end"},
		{"ltgtruri", "4475 3.1.2.7", 400, 0, "angle brackets round the Request-URI"},
		{"lwsruri", "4475 3.1.2.8", 400, 0, "white space in the Request-URI"},
		{"lwsstart", "4475 3.1.2.9", 400, 0, "two spaces in the request line"},
		{"trws", "4475 3.1.2.10", 400, 0, "white space after the request line"},
		{"escruri", "4475 3.1.2.11", 400, 0, "headers in the Request-URI"},
		{"baddate", "4475 3.1.2.12", 401, 0, "a Date of another zone is ignored, as the RFC allows: we do not use it"},
		{"regbadct", "4475 3.1.2.13", 400, 0, "a question mark in a Contact without brackets"},
		{"badaspec", "4475 3.1.2.14", 200, 0, "spaces within the brackets are ignored, as the RFC allows"},
		{"baddn", "4475 3.1.2.15", 200, 0, "a name that ought to be quoted is taken as meant, as the RFC allows"},
		{"badvers", "4475 3.1.2.16", 505, 0, "another version of SIP"},
		{"mismatch01", "4475 3.1.2.17", 400, 0, "CSeq names another method"},
		{"mismatch02", "4475 3.1.2.18", 400, 0, "CSeq names another method than the unknown one"},
		{"bigcode", "4475 3.1.2.19", 0, 0, "a broken response is dropped"},
		{"badbranch", "4475 3.2.1", 200, 0, "a branch of the cookie alone is no name: it counts as one of RFC 2543"},
		{"insuf", "4475 3.3.1", 400, 0, "From, To and Call-ID are missing"},
		{"unkscm", "4475 3.3.2", 416, 0, "a Request-URI of a scheme that nobody knows"},
		{"novelsc", "4475 3.3.3", 416, 0, "a Request-URI of a scheme that is not ours"},
		{"unksm2", "4475 3.3.4", 400, 0, "a Contact that no call can go to"},
		{"bext01", "4475 3.3.5", 420, 0, "it requires what we do not know"},
		{"invut", "4475 3.3.6", 401, 0, "a body of a type that nobody knows: 415, but not to a stranger"},
		{"regaut01", "4475 3.3.7", 401, 0, "credentials of a scheme that we did not ask for"},
		{"multi01", "4475 3.3.8", 400, 0, "headers twice that may stand once"},
		{"mcl01", "4475 3.3.9", 400, 0, "two Content-Lengths"},
		{"bcast", "4475 3.3.10", 0, 0, "a response with two Vias is none of ours"},
		{"zeromf", "4475 3.3.11", 200, 0, "it has arrived: Max-Forwards is for those who forward"},
		{"cparam01", "4475 3.3.12", 401, 0, "sound"},
		{"cparam02", "4475 3.3.13", 401, 0, "sound"},
		{"regescrt", "4475 3.3.14", 401, 0, "sound"},
		{"sdp01", "4475 3.3.15", 401, 0, "it accepts no SDP: 406, but not to a stranger"},
		{"inv2543", "4475 3.4.1", 401, 400, "sound as RFC 2543 has it; by TCP Content-Length is mandatory"},
		{"test", "4475 A", 0, 0, "no first line of SIP"},

		{"ipv6-good", "5118 4.1", 401, 0, "sound"},
		{"ipv6-bad", "5118 4.2", 400, 0, "an IPv6 address without brackets"},
		{"port-ambiguous", "5118 4.3", 401, 0, "sound: 5070 is a part of the address"},
		{"port-unambiguous", "5118 4.4", 401, 0, "sound"},
		{"via-received-param-with-delim", "5118 4.5", 481, 0, "received with brackets is taken; we know no such dialog"},
		{"via-received-param-no-delim", "5118 4.5", 200, 0, "sound"},
		{"ipv6-in-sdp", "5118 4.6", 400, -1, "Content-Length as the RFC prints it, 268, is 17 beyond the body"},
		{"mult-ip-in-header", "5118 4.7", 481, 0, "sound; we know no such dialog"},
		{"mult-ip-in-sdp", "5118 4.8", 401, 0, "sound"},
		{"ipv4-mapped-ipv6", "5118 4.9", 401, 0, "sound"},
		{"ipv6-bug-abnf-3-colons", "5118 4.10", 200, 0, "three colons are taken, as the grammar of RFC 3261 has them"},
		{"ipv6-correct-abnf-2-colons", "5118 4.10", 200, 0, "sound"},
	}
}

func (c torture) data(t *testing.T) []byte {
	t.Helper()
	number, _, _ := strings.Cut(c.section, " ")
	b, err := os.ReadFile(filepath.Join("testdata", "rfc"+number, c.file+".dat"))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestEveryTortureMessageIsInTheTable(t *testing.T) {
	in := map[string]bool{}
	for _, c := range tortures() {
		in[c.file] = true
	}
	files, err := filepath.Glob("testdata/rfc*/*.dat")
	if err != nil || len(files) != 62 {
		t.Errorf("%d files, %v", len(files), err)
	}
	for _, f := range files {
		if name := strings.TrimSuffix(filepath.Base(f), ".dat"); !in[name] {
			t.Errorf("%s is not in the table", name)
		}
	}
}

// sockets are where answers go that Vias of the torture messages name: one address, several ports.
func sockets(t *testing.T, ip string, ports ...uint16) (first *net.UDPConn, heard chan string) {
	t.Helper()
	heard = make(chan string, 100)
	var readers sync.WaitGroup
	t.Cleanup(readers.Wait)
	for _, port := range ports {
		c, err := net.ListenUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(ip), port)))
		if err != nil {
			t.Fatal(err)
		}
		if first == nil {
			first = c
		}
		readers.Go(func() {
			b := make([]byte, 65536)
			for {
				n, err := c.Read(b)
				if err != nil {
					return
				}
				heard <- string(b[:n])
			}
		})
		t.Cleanup(func() { c.Close() })
	}
	return first, heard
}

// ping is an OPTIONS of a stranger; it is how a test knows that all before it was handled.
func ping(id string) string {
	return "OPTIONS sip:box SIP/2.0\r\nVia: SIP/2.0/UDP 127.77.5.2:5060;branch=z9hG4bK" + id + ";rport\r\nFrom: <sip:a@b>;tag=1\r\n" +
		"To: <sip:box>\r\nCall-ID: ping-" + id + "\r\nCSeq: 1 OPTIONS\r\nContent-Length: 0\r\n\r\n"
}

func TestTortureMessagesHaveTheRFCsAnswerByUDP(t *testing.T) {
	h := open(t, settings(), Options{})
	from, heard := sockets(t, "127.77.5.2", 5060, 5050, 6050, 19823)
	for i, c := range tortures() {
		id := strconv.Itoa(i)
		for _, b := range [][]byte{c.data(t), []byte(ping(id))} {
			if _, err := from.WriteToUDPAddrPort(b, h.at); err != nil {
				t.Fatal(err)
			}
		}
		var got []string
		for done := false; !done; {
			select {
			case m := <-heard:
				if done = strings.Contains(m, "ping-"+id); !done {
					got = append(got, m)
				} else if !strings.HasPrefix(m, "SIP/2.0 200 ") {
					t.Errorf("after %s the box answers OPTIONS with %.40q", c.file, m)
				}
			case <-time.After(patience):
				t.Fatalf("after %s the box is deaf", c.file)
			}
		}
		if len(got) == 0 && c.code != 0 { // it may have gone to another port
			select {
			case m := <-heard:
				got = append(got, m)
			case <-time.After(patience):
			}
		}
		want := []string{}
		if c.code != 0 {
			want = append(want, "SIP/2.0 "+strconv.Itoa(c.code)+" ")
		}
		if len(got) != len(want) || len(got) == 1 && !strings.HasPrefix(got[0], want[0]) {
			t.Errorf("%s (RFC %s): answered %.60q, want %q: %s", c.file, c.section, got, want, c.why)
		}
	}
}

func TestTortureMessagesHaveTheRFCsAnswerByTCP(t *testing.T) {
	h := open(t, settings(), Options{})
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 77, 5, 3)}}
	for i, c := range tortures() {
		conn, err := dialer.Dial("tcp", h.at.String())
		if err != nil {
			t.Fatalf("before %s: %v", c.file, err)
		}
		data := append(bytes.TrimRight(c.data(t), "\r\n"), "\r\n\r\n"...)
		if bytes.Contains(c.data(t), []byte("v=0")) {
			data = c.data(t) // the body counts, as far as the RFC's own count of it goes
			if m, ok := map[string]int{"mult-ip-in-sdp": 189 - 181, "ipv4-mapped-ipv6": 245 - 236}[c.file]; ok {
				data = data[:len(data)-m]
			}
		}
		_, _ = conn.Write(data)
		_, _ = io.WriteString(conn, ping(strconv.Itoa(i)))
		_ = conn.SetReadDeadline(time.Now().Add(patience))
		if c.tcp < 0 {
			_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		}
		var all []byte
		for b := make([]byte, 4096); !bytes.Contains(all, []byte("ping-")); {
			n, err := conn.Read(b)
			all = append(all, b[:n]...)
			if err != nil {
				break
			}
		}
		conn.Close()
		got := string(all)
		if at := strings.Index(got, "SIP/2.0 200 OK"); at > 0 && strings.Contains(got[at:], "ping-") {
			got = got[:at] // the ping's
		}
		want := c.code
		if c.tcp != 0 {
			want = max(0, c.tcp)
		}
		if want == 0 && strings.HasPrefix(got, "SIP/2.0") && !strings.Contains(got, "ping-") ||
			want != 0 && !strings.Contains(got, "SIP/2.0 "+strconv.Itoa(want)+" ") {
			t.Errorf("%s (RFC %s): answered %.60q, want %d: %s", c.file, c.section, got, want, c.why)
		}
	}
	p := newTCP(t, h.at, "201")
	p.signIn()
}
