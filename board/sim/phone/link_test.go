package phone

import (
	"bufio"
	"bytes"
	"net"
	"strings"
	"testing"
	"time"

	"branchline/board/sim/phone/message"
)

// hears reads one message from a connection of a phone.
func hears(t *testing.T, conn net.Conn, in *bufio.Reader) *message.Message {
	t.Helper()
	_ = conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	data, err := readMessage(in)
	must(t, err)
	m, err := message.Parse(data)
	must(t, err)
	return m
}

func TestPhoneByTCPSignsInOnEachConnectionAndRepeatsNothing(t *testing.T) {
	t.Parallel()
	l, err := net.ListenTCP("tcp", net.TCPAddrFromAddrPort(loopback()))
	must(t, err)
	defer l.Close()
	p := start(t, Options{User: "201", Server: l.Addr().(*net.TCPAddr).AddrPort(), Transport: "tcp", T1: 20 * time.Millisecond})
	for i := range 2 {
		conn, err := l.Accept()
		must(t, err)
		defer conn.Close()
		in := bufio.NewReader(conn)
		m := hears(t, conn, in)
		if m.Method != "REGISTER" || !strings.HasPrefix(m.Get("Via"), "SIP/2.0/TCP ") || !strings.Contains(m.Get("Contact"), ";transport=tcp") {
			t.Errorf("connection %d: heard\n%s", i, m.Bytes())
		}
		_ = conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if b, err := in.ReadByte(); err == nil {
			t.Errorf("connection %d: heard more: %q", i, b)
		}
		answer := m.Response(200, "x").Bytes()
		for _, part := range [][]byte{answer[:10], answer[10:]} { // in two pieces
			_, err = conn.Write(part)
			must(t, err)
		}
		must(t, p.Registered(soon(t)))
		if i == 0 {
			must(t, p.DropConnection(soon(t)))
		}
	}
}

func TestTransportThatCannotBeIsRefused(t *testing.T) {
	for _, o := range []Options{{Listen: loopback(), Transport: "tcp"}, {Server: loopback(), Transport: "sctp"}} {
		if _, err := New(o); err == nil {
			t.Errorf("taken: %+v", o)
		}
	}
}

func FuzzReadMessage(f *testing.F) {
	f.Add([]byte("\r\nSIP/2.0 200 OK\r\nContent-Length: 2\r\n\r\nab"))
	f.Add([]byte("OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		in := bufio.NewReader(bytes.NewReader(data))
		for {
			m, err := readMessage(in)
			if err != nil {
				return
			}
			if len(m) > 2*maxStream {
				t.Fatalf("%d octets", len(m))
			}
		}
	})
}
