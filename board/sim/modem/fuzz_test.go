package modem

import (
	"strings"
	"testing"
	"time"
)

// FuzzATInput: whatever is typed, each line is answered in bounded length, nothing panics, and the
// modem still says OK afterwards.
func FuzzATInput(f *testing.F) {
	for _, seed := range []string{
		"AT\r", "ATE0V1\r", "AT+CREG?;+CSQ;+COPS?\r", "ATD+4930111;\r", "ATD1;;;A;H\r", "AT+QHUP=16,2\r", "AT+CPIN=\"", "ATS0=255\r", "AT+CHLD=1x\r",
		"AT+VTS=\"123\",5\r", "AT+CFUN=1,1\r", "AT+QPOWD=1\r", "AT+CLAC\r", "\x1b\r", "AT+=?\r", "AT+QCFG=\"\"\r", "AT+COPS=3\r", "AT&", "AT+CPMS=\"SM\"\r", "ATDI;\r", "\xd1\xec\xdcAT\r", "AT+CMGS=23\r00010108915155100000000DE8329BFD0699E5EF36E8FC06\x1a", "AT+CMGS=9\r\x1bAT+CMGL=4\r", "AT+CUSD=1,\"*101#\"\r", "AT+VTD=255,255;D1;\rATA\r",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, typed []byte) {
		if len(typed) > 5000 {
			return // more than a tty holds
		}
		onBench(t, Options{ResetKeepsUSB: true}, func(b *bench) {
			b.ready()
			b.dialIn("from=+4930123; patience 30s; wait 30s; hangup")
			b.at.Write(typed)
			got := b.skip(3 * time.Hour) // VTS with its longest keys, 16 lines of them
			if lines := strings.Count(string(typed), "\r"); len(got) > 300_000+10_000*lines {
				t.Errorf("%d bytes of answer", len(got))
			}
			if strings.Contains(got, "POWERED DOWN") {
				return
			}
			b.at.Write([]byte("\x1b\rATE0\r"))
			if end := b.skip(time.Second); !strings.Contains(end, "\r\nOK\r\n") {
				t.Errorf("after %q the modem answers %q", typed, end)
			}
		})
	})
}
