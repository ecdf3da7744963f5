package ui

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"branchline/ui/web"
)

// Socket is the name of the unix socket in the folder of a box.
const Socket = "branchline.sock"

const (
	headerPatience = 10 * time.Second // for a request's header, and for its body
	writePatience  = 10 * time.Second // for a client to take what is written; then it is dropped
	idlePatience   = 2 * time.Minute
	stopPatience   = 2 * time.Second // for running requests when the box stops
	maxHeader      = 16 << 10
	sendBuffer     = 128 << 10
	maxClients     = 1024 // connections to one listener; each costs some 20 kB
)

// ListenUnix opens the box's socket in dir. Only the box's own user may connect (0600), from the
// first moment on. A socket that a crashed box left there is replaced, so the caller holds dir's
// store first. Close removes nothing: a stale socket refuses connections, which tells a client
// that no box runs.
func ListenUnix(dir string) (net.Listener, error) {
	nest, err := os.MkdirTemp(dir, ".socket-") // 0700: nobody reaches the socket before it is 0600
	if err != nil {
		return nil, fmt.Errorf("open socket in %s: %w", dir, err)
	}
	defer os.RemoveAll(nest)
	short, done, err := shortPath(nest)
	if err != nil {
		return nil, fmt.Errorf("open socket in %s: %w", dir, err)
	}
	defer done()
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: filepath.Join(short, Socket)})
	if err != nil {
		return nil, fmt.Errorf("open socket in %s: %w", dir, err)
	}
	ln.SetUnlinkOnClose(false)
	err = errors.Join(
		os.Chmod(filepath.Join(nest, Socket), 0o600),
		os.Rename(filepath.Join(nest, Socket), filepath.Join(dir, Socket)),
	)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open socket in %s: %w", dir, err), ln.Close())
	}
	return ln, nil
}

// DialUnix connects to the socket of the box that runs in dir.
func DialUnix(ctx context.Context, dir string) (net.Conn, error) {
	short, done, err := shortPath(dir)
	if err != nil {
		return nil, err
	}
	defer done()
	var d net.Dialer
	return d.DialContext(ctx, "unix", filepath.Join(short, Socket))
}

// shortPath names dir so that a socket in it fits the 108 bytes of sun_path (unix(7)); the name
// holds until done is called.
func shortPath(dir string) (name string, done func(), err error) {
	f, err := os.Open(dir)
	if err != nil {
		return "", nil, err
	}
	return fmt.Sprintf("/proc/self/fd/%d", f.Fd()), func() { f.Close() }, nil
}

// ServePage answers browsers on this machine at addr until ctx ends, and then returns nil as Serve
// does. An error says why it cannot, and what to do.
func ServePage(ctx context.Context, addr netip.AddrPort, h http.Handler, log *slog.Logger) error {
	var listen net.ListenConfig
	ln, err := listen.Listen(ctx, "tcp", addr.String())
	if err != nil {
		if ctx.Err() != nil {
			return nil
		}
		return fmt.Errorf("page: %w; is another box running? each needs its own network.page.listen", err)
	}
	return Serve(ctx, ln, web.Local(h, func(w http.ResponseWriter, status int, detail, cure string) {
		refuse(w, problem(status, detail, cure))
	}), log)
}

// bounded keeps what the kernel holds for a client that does not read small.
func bounded(ctx context.Context, c net.Conn) context.Context {
	if tcp, ok := c.(*net.TCPConn); ok {
		_ = tcp.SetWriteBuffer(sendBuffer) // without it the kernel's own bound holds
	}
	return ctx
}

// crowd counts the connections of a server, and refuses in words those that are too many.
type crowd struct {
	most int64
	here atomic.Int64
}

// changed is http.Server's ConnState. For a new connection it runs before anything is read of it.
func (c *crowd) changed(conn net.Conn, state http.ConnState) {
	switch state {
	case http.StateNew:
		if c.here.Add(1) > c.most {
			_ = conn.SetDeadline(time.Now().Add(time.Second)) // the words fit into any buffer
			_, _ = io.WriteString(conn, c.full())
			_ = conn.Close() // the server finds it closed and counts it out
		}
	case http.StateClosed, http.StateHijacked:
		c.here.Add(-1)
	}
}

// full is the whole answer to a connection too many.
func (c *crowd) full() string {
	body, _ := json.Marshal(problem(http.StatusServiceUnavailable, // plain data, always fit for JSON
		fmt.Sprintf("%d connections to this box are open, as many as there may be", c.most), "close some pages or programs that use it, and try again"))
	return fmt.Sprintf("HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/problem+json\r\nRetry-After: 30\r\n"+
		"Connection: close\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// Serve answers on ln until ctx ends, and then returns nil once the running requests have ended,
// within two seconds. It closes ln.
func Serve(ctx context.Context, ln net.Listener, h http.Handler, log *slog.Logger) error {
	server := &http.Server{
		Handler:           h,
		ReadHeaderTimeout: headerPatience,
		IdleTimeout:       idlePatience,
		MaxHeaderBytes:    maxHeader,
		BaseContext:       func(net.Listener) context.Context { return ctx },
		ConnContext:       bounded,
		ConnState:         (&crowd{most: maxClients}).changed,
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	served := make(chan error, 1)
	go func() { served <- server.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopPatience)
	defer cancel()
	if err := server.Shutdown(last); err != nil {
		log.Warn("requests cut at stop", "err", err)
		server.Close()
	}
	<-served
	return nil
}
