package phone

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strconv"
	"time"
)

// link is the connection of a phone that speaks TCP or TLS. It is made anew whenever it has ended, and the
// phone signs in each time: the box knows it by its connection alone.
type link struct {
	conn net.Conn // nil: none, or not yet
}

const (
	maxStream   = 1 << 16 // octets of one message on a connection
	linkTimeout = 2 * time.Second
)

func (p *Phone) streams() bool { return p.opt.Transport == "tcp" || p.secure() }

func (p *Phone) secure() bool { return p.opt.Transport == "tls" }

// connect opens the connection and reads it until it ends, away from the loop.
func (p *Phone) connect() {
	p.workers.Go(func() {
		dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: p.local.Addr().AsSlice()}, Timeout: linkTimeout}
		conn, err := dialer.DialContext(p.ctx, "tcp", p.opt.Server.String())
		if err == nil && p.secure() {
			conn, err = p.shake(conn)
		}
		if err == nil {
			stop := context.AfterFunc(p.ctx, func() { conn.Close() })
			p.post(func() { p.connected(conn) })
			err = p.readStream(conn)
			stop()
			conn.Close()
		}
		p.post(func() { p.disconnected(err) })
	})
}

// shake makes TLS of a connection; the box shows a certificate of the address that the phone knows.
func (p *Phone) shake(conn net.Conn) (net.Conn, error) {
	secure := tls.Client(conn, &tls.Config{RootCAs: p.opt.Roots, ServerName: p.opt.Server.Addr().String(), MinVersion: tls.VersionTLS12})
	ctx, cancel := context.WithTimeout(p.ctx, linkTimeout)
	defer cancel()
	if err := secure.HandshakeContext(ctx); err != nil {
		conn.Close()
		return nil, err
	}
	return secure, nil
}

// post has the loop do f, or nobody when the phone is switched off.
func (p *Phone) post(f func()) {
	select {
	case p.orders <- f:
	case <-p.ctx.Done():
	}
}

func (p *Phone) connected(conn net.Conn) {
	p.link.conn = conn
	if !p.leaving {
		p.register()
	}
}

func (p *Phone) disconnected(err error) {
	p.link.conn = nil
	p.opt.Log.Debug("connection ended", "phone", p.opt.User, "err", err)
	p.clock.After(min(p.opt.Retry, time.Second), func() {
		if !p.leaving {
			p.connect()
		}
	})
}

// DropConnection ends the phone's connection without a word; a new one follows within a second.
func (p *Phone) DropConnection(ctx context.Context) error {
	return p.ask(ctx, func() error {
		if p.link.conn == nil {
			return fmt.Errorf("phone %s has no connection", p.opt.User)
		}
		return p.link.conn.Close()
	})
}

// readStream hands the messages of conn to the loop, as if each were a datagram of the box.
func (p *Phone) readStream(conn net.Conn) error {
	in := bufio.NewReader(conn)
	for {
		data, err := readMessage(in)
		if err != nil {
			return err
		}
		select {
		case p.heard <- datagram{p.opt.Server, data}:
		case <-p.ctx.Done():
			return p.ctx.Err()
		}
	}
}

// readMessage cuts one message out of a stream (RFC 3261 18.3).
func readMessage(in *bufio.Reader) ([]byte, error) {
	var data []byte
	length := -1
	for {
		line, err := in.ReadBytes('\n')
		if err != nil {
			return nil, err
		}
		text := bytes.TrimSpace(line)
		if len(data) == 0 && len(text) == 0 {
			continue // a pong
		}
		if data = append(data, line...); len(data) > maxStream {
			return nil, errors.New("endless message")
		}
		if len(text) == 0 {
			break
		}
		if name, value, ok := bytes.Cut(text, []byte(":")); ok && bytes.EqualFold(bytes.TrimSpace(name), []byte("Content-Length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return nil, err
			}
		}
	}
	if length < 0 || length > maxStream {
		return nil, errors.New("message without a length that can be")
	}
	body := make([]byte, length)
	_, err := io.ReadFull(in, body)
	return append(data, body...), err
}

// sendStream says whether what goes to that address goes by the connection, and sends it.
func (p *Phone) sendStream(to netip.AddrPort, b []byte) bool {
	if !p.streams() || to != p.opt.Server {
		return false
	}
	if p.link.conn == nil {
		return true // it is lost, and the transaction will time out
	}
	_ = p.link.conn.SetWriteDeadline(time.Now().Add(linkTimeout))
	if _, err := p.link.conn.Write(b); err != nil {
		p.opt.Log.Debug("not sent", "phone", p.opt.User, "to", to, "err", err)
	}
	return true
}
