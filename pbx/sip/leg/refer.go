package leg

import (
	"fmt"
	"strings"

	"branchline/hal"
	"branchline/pbx/sip/referral"
	"branchline/pbx/sip/wire"
)

// transfer is what the peer has asked for by REFER, and is told of by NOTIFY. NOTIFYs go one after the
// other: of what happens meanwhile the last counts.
type transfer struct {
	ref     hal.Ref
	event   string // value of Event
	silent  bool   // "Refer-Sub: false": it wants to hear nothing (RFC 4488)
	telling bool   // a NOTIFY has no answer yet
	code    int    // to be told next; 0: nothing
	done    bool   // it is the last word
}

// refer handles a REFER: the peer wants the other side of its call connected with somebody else.
func (l *Leg) refer(r *wire.Request) {
	t := l.table
	target, code := l.referTo(r)
	if code != 0 {
		t.Reply(r, wire.Response{Code: code})
		return
	}
	var replaced hal.LegID
	if target.Replaces.CallID != "" {
		other := t.find(target.Replaces)
		if other == nil || other == l || other.over || other.peer != l.peer {
			t.Reply(r, wire.Response{Code: 404, Reason: "No Such Call"})
			return
		}
		replaced = other.id
	}
	f := &transfer{ref: hal.Ref(fmt.Sprintf("%s refer %d", l.id, r.CSeq)), event: fmt.Sprintf("refer;id=%d", r.CSeq)}
	res := l.response(202)
	if f.silent = strings.EqualFold(strings.TrimSpace(r.Header("Refer-Sub")), "false"); f.silent {
		res.Headers = append(res.Headers, wire.Header{Name: "Refer-Sub", Value: "false"})
	}
	l.transfer = f
	t.Reply(r, res)
	l.tellTransfer(100, false)
	t.Out.Put(hal.Transfer{Leg: l.id, Ref: f.ref, To: hal.Number(target.Number), Replaces: replaced})
}

// referTo reads a REFER; code is its refusal. A number is dialled here alone: at an address that is
// somebody else's we know nobody.
func (l *Leg) referTo(r *wire.Request) (t referral.Target, code int) {
	values := append(r.Lines("Refer-To"), r.Lines("r")...)
	switch {
	case len(values) != 1:
		return t, 400
	case !l.answered:
		return t, 403
	case l.transfer != nil:
		return t, 491
	}
	t, code = referral.Read(values[0])
	if code == 0 && t.Host != "" && t.Replaces.CallID == "" && !l.isOurs(t.Host) {
		code = 403
	}
	return t, code
}

// isOurs says whether the peer may mean this house by host: an address or name by which it has called us,
// or we it.
func (l *Leg) isOurs(host string) bool {
	return host == l.dialog.Flow.Local.Addr().String() || host == l.dialog.Contact.URI.Host ||
		host == l.dialog.Local.URI.Host || host == l.dialog.Remote.URI.Host || l.invite != nil && host == l.invite.URI.Host
}

// transferStatus carries out a TransferStatus.
func (l *Leg) transferStatus(o hal.TransferStatus) {
	f := l.transfer
	if f == nil || f.ref != o.Ref {
		return
	}
	l.tellTransfer(o.Code, o.Done)
}

func (l *Leg) tellTransfer(code int, done bool) {
	f := l.transfer
	f.code, f.done = code, done
	if f.silent {
		if done {
			l.transfer = nil
		}
		return
	}
	l.notifyTransfer(f)
}

func (l *Leg) notifyTransfer(f *transfer) {
	if f.telling || f.code == 0 || l.over {
		return
	}
	state := "active;expires=180"
	if f.done {
		state = "terminated;reason=noresource"
	}
	r := l.dialog.Request("NOTIFY")
	r.Headers = []wire.Header{{Name: "Event", Value: f.event}, {Name: "Subscription-State", Value: state}}
	r.Type, r.Body = "message/sipfrag;version=2.0", referral.Status(f.code)
	last := f.done
	f.telling, f.code = true, 0
	l.say(r, func(res *wire.Response) {
		f.telling = false
		switch {
		case last && l.transfer == f:
			l.transfer = nil
		case res.Code >= 300: // it wants to hear no more
			f.silent = true
		default:
			l.notifyTransfer(f)
		}
	})
}

// find finds the leg that talks, or rings, in d.
func (t *Table) find(d referral.Dialog) *Leg {
	l := t.calls[d.CallID]
	if l == nil {
		return nil
	}
	if l.dialog != nil {
		if !d.Is(l.tag, l.dialog.Remote.Tag()) {
			return nil
		}
		return l
	}
	for _, f := range l.forks {
		for _, e := range f.early {
			if d.Is(l.tag, e.tag) {
				return l
			}
		}
	}
	return nil
}

// replaces finds the leg whose place an INVITE shall take (RFC 3891 3); "" where it says nothing of that.
// code is the refusal. Whether the caller may, is not asked here.
func (t *Table) replaces(r *wire.Request, endpoint string) (id hal.LegID, code int) {
	values := r.Lines("Replaces")
	if len(values) == 0 {
		return "", 0
	}
	d, ok := referral.ReadReplaces(values[0])
	if !ok || len(values) > 1 {
		return "", 400
	}
	l := t.find(d)
	switch {
	case l == nil || endpoint == "": // a stranger takes nobody's place
		return "", 481
	case l.over:
		return "", 603
	case l.answered && d.EarlyOnly:
		return "", 486
	case !l.answered && l.invite != nil: // it rings at us: nobody but we could take it
		return "", 481
	}
	return l.id, 0
}
