package dialog

import (
	"strconv"
	"strings"
	"time"
)

// ReadKey reads the key of an INFO body: "Signal=5" and "Duration=160" (milliseconds) of
// application/dtmf-relay, or a bare key of application/dtmf. '!' is a hook flash.
func ReadKey(kind string, body []byte) (key byte, length time.Duration, ok bool) {
	if kind == "application/dtmf-relay" {
		return readRelay(string(body))
	}
	key, ok = readKey(strings.TrimSpace(string(body)))
	return key, 0, ok
}

func readRelay(body string) (key byte, length time.Duration, ok bool) {
	for line := range strings.Lines(body[:min(len(body), 256)]) {
		name, value, _ := strings.Cut(line, "=")
		value = strings.TrimSpace(value)
		switch strings.ToLower(strings.TrimSpace(name)) {
		case "signal":
			key, ok = readKey(value)
		case "duration":
			if n, err := strconv.ParseUint(value, 10, 16); err == nil {
				length = time.Duration(n) * time.Millisecond
			}
		}
	}
	return key, length, ok
}

// readKey reads one key, by its sign or by its event number of RFC 4733; '!' is a hook flash.
func readKey(s string) (byte, bool) {
	if len(s) == 1 && strings.Contains("0123456789*#ABCD!", strings.ToUpper(s)) {
		return strings.ToUpper(s)[0], true
	}
	if n, err := strconv.ParseUint(s, 10, 8); err == nil && n < 17 {
		return "0123456789*#ABCD!"[n], true
	}
	return 0, false
}
