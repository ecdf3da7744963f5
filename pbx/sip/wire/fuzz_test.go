package wire

import (
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func FuzzRequest(f *testing.F) {
	for _, s := range []string{
		"OPTIONS sip:201@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bKx;rport\r\nFrom: a <sip:a@b>;tag=1\r\nTo: <sip:c@d>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n\r\n",
		"INVITE tel:+49 SIP/2.0\r\nv: SIP/2.0/UDP [::1]:5,SIP/2.0/TCP x\r\nf: \"q\\\"\" <sip:%41@b;lr?x=y>;tag=\"1\"\r\nt: sip:c@d;tag=2\r\ni: x\r\nCSeq: 1 INVITE\r\nm: <sip:a@b>\r\nl: 2\r\n\r\nxy",
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 1.2.3.4;branch=z9hG4bKx\r\nTo: <sip:c@d>;tag=1\r\nCSeq: 1 INVITE\r\n\r\n",
		"REGISTER sip:h SIP/2.0\nContact: *\nExpires: 0\n\n",
	} {
		f.Add([]byte(s))
	}
	files, err := filepath.Glob("../testdata/rfc*/*.dat")
	if err != nil || len(files) == 0 {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	w := New(slog.New(slog.DiscardHandler))
	flow := Flow{Network: "udp", Local: netip.MustParseAddrPort("127.0.0.1:5060"), Remote: netip.MustParseAddrPort("127.0.0.1:5062")}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, ok := cutMessage(data)
		if !ok {
			return
		}
		if m.code != "" {
			_ = readResponse(&m, flow)
			return
		}
		r, fault := w.readRequest(&m, flow)
		if fault != nil && fault.code == 0 {
			return
		}
		_ = r.key(r.Method)
		answer := r.response(&Response{Code: 400, Reason: "x"}).String()
		head, _, _ := strings.Cut(answer, "\r\n\r\n")
		if strings.Count(head, "\nCSeq:") != 1 || strings.Count(head, "\r") != strings.Count(head, "\n") {
			t.Errorf("answer has not one CSeq, or a broken line:\n%q", answer)
		}
		if fault == nil && (r.CallID == "" || r.From.Text == "" || r.URI.Scheme == "") {
			t.Errorf("taken: %q", data)
		}
	})
}
