package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// What a document may name.
const (
	KindSIM     = "sim"          // Line.Kind: a GSM or LTE module
	LongestIdle = "longest-idle" // Queue.Strategy: whoever has been free longest

	LanguageEnglish = "en"    // Site.Language
	LanguageChinese = "zh-CN" // Site.Language: Mandarin, as in the PRC
)

// Bounds that Validate holds.
const (
	minRing, maxRing = 3 * time.Second, 300 * time.Second
	maxWrapUp        = time.Hour
	maxQueueWait     = 24 * time.Hour
	minPassword      = 6
	// minRemotePassword is that of a phone that may sign in from anywhere.
	minRemotePassword = 12
	maxText           = 128 // bytes of a name, a prompt or a password
)

// Languages are those that the box speaks: what Site.Language may be.
func Languages() []string { return []string{LanguageEnglish, LanguageChinese} }

// Validate is every problem of d at once, nil where d can be applied. It looks at nothing but d:
// whether the box knows the time zone, has the slots and holds the prompts, its caller asks there.
func Validate(d *Doc) []Problem {
	v := &validator{doc: d}
	if d.Version != Version {
		v.add("version", fmt.Sprintf("the format is %d", d.Version), fmt.Sprintf("write %d", Version))
	}
	v.site()
	v.network()
	v.names()
	for i := range d.Lines {
		v.line(fmt.Sprintf("lines[%d]", i), &d.Lines[i])
	}
	for i := range d.Extensions {
		v.extension(fmt.Sprintf("extensions[%d]", i), &d.Extensions[i])
	}
	for i := range d.Agents {
		v.agent(fmt.Sprintf("agents[%d]", i), &d.Agents[i])
	}
	for i := range d.Queues {
		v.queue(fmt.Sprintf("queues[%d]", i), &d.Queues[i])
	}
	for i := range d.Flows {
		v.flow(fmt.Sprintf("flows[%d]", i), &d.Flows[i])
	}
	v.codes()
	v.outbound()
	v.storage()
	return v.wrong.all()
}

// validator collects the problems of one document. The indices say where each name was first used.
type validator struct {
	doc                                             *Doc
	wrong                                           problems
	lines, slots, extensions, agents, queues, flows index
}

func (v *validator) add(path, what, cure string) {
	v.wrong.add(Problem{Path: path, What: what, Cure: cure})
}

// names fills the indices and refuses what is there twice, before anything refers to them.
func (v *validator) names() {
	d := v.doc
	for i, l := range d.Lines {
		v.enter(&v.lines, "line", fmt.Sprintf("lines[%d].name", i), l.Name)
		v.enter(&v.slots, "line in", fmt.Sprintf("lines[%d].slot", i), l.Slot)
	}
	for i, e := range d.Extensions {
		v.enter(&v.extensions, "desk phone with the number", fmt.Sprintf("extensions[%d].number", i), e.Number)
	}
	for i, a := range d.Agents {
		v.enter(&v.agents, "agent with the number", fmt.Sprintf("agents[%d].number", i), a.Number)
	}
	for i, q := range d.Queues {
		v.enter(&v.queues, "queue", fmt.Sprintf("queues[%d].name", i), q.Name)
	}
	for i, f := range d.Flows {
		v.enter(&v.flows, "flow", fmt.Sprintf("flows[%d].name", i), f.Name)
	}
}

// enter puts name into x, or refuses it where it is taken.
func (v *validator) enter(x *index, what, path, name string) {
	if name == "" {
		return // whoever checks the name says so
	}
	if first := x.enter(name, path); first != "" {
		v.add(path, fmt.Sprintf("there is a %s %s already, at %s", what, quote(name), first), "give each its own; capitals make no difference")
	}
}

// known refuses a reference to a name that x does not hold.
func (v *validator) known(x *index, what, path, name string) {
	switch {
	case x.has(name):
	case name == "":
		v.add(path, "the name of a "+what+" is missing", didYouMean("", x.names))
	case len(x.names) == 0:
		v.add(path, fmt.Sprintf("there is no %s %s", what, quote(name)), "there are none at all: add it, or take this out")
	default:
		v.add(path, fmt.Sprintf("there is no %s %s", what, quote(name)), didYouMean(name, x.names))
	}
}

func (v *validator) site() {
	s := v.doc.Site
	v.text("site.name", s.Name, false)
	if s.Timezone == "" || s.Timezone == "Local" || strings.Contains(s.Timezone, "..") || !only(s.Timezone, letters+digits+"_+-/") {
		v.add("site.timezone", quote(s.Timezone)+" is no time zone", "write its IANA name, as in Europe/Berlin, or UTC")
	}
	if len(s.Country) != 2 || !only(s.Country, upper) {
		v.add("site.country", quote(s.Country)+" is no country", "write its two letters of ISO 3166, as in DE")
	}
	if known := Languages(); !slices.Contains(known, s.Language) {
		v.add("site.language", "the box does not speak "+quote(s.Language), "write "+strings.Join(known, " or "))
	}
}

