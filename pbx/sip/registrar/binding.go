package registrar

import (
	"net/netip"
	"time"

	"branchline/pbx/sip/wire"
)

// Binding says that Extension can be reached at Contact until Expires. It is plain data: it can
// be kept over a restart, for phones do not sign in again because we were away.
type Binding struct {
	Extension string
	Contact   string         // URI, as the phone gave it: what its requests are addressed to
	Instance  string         // "+sip.instance" of RFC 5626, "" where the phone has none
	Agent     string         // the phone's User-Agent, as said
	Network   string         // "udp", "tcp", "tls"
	Local     netip.AddrPort // our own address on which it signed in
	Remote    netip.AddrPort // where it signed in from: where its requests are sent, whatever Contact says
	CallID    string
	CSeq      uint32
	Expires   time.Time // by the clock of the box; see Shift

	Conn   uint64 `json:"-"` // the connection, which no restart outlives
	Silent bool   `json:"-"` // it does not answer any more: it is kept, but not called
}

// Flow is the way to the phone.
func (b Binding) Flow() wire.Flow {
	return wire.Flow{Network: b.Network, Local: b.Local, Remote: b.Remote, Conn: b.Conn}
}

// Name names a binding among all.
func (b Binding) Name() string { return b.Extension + " " + b.Contact }
