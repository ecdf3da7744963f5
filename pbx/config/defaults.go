package config

import (
	"net/netip"
	"time"
)

// fill writes into v, a pointer to a part of a Doc, what holds where the text says nothing. Parts
// that it does not know begin empty.
func fill(v any) {
	switch v := v.(type) {
	case *Doc:
		v.Version = Version
	case *Site:
		*v = Site{Timezone: "UTC", Country: "US", Language: "en"}
	case *SIP:
		*v = SIP{Listen: []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 5060)}, TCP: true, TLSPort: 5061, Realm: "branchline", Trace: 8}
	case *Guard:
		*v = Guard{LANOnly: true, Limits: true, Bans: true, Scanners: true}
	case *RTP:
		*v = RTP{First: 10000, Last: 10999}
	case *Page:
		*v = Page{Listen: netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 8088)}
	case *Line:
		*v = Line{Kind: KindSIM, Form: FormDialled}
	case *Trunk:
		*v = Trunk{SRTP: SRTPOff, Transport: TransportUDP, Register: true, Expires: 10 * time.Minute, KeepAlive: KeepAliveOptions, Identity: IdentityFrom, Called: CalledURI}
	case *Extension:
		*v = Extension{SRTP: SRTPOff, Kind: KindDesk}
	case *Queue:
		*v = Queue{Strategy: LongestIdle, RingTimeout: 15 * time.Second, WrapUp: 10 * time.Second}
	case *Menu:
		*v = Menu{Wait: 5 * time.Second, Tries: 3}
	case *Storage:
		*v = Storage{FactsDays: 400, RecordsDays: 1100, RecordingsDays: 180}
	case *Route:
		*v = Route{Pick: PickInOrder}
	case *Calls:
		*v = Calls{Recall: 30 * time.Second, NoAnswer: 20 * time.Second, Park: 3 * time.Minute}
	case *Codes:
		*v = Codes{
			SignIn: "*22", Ready: "*23", Pickup: "*8", Park: "*6", DND: "*78",
			ForwardAlways: "*72", ForwardBusy: "*90", ForwardNoAnswer: "*92", ForwardUnreachable: "*94",
			Transfer: "##", Consult: "*2",
		}
	}
}
