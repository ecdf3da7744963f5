package web

import (
	"net"
	"net/http"
	"net/netip"
	"strings"
)

// Local is next for browsers on this machine. Other sites that the browser shows can neither read
// what it answers nor command anything: a request must name this machine as its host (a name that
// somebody has pointed at 127.0.0.1 does not), and one that changes something must come from the
// page itself. refuse says so in words.
func Local(next http.Handler, refuse func(w http.ResponseWriter, status int, detail, cure string)) http.Handler {
	same := http.NewCrossOriginProtection()
	same.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		refuse(w, http.StatusForbidden, "another site asked for this, and only the box's own page may", "open the box's page itself")
	}))
	inner := same.Handler(next)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		head := w.Header()
		head.Set("Content-Security-Policy", policy)
		head.Set("X-Content-Type-Options", "nosniff")
		head.Set("Referrer-Policy", "no-referrer")
		head.Set("Cross-Origin-Resource-Policy", "same-origin")
		head.Set("Cross-Origin-Opener-Policy", "same-origin")
		if !isLocal(r.Host) {
			refuse(w, http.StatusMisdirectedRequest, "this page is not called "+r.Host, "open it by the address that the box tells, as http://127.0.0.1:8088/")
			return
		}
		inner.ServeHTTP(w, r)
	})
}

// policy lets the page load what comes from the box, and nothing else.
const policy = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"

// isLocal tells whether host, as a browser was given it, is this machine whatever any name server says.
func isLocal(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	host = strings.TrimSuffix(strings.TrimPrefix(host, "["), "]")
	ip, err := netip.ParseAddr(host)
	return err == nil && ip.IsLoopback() || strings.EqualFold(host, "localhost")
}
