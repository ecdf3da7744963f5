package main

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/icholy/digest"
)

const (
	mainsPhones = 200
	mainsKeys   = 20               // lamp keys of each, a SUBSCRIBE each
	mainsWithin = 10 * time.Second // in which all of them come back
	mainsGoal   = 30 * time.Second
	mainsSetUp  = time.Second
)

// office is the demo branch with phones 1000 and up beside its own.
func (b *bench) office() []byte {
	var more strings.Builder
	for i := range mainsPhones {
		fmt.Fprintf(&more, "  - {number: \"%d\", password: plum-cake-%[1]d}\n", 1000+i)
	}
	text := strings.Replace(string(b.document()), "last: 10399", "last: 10999", 1)
	return []byte(strings.Replace(text, "extensions:\n", "extensions:\n"+more.String(), 1))
}

// mains lets a whole office sign in at once while somebody calls.
func (b *bench) mains() error {
	box, err := b.start()
	if err != nil {
		return err
	}
	defer func() { err = firstOf(err, stop(box)) }()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	defer cancel()
	c, err := b.newCaller(ctx)
	if err != nil {
		return err
	}
	calling, over := context.WithCancel(ctx)
	var talk, phones sync.WaitGroup
	talk.Go(func() { c.call(calling) })
	began := time.Now()
	took := make([]time.Duration, mainsPhones)
	lamps, errs := make([]int, mainsPhones), make([]error, mainsPhones)
	for i := range mainsPhones {
		phones.Go(func() {
			<-time.After(time.Duration(i) * mainsWithin / mainsPhones)
			lamps[i], errs[i] = b.powerUp(ctx, i)
			took[i] = time.Since(began)
		})
	}
	phones.Wait()
	over()
	talk.Wait()
	last, lit := time.Duration(0), 0
	for i := range took {
		last, lit = max(last, took[i]), lit+lamps[i]
	}
	if err := firstOf(errs...); err != nil {
		return err
	}
	fmt.Printf("%-36s %.1f s after the first (goal ≤ %v; %d phones within %v, %d lamp keys each)\n", "mains return: all in service", last.Seconds(), mainsGoal, mainsPhones, mainsWithin, mainsKeys)
	fmt.Printf("%-36s %d of %d answered 2xx, the others otherwise\n", "SUBSCRIBEs", lit, mainsPhones*mainsKeys)
	fmt.Printf("%-36s %v p50, %v p99, %v at most of %d calls, %d failed (goal ≤ %v, 0)\n", "set-up meanwhile", c.of(0.5), c.of(0.99), c.of(1), len(c.took), c.failed, mainsSetUp)
	b.missed = b.missed || last > mainsGoal || c.of(1) > mainsSetUp || c.failed > 0 || len(c.took) == 0
	return nil
}

// desk is a phone of the office as a bare socket.
type desk struct {
	conn *net.UDPConn
	box  netip.Addr
	user string
	seq  int
}

// powerUp signs a phone in and subscribes its lamp keys; lit is how many were answered 2xx.
func (b *bench) powerUp(ctx context.Context, i int) (lit int, err error) {
	own := netip.AddrPortFrom(loopback(44+i/200, 1+i%200), 5060)
	conn, err := net.DialUDP("udp", net.UDPAddrFromAddrPort(own), net.UDPAddrFromAddrPort(netip.AddrPortFrom(b.address, 5060)))
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	d := &desk{conn: conn, box: b.address, user: fmt.Sprint(1000 + i)}
	if code, err := d.ask(ctx, "REGISTER", d.user, "Expires: 600\r\n"); err != nil || code != 200 {
		return 0, fmt.Errorf("phone %s: REGISTER answered %d, %v", d.user, code, err)
	}
	for k := range mainsKeys {
		code, err := d.ask(ctx, "SUBSCRIBE", fmt.Sprint(1000+(i+k+1)%mainsPhones), "Event: dialog\r\nAccept: application/dialog-info+xml\r\nExpires: 600\r\n")
		if err != nil {
			return lit, fmt.Errorf("phone %s: SUBSCRIBE: %w", d.user, err)
		}
		if code/100 == 2 {
			lit++
		}
	}
	return lit, nil
}

// ask sends a request, with credentials where it is asked for them, and gives the final code.
func (d *desk) ask(ctx context.Context, method, to, extra string) (code int, err error) {
	proof := ""
	for range 3 {
		answer, err := d.exchange(ctx, method, to, extra+proof)
		if err != nil {
			return 0, err
		}
		if _, err := fmt.Sscanf(answer, "SIP/2.0 %d", &code); err != nil {
			return 0, err
		}
		_, challenge, asked := strings.Cut(answer, "WWW-Authenticate: ")
		if code != 401 || !asked {
			return code, nil
		}
		challenge, _, _ = strings.Cut(challenge, "\r\n")
		c, err := digest.ParseChallenge(challenge)
		if err != nil {
			return 0, err
		}
		cred, err := digest.Digest(c, digest.Options{Method: method, URI: "sip:" + to + "@" + d.box.String(), Username: d.user, Password: "plum-cake-" + d.user, Count: 1})
		if err != nil {
			return 0, err
		}
		proof = "Authorization: " + cred.String() + "\r\n"
	}
	return code, nil
}

// exchange sends until the final answer comes, and answers what the box asks meanwhile.
func (d *desk) exchange(ctx context.Context, method, to, extra string) (string, error) {
	d.seq++
	id := fmt.Sprintf("%s-%d-%s", d.user, d.seq, method)
	at := d.conn.LocalAddr().String()
	text := fmt.Sprintf("%[1]s sip:%[2]s@%[3]s SIP/2.0\r\nVia: SIP/2.0/UDP %[4]s;branch=z9hG4bK%[5]s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:%[6]s@%[3]s>;tag=%[5]s\r\n"+
		"To: <sip:%[2]s@%[3]s>\r\nCall-ID: %[5]s\r\nCSeq: %[7]d %[1]s\r\nContact: <sip:%[6]s@%[4]s>\r\n%[8]sContent-Length: 0\r\n\r\n",
		method, to, d.box, at, id, d.user, d.seq, extra)
	buf := make([]byte, 8192)
	for pause := 500 * time.Millisecond; pause <= 16*time.Second && ctx.Err() == nil; pause *= 2 {
		if _, err := d.conn.Write([]byte(text)); err != nil {
			return "", err
		}
		for _ = d.conn.SetReadDeadline(time.Now().Add(pause)); ; {
			n, err := d.conn.Read(buf)
			if err != nil {
				break
			}
			m := string(buf[:n])
			if !strings.HasPrefix(m, "SIP/2.0 ") {
				d.agree(m)
			} else if strings.Contains(m, "Call-ID: "+id+"\r\n") && !strings.HasPrefix(m, "SIP/2.0 1") {
				return m, nil
			}
		}
	}
	return "", fmt.Errorf("%s is not answered", method)
}

// agree answers a request of the box with 200.
func (d *desk) agree(m string) {
	out := "SIP/2.0 200 OK\r\n"
	for line := range strings.SplitSeq(m, "\r\n") {
		name, _, _ := strings.Cut(line, ":")
		switch name {
		case "Via", "From", "To", "Call-ID", "CSeq":
			out += line + "\r\n"
		}
	}
	_, _ = d.conn.Write([]byte(out + "Content-Length: 0\r\n\r\n"))
}
