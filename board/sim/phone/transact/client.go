package transact

import (
	"errors"
	"net/netip"
	"time"

	"branchline/board/sim/phone/message"
)

// ErrFull says that too many transactions are open.
var ErrFull = errors.New("too many SIP transactions")

type clientState uint8

const (
	calling    clientState = iota // INVITE: Calling; others: Trying
	proceeding                    // a 1xx came
	accepted                      // INVITE: a 2xx came; more may come from other forks
	completed                     // answered; repeated answers are absorbed
	terminated
)

// Client is one request of ours.
type Client struct {
	Request *message.Message

	layer  *Layer
	to     netip.AddrPort
	bytes  []byte
	key    string
	state  clientState
	on     func(*message.Message)
	repeat *Timer // A or E
	end    *Timer // B or F, then D, K or M
	ack    []byte
}

// Request sends req, whose topmost Via holds a new branch, and tells on every response: any
// number of 1xx, then one final; of an INVITE every 2xx again, also repeated ones, because each
// wants its ACK. on(nil): nobody answered (timer B or F). ACKs of other finals are sent here.
func (l *Layer) Request(req *message.Message, to netip.AddrPort, on func(*message.Message)) (*Client, error) {
	if len(l.clients) >= maxTransaction {
		return nil, ErrFull
	}
	via, err := req.Via()
	if err != nil {
		return nil, err
	}
	if l.clients == nil {
		l.clients = map[string]*Client{}
	}
	c := &Client{Request: req, layer: l, to: to, bytes: req.Bytes(), key: via.Branch() + "|" + req.Method, on: on}
	l.clients[c.key] = c
	l.Send(to, c.bytes)
	if !l.Reliable {
		c.repeatAfter(l.Timing.T1)
	}
	c.end = l.Clock.After(l.Timing.timeout(), func() {
		c.terminate()
		on(nil)
	})
	return c, nil
}

func (c *Client) repeatAfter(d time.Duration) {
	c.repeat = c.layer.Clock.After(d, func() {
		c.layer.Send(c.to, c.bytes)
		next := 2 * d
		if c.Request.Method != "INVITE" { // timer E is capped, timer A is not
			next = min(next, c.layer.Timing.T2)
			if c.state == proceeding {
				next = c.layer.Timing.T2
			}
		}
		c.repeatAfter(next)
	})
}

// Answered says whether any response has come: a CANCEL may not go before (RFC 3261 9.1).
func (c *Client) Answered() bool { return c.state != calling }

// Done says that a final response has come, or none will.
func (c *Client) Done() bool { return c.state >= accepted }

// Abandon ends the transaction without another word to its owner.
func (c *Client) Abandon() { c.terminate() }

func (c *Client) receive(r *message.Message) {
	invite := c.Request.Method == "INVITE"
	switch {
	case c.state == terminated:
	case c.state == completed:
		if c.ack != nil && r.Code >= 300 {
			c.layer.Send(c.to, c.ack)
		}
	case c.state == accepted:
		if r.Code >= 200 && r.Code < 300 {
			c.on(r)
		}
	case r.Code < 200:
		c.state = proceeding
		if invite { // whoever rings may ring for long: only the caller ends it
			c.repeat.Stop()
			c.end.Stop()
		}
		c.on(r)
	case invite && r.Code < 300:
		c.finish(accepted, c.layer.Timing.timeout())
		c.on(r)
	case invite:
		c.ack = ackOf(c.Request, r).Bytes()
		c.layer.Send(c.to, c.ack)
		c.finish(completed, c.layer.Timing.timeout())
		c.on(r)
	default:
		c.finish(completed, c.layer.Timing.T4)
		c.on(r)
	}
}

func (c *Client) finish(state clientState, linger time.Duration) {
	c.state = state
	c.repeat.Stop()
	c.end.Stop()
	c.end = c.layer.Clock.After(linger, c.terminate)
}

func (c *Client) terminate() {
	c.state = terminated
	c.repeat.Stop()
	c.end.Stop()
	delete(c.layer.clients, c.key)
}

// ackOf is RFC 3261 17.1.1.3: the ACK of a final that is not 2xx belongs to the INVITE's transaction.
func ackOf(invite, r *message.Message) *message.Message {
	ack := sameBranch(invite, "ACK")
	ack.Set("To", r.Get("To"))
	return ack
}

// CancelOf makes the CANCEL of a pending INVITE (RFC 3261 9.1).
func CancelOf(invite *message.Message) *message.Message { return sameBranch(invite, "CANCEL") }

func sameBranch(invite *message.Message, method string) *message.Message {
	m := &message.Message{Method: method, URI: invite.URI}
	m.Add("Via", invite.List("Via")[0])
	for _, route := range invite.Lines("Route") {
		m.Add("Route", route)
	}
	m.Add("Max-Forwards", "70")
	m.Add("From", invite.Get("From"))
	m.Add("To", invite.Get("To"))
	m.Add("Call-ID", invite.Get("Call-ID"))
	n, _, _ := invite.CSeq()
	m.Add("CSeq", formatCSeq(n, method))
	return m
}
