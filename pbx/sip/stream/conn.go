package stream

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Conn is one connection of a peer. Its methods may be called by anybody.
type Conn struct {
	Number        uint64 // never used twice in the life of the Server
	Local, Remote netip.AddrPort
	Secure        bool // TLS

	server *Server
	tcp    *net.TCPConn
	conn   channel // tcp, or TLS on it
	ours   bool    // we opened it
	out    chan []byte
	finish chan struct{} // closed: send what waits, then end
	dead   chan struct{} // closed: end now

	mu        sync.Mutex // guards what follows
	limit     time.Time  // when it is hung up on unless a message comes; of a stranger, whatever comes
	welcome   time.Duration
	shaking   bool // the hand-shake of TLS is going on
	finishing bool
	closed    bool
}

// channel is how octets travel: *net.TCPConn or *tls.Conn.
type channel interface {
	net.Conn
	CloseWrite() error
}

// Send queues one message, which is the Conn's from now on. It does not wait.
func (c *Conn) Send(b []byte) error {
	c.mu.Lock()
	over := c.finishing || c.closed
	c.mu.Unlock()
	if over {
		return ErrClosed
	}
	select {
	case c.out <- b:
		return nil
	default:
		c.close()
		return ErrSlow
	}
}

// Welcome says that the peer has proved who it is: from now on the connection may be idle that long.
func (c *Conn) Welcome(idle time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.welcome, c.limit = idle, time.Now().Add(idle)
}

// Finish ends the connection once what waits has been sent.
func (c *Conn) Finish() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.finishing {
		c.finishing = true
		close(c.finish)
		if c.shaking { // there is nothing yet that could be sent
			c.tcp.Close()
		}
	}
}

func (c *Conn) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		c.closed = true
		close(c.dead)
		c.tcp.Close() // TLS's own Close would wait for the peer to read
	}
}

func (c *Conn) stranger() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.welcome == 0
}

// run is the life of a connection.
func (c *Conn) run() {
	if c.shake() {
		var writer sync.WaitGroup
		writer.Go(c.write)
		c.read()
		writer.Wait()
	}
	c.close()
	c.server.remove(c)
	c.server.handler.Closed(c)
}

// write sends until the connection ends.
func (c *Conn) write() {
	for {
		select {
		case <-c.dead:
			return
		case b := <-c.out:
			if c.put(b, c.server.bounds.Write) != nil {
				return
			}
		case <-c.finish:
			for {
				select {
				case b := <-c.out:
					if c.put(b, goodbye) != nil {
						return
					}
				default: // a close with unread octets would take back what was just sent
					_ = c.conn.CloseWrite()
					_ = c.conn.SetReadDeadline(time.Now().Add(goodbye))
					return
				}
			}
		}
	}
}

func (c *Conn) put(b []byte, within time.Duration) error {
	_ = c.conn.SetWriteDeadline(time.Now().Add(within))
	_, err := c.conn.Write(b)
	if err != nil {
		c.close()
	}
	return err
}

// read hands over messages until the connection ends.
func (c *Conn) read() {
	in := bufio.NewReaderSize(c.conn, 4<<10)
	for first := true; ; first = false {
		err := c.await(in)
		if first && c.stumbled(in, err) {
			break
		}
		if err == nil {
			err = c.deadline(time.Now().Add(c.server.bounds.Message))
		}
		if errors.Is(err, io.EOF) { // it has said all, and may still want to hear
			c.Finish()
			return
		}
		if err != nil {
			break
		}
		data, fault, err := next(in)
		if errors.Is(err, errFraming) { // what came before shall be answered
			c.Finish()
			_, _ = io.CopyN(io.Discard, in, 4*maxBody)
			return
		}
		if err != nil {
			break
		}
		c.server.handler.Message(c, data, fault)
		if fault != "" {
			c.Finish()
		}
		if c.over() {
			_, _ = io.CopyN(io.Discard, in, 4*maxBody) // until the deadline that write sets
			break
		}
		c.heard()
	}
	c.close()
}

// await waits for the first octet of a message and answers the keep-alives before it: two line ends are
// a ping, one is its pong (RFC 5626 4.4.1).
func (c *Conn) await(in *bufio.Reader) error {
	ends := 0
	for {
		if err := c.patience(); err != nil {
			return err
		}
		b, err := in.ReadByte()
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded):
			continue // it may have been welcomed meanwhile
		case err != nil:
			return err
		case b == '\r':
		case b != '\n':
			return in.UnreadByte()
		default:
			if ends++; c.ours {
				c.heard() // a pong: who opens a connection pings
				continue
			}
			if ends%2 == 0 {
				c.heard()
				if err := c.Send([]byte("\r\n")); err != nil {
					return err
				}
			}
		}
	}
}

// patience waits for a message to begin as long as the peer is worth; an error: no longer.
func (c *Conn) patience() error {
	c.mu.Lock()
	limit := c.limit
	c.mu.Unlock()
	if !time.Now().Before(limit) {
		return ErrClosed
	}
	return c.deadline(limit)
}

// deadline says until when reading may take; an error: the connection ends, whose deadline is another.
func (c *Conn) deadline(t time.Time) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.finishing || c.closed {
		return ErrClosed
	}
	return c.conn.SetReadDeadline(t)
}

// heard lengthens the life of one who was welcomed.
func (c *Conn) heard() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.welcome > 0 {
		c.limit = time.Now().Add(c.welcome)
	}
}

func (c *Conn) over() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.finishing || c.closed
}

// errFraming says that octets are no message, so that nobody knows where the next one begins.
var errFraming = errors.New("not a message")

// tooLong is what broke reading a line; nil where the line alone is too long.
func tooLong(err error) error {
	if errors.Is(err, bufio.ErrBufferFull) {
		return nil
	}
	return err
}

// next reads one message. An error: there is none to be had; a fault: its head alone is returned, and
// where the next message begins is not known.
func next(in *bufio.Reader) (data []byte, fault string, err error) {
	length, lengths, folded := "", 0, false
	for first := true; ; first = false {
		line, err := in.ReadSlice('\n') // of 4 kB at most
		if err != nil || len(data)+len(line) > maxHead {
			return nil, "", cmp.Or(tooLong(err), errFraming)
		}
		data = append(data, line...)
		line = bytes.TrimRight(line, "\r\n")
		if first && !bytes.Contains(line, []byte("SIP/")) {
			return nil, "", errFraming
		}
		if len(line) == 0 {
			break
		}
		if line[0] == ' ' || line[0] == '\t' { // the line goes on: RFC 3261 7.3.1
			if folded {
				length = strings.TrimSpace(length + " " + string(bytes.TrimSpace(line)))
			}
			continue
		}
		name, value, _ := bytes.Cut(line, []byte(":"))
		folded = false
		if name = bytes.TrimRight(name, " \t"); bytes.EqualFold(name, []byte("Content-Length")) || bytes.EqualFold(name, []byte("l")) {
			length = string(bytes.TrimSpace(value))
			lengths++
			folded = true
		}
	}
	n, bad := strconv.ParseUint(length, 10, 31)
	switch {
	case lengths == 0:
		return data, "Content-Length is missing", nil // mandatory here: RFC 3261 18.3
	case lengths > 1:
		return data, "Content-Length stands twice", nil
	case bad != nil:
		return data, "Content-Length", nil
	case n > maxBody:
		return data, "the body is too long", nil
	}
	head := len(data)
	data = append(data, make([]byte, n)...)
	if _, err := io.ReadFull(in, data[head:]); err != nil {
		return nil, "", err
	}
	return data, "", nil
}
