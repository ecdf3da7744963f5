package card

import (
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/warthog618/sms"
	"github.com/warthog618/sms/encoding/pdumode"
	"github.com/warthog618/sms/encoding/tpdu"

	"branchline/board/sim/modem/at"
)

const (
	capacity = 50 // texts in each store
	stores   = `("SM","ME"),("SM","ME"),("SM","ME")`
	center   = "0691" + "9471990900" // the network's service centre as the first octets of a PDU
)

// The states of a text: TS 27.005 3.1, <stat> in PDU mode.
const (
	unread = 0
	seen   = 1
	all    = 4
)

// The errors of TS 27.005 3.2.5.
const (
	badPDU    = "+CMS ERROR: 304"
	badIndex  = "+CMS ERROR: 321"
	noNetwork = "+CMS ERROR: 331"
	unknown   = "+CMS ERROR: 500"
)

// text is one PDU in a store.
type text struct {
	index int
	stat  int
	pdu   string // hex, with the service centre
	n     int    // octets without it
}

func (t text) lines(head string) string {
	return fmt.Sprintf("%s%d,,%d\r\n%s", head, t.stat, t.n, t.pdu)
}

// chosen is the store for reading (0), writing (1) or receiving (2).
func (c *Card) chosen(which int) string {
	f := at.Fields(c.Term.Values["+CPMS"])
	return f[min(which, len(f)-1)]
}

func (c *Card) usedBy() at.Answer {
	var b strings.Builder
	for i := range 3 {
		fmt.Fprintf(&b, ",%q,%d,%d", c.chosen(i), len(c.stores[c.chosen(i)]), capacity)
	}
	return at.Say("+CPMS: " + b.String()[1:])
}

func (c *Card) choose(args string) at.Answer {
	if !at.Accepts(stores, args) {
		return at.Fail(at.BadParameter)
	}
	given := at.Fields(args)
	for i := len(given); i < 3; i++ { // those that are left out stay
		given = append(given, c.chosen(i))
	}
	c.Term.Values["+CPMS"] = strings.Join(given, ",")
	var b strings.Builder
	for i := range 3 {
		fmt.Fprintf(&b, ",%d,%d", len(c.stores[c.chosen(i)]), capacity)
	}
	return at.Say("+CPMS: " + b.String()[1:])
}

// service is AT+CSMS: with 1 the host acknowledges what it is given directly.
func (c *Card) service(args string) at.Answer {
	if args != "0" && args != "1" {
		return at.Fail(at.BadParameter)
	}
	c.Term.Values["csms"] = args
	return at.Say("+CSMS: 1,1,1")
}

func (c *Card) list(args string) at.Answer {
	if !at.Accepts("(0-4)", args) {
		return at.Fail(at.BadParameter)
	}
	want, _ := strconv.Atoi(args)
	var lines []string
	in := c.stores[c.chosen(0)]
	for i, t := range in {
		if want != all && want != t.stat {
			continue
		}
		lines = append(lines, t.lines(fmt.Sprintf("+CMGL: %d,", t.index)))
		if t.stat == unread {
			in[i].stat = seen
		}
	}
	return at.Say(lines...)
}

func (c *Card) find(args string) (in []text, i int) {
	n, err := strconv.Atoi(args)
	in = c.stores[c.chosen(0)]
	i = slices.IndexFunc(in, func(t text) bool { return err == nil && t.index == n })
	return in, i
}

func (c *Card) read(args string) at.Answer {
	in, i := c.find(args)
	if i < 0 {
		return at.Answer{Final: badIndex}
	}
	t := in[i]
	if t.stat == unread {
		in[i].stat = seen
	}
	return at.Say(t.lines("+CMGR: "))
}