func (v *validator) network() {
	sip, rtp := v.doc.Network.SIP, v.doc.Network.RTP
	if len(sip.Listen) == 0 {
		v.add("network.sip.listen", "desk phones have no address to reach the box at", "name one, as in 192.168.1.10:5060")
	}
	seen := map[netip.AddrPort]string{}
	for i, a := range sip.Listen {
		path := fmt.Sprintf("network.sip.listen[%d]", i)
		ip := a.Addr().Unmap()
		switch first, twice := seen[netip.AddrPortFrom(ip, a.Port())]; {
		case !ip.IsValid() || ip.IsMulticast() || a.Port() == 0:
			v.add(path, a.String()+" is no address that phones can reach", "name one, as in 192.168.1.10:5060")
		case ip.IsUnspecified():
			v.add(path, a.String()+" stands for every address; answers must come from one that the phone knows", "name the box's real addresses, one by one")
		case twice:
			v.add(path, a.String()+" is here already, at "+first, "leave one")
		case a.Port() >= rtp.First && a.Port() <= rtp.Last:
			v.add(path, fmt.Sprintf("port %d is in the range for sound, %d-%d", a.Port(), rtp.First, rtp.Last), "take a port outside of it")
		}
		seen[netip.AddrPortFrom(ip, a.Port())] = path
	}
	if sip.Realm == "" || len(sip.Realm) > maxText || !only(sip.Realm, letters+digits+"_.-@") {
		v.add("network.sip.realm", quote(sip.Realm)+" is no realm", "write letters, digits and . - _ @, as in branchline")
	}
	v.networks("network.sip.guard.networks", sip.Guard.Networks)
	v.networks("network.sip.guard.trusted", sip.Guard.Trusted)
	v.rtp(rtp)
	v.page(v.doc.Network.Page)
}

// maxNetworks bounds each list of networks: every message of a stranger is held against them.
const maxNetworks = 32

func (v *validator) networks(path string, list []netip.Prefix) {
	if len(list) > maxNetworks {
		v.add(path, fmt.Sprintf("%d networks", len(list)), fmt.Sprintf("write at most %d, larger ones", maxNetworks))
	}
	for i, p := range list {
		switch at := fmt.Sprintf("%s[%d]", path, i); {
		case !p.IsValid() || p.Addr().Is4In6():
			v.add(at, p.String()+" is no network", "write it as in 192.168.2.0/24")
		case p != p.Masked():
			v.add(at, p.String()+" is an address with a mask, not a network", "write "+p.Masked().String())
		}
	}
}

// page keeps the page on this machine: whoever reaches it may do everything.
func (v *validator) page(p Page) {
	const path = "network.page.listen"
	switch a := p.Listen; {
	case !a.Addr().Unmap().IsLoopback():
		v.add(path, a.String()+" can be reached from other machines, and the page asks nobody who he is", "take a loopback address, as 127.0.0.1:8088")
	case a.Port() == 0:
		v.add(path, a.String()+" has no port", "name one, as in 127.0.0.1:8088")
	case slices.Contains(v.doc.Network.SIP.Listen, a):
		v.add(path, a.String()+" is where the phones reach the box", "take another port, as 8088")
	}
}

// rtp wants a pair of ports (RFC 3550 clause 11: an even one, and the next for RTCP) per call that
// can be at once: a desk phone each.
func (v *validator) rtp(r RTP) {
	need := 2 * max(1, len(v.doc.Extensions))
	switch {
	case r.First <= 1024:
		v.add("network.rtp.first", fmt.Sprintf("port %d is among those of the system", r.First), "begin above 1024, as at 10000")
	case r.First%2 != 0:
		v.add("network.rtp.first", fmt.Sprintf("port %d is odd", r.First), fmt.Sprintf("begin at an even one, as at %d", r.First-1))
	}
	if size := int(r.Last) - int(r.First) + 1; size < need {
		v.add("network.rtp.last", fmt.Sprintf("%d to %d is too small: each call of a desk phone takes two ports", r.First, r.Last), fmt.Sprintf("end at %d or above", int(r.First)+need-1))
	}
}

// maxDays is a hundred years: whoever wants more wants for ever.
const maxDays = 36500

func (v *validator) storage() {
	s := v.doc.Storage
	for _, d := range [...]struct {
		path string
		days int
	}{{"facts_days", s.FactsDays}, {"records_days", s.RecordsDays}, {"recordings_days", s.RecordingsDays}} {
		if d.days < 1 || d.days > maxDays {
			v.add("storage."+d.path, fmt.Sprintf("%d days", d.days), fmt.Sprintf("write 1 to %d", maxDays))
		}
	}
	if s.RecordingsGB < 0 || s.RecordingsGB > 100_000 {
		v.add("storage.recordings_gb", fmt.Sprintf("%d GB", s.RecordingsGB), "write how many the recordings may take in all, or 0 for as many as the disk has")
	}
}