// remove is AT+CMGD=<index>[,<flag>]: flag 1 all read ones, 2 and 3 all sent ones too, 4 all.
func (c *Card) remove(args string) at.Answer {
	f := at.Fields(args)
	if len(f) > 1 && f[1] != "0" {
		if !at.Accepts("(0-4)", f[1]) {
			return at.Fail(at.BadParameter)
		}
		name := c.chosen(0)
		c.stores[name] = slices.DeleteFunc(c.stores[name], func(t text) bool { return f[1] == "4" || t.stat == seen })
		return at.OK()
	}
	in, i := c.find(f[0])
	if i < 0 {
		return at.Answer{Final: badIndex}
	}
	c.stores[c.chosen(0)] = slices.Delete(in, i, i+1)
	return at.OK()
}

// submit is AT+CMGS=<octets>: the PDU comes behind the prompt. The parts of a text are put together
// again before the network has it.
func (c *Card) submit(args string) at.Answer {
	n, err := strconv.Atoi(args)
	if err != nil || n < 8 || n > 164 {
		return at.Answer{Final: badPDU}
	}
	return at.Answer{Prompt: func(typed string) at.Answer {
		pdu, err := pdumode.UnmarshalHexString(strings.ToUpper(typed))
		if err != nil || len(pdu.TPDU) != n {
			return at.Answer{Final: badPDU}
		}
		part, err := sms.Unmarshal(pdu.TPDU, sms.AsMO)
		if err != nil || part.SmsType() != tpdu.SmsSubmit {
			return at.Answer{Final: badPDU}
		}
		if c.Pending() {
			return at.Answer{Final: noNetwork}
		}
		whole, err := c.parts.Collect(*part)
		if err != nil {
			return at.Answer{Final: unknown}
		}
		if whole != nil {
			body, err := sms.Decode(whole)
			if err != nil || !c.Send(part.DA.Number(), string(body)) {
				return at.Answer{Final: unknown}
			}
		}
		c.mr++
		return at.Say(fmt.Sprintf("+CMGS: %d", c.mr))
	}}
}

// Receive takes a text from the network, in parts where it is long, and says so in the way that
// AT+CNMI asks for (TS 27.005 3.4.1): nothing, +CMTI, or the text itself in +CMT. Where the store is
// full the rest is refused.
func (c *Card) Receive(from, body string) error {
	deliver := sms.NewEncoder(sms.AsDeliver, sms.From(from))
	deliver.ConcatRef = &c.refs
	parts, err := deliver.Encode([]byte(body))
	if err != nil {
		return fmt.Errorf("text from %s: %w", from, err)
	}
	for i := range parts {
		parts[i].FirstOctet |= 1 << 2 // TP-MMS: no more of them wait (TS 23.040 9.2.3.2)
		parts[i].SCTS = tpdu.Timestamp{Time: now()}
		b, err := parts[i].MarshalBinary()
		if err != nil {
			return fmt.Errorf("text from %s: %w", from, err)
		}
		if err := c.arrive(text{pdu: center + strings.ToUpper(hex.EncodeToString(b)), n: len(b)}); err != nil {
			return err
		}
	}
	return nil
}

func (c *Card) arrive(t text) error {
	f := at.Fields(c.Term.Values["+CNMI"])
	mt := "0"
	if len(f) > 1 {
		mt = f[1]
	}
	if mt == "2" || mt == "3" {
		c.News(fmt.Sprintf("+CMT: ,%d\r\n%s", t.n, t.pdu))
		return nil
	}
	name := c.chosen(2)
	in := c.stores[name]
	if len(in) >= capacity {
		return fmt.Errorf("store %s is full", name)
	}
	t.index = 1
	for slices.ContainsFunc(in, func(o text) bool { return o.index == t.index }) {
		t.index++
	}
	c.stores[name] = append(in, t)
	if mt == "1" {
		c.News(fmt.Sprintf("+CMTI: %q,%d", name, t.index))
	}
	return nil
}

// Stored is how many texts lie in all stores.
func (c *Card) Stored() (n int) {
	for in := range maps.Values(c.stores) {
		n += len(in)
	}
	return n
}
