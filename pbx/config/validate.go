package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"branchline/pbx/config/both"
)

// What a document may name.
const (
	KindSIM     = "sim"          // Line.Kind: a GSM or LTE module
	KindTrunk   = "trunk"        // Line.Kind: a provider by SIP
	KindDesk    = "desk"         // Extension.Kind: a desk phone
	KindDoor    = "door"         // Extension.Kind: a door station
	KindAdapter = "adapter"      // Extension.Kind: an analogue telephone or fax machine behind an adapter
	SRTPOff     = "off"          // SRTP: sound goes in the clear
	SRTPOffer   = "offer"        // it is encrypted where the other side can
	SRTPRequire = "require"      // who cannot is not talked with
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
		v.add("version", both.Say("the format is %d", "格式为 %d", d.Version), both.Say("write %d", "请写 %d", Version))
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
	v.routing()
	v.kinds()
	v.storage()
	return v.wrong.all()
}

// validator collects the problems of one document. The indices say where each name was first used.
type validator struct {
	doc                                                      *Doc
	wrong                                                    problems
	lines, slots, extensions, agents, queues, flows, classes index
}

func (v *validator) add(path string, what, cure both.Words) {
	v.wrong.add(Problem{Path: path, What: what, Cure: cure})
}

// names fills the indices and refuses what is there twice, before anything refers to them.
func (v *validator) names() {
	d := v.doc
	for i, l := range d.Lines {
		v.enter(&v.lines, both.Say("line", "线路"), fmt.Sprintf("lines[%d].name", i), l.Name)
		v.enter(&v.slots, both.Say("line in", "线路，位于插槽"), fmt.Sprintf("lines[%d].slot", i), l.Slot)
	}
	for i, e := range d.Extensions {
		v.enter(&v.extensions, both.Say("desk phone with the number", "话机，号码为"), fmt.Sprintf("extensions[%d].number", i), e.Number)
	}
	for i, a := range d.Agents {
		v.enter(&v.agents, both.Say("agent with the number", "座席，工号为"), fmt.Sprintf("agents[%d].number", i), a.Number)
	}
	for i, q := range d.Queues {
		v.enter(&v.queues, both.Say("queue", "队列"), fmt.Sprintf("queues[%d].name", i), q.Name)
	}
	for i, c := range d.Classes {
		v.enter(&v.classes, both.Say("class", "呼叫权限"), fmt.Sprintf("classes[%d].name", i), c.Name)
	}
	for i, f := range d.Flows {
		v.enter(&v.flows, both.Say("flow", "流程"), fmt.Sprintf("flows[%d].name", i), f.Name)
	}
}

// enter puts name into x, or refuses it where it is taken.
func (v *validator) enter(x *index, what both.Words, path, name string) {
	if name == "" {
		return // whoever checks the name says so
	}
	if first := x.enter(name, path); first != "" {
		v.add(path, both.Say("there is a %s %s already, at %s", "已有%s %s，在 %s", what, quote(name), first),
			both.Say("give each its own; capitals make no difference", "请各用各的，不区分大小写"))
	}
}

// known refuses a reference to a name that x does not hold.
func (v *validator) known(x *index, what both.Words, path, name string) {
	none := both.Say("there is no %s %s", "没有%s %s", what, quote(name))
	switch {
	case x.has(name):
	case name == "":
		v.add(path, both.Say("the name of a %s is missing", "缺少%s的名称", what), didYouMean("", x.names))
	case len(x.names) == 0:
		v.add(path, none, both.Say("there are none at all: add it, or take this out", "目前一个也没有：请添加，或删去此处"))
	default:
		v.add(path, none, didYouMean(name, x.names))
	}
}

func (v *validator) site() {
	s := v.doc.Site
	v.text("site.name", s.Name, false)
	if s.Timezone == "" || s.Timezone == "Local" || strings.Contains(s.Timezone, "..") || !only(s.Timezone, letters+digits+"_+-/") {
		v.add("site.timezone", both.Say("%s is no time zone", "%s 不是时区", quote(s.Timezone)),
			both.Say("write its IANA name, as in Europe/Berlin, or UTC", "请写 IANA 名称，如 Asia/Shanghai，或 UTC"))
	}
	if len(s.Country) != 2 || !only(s.Country, upper) {
		v.add("site.country", both.Say("%s is no country", "%s 不是国家代码", quote(s.Country)),
			both.Say("write its two letters of ISO 3166, as in DE", "请写 ISO 3166 的两个字母，如 CN"))
	}
	if known := Languages(); !slices.Contains(known, s.Language) {
		v.add("site.language", both.Say("the box does not speak %s", "设备不支持语言 %s", quote(s.Language)), both.Say("write one of %s", "请写其中之一：%s", strings.Join(known, ", ")))
	}
}

func (v *validator) network() {
	sip, rtp := v.doc.Network.SIP, v.doc.Network.RTP
	if len(sip.Listen) == 0 {
		v.add("network.sip.listen", both.Say("desk phones have no address to reach the box at", "没有供话机连接设备的地址"),
			both.Say("name one, as in 192.168.1.10:5060", "请写一个，如 192.168.1.10:5060"))
	}
	seen := map[netip.AddrPort]string{}
	for i, a := range sip.Listen {
		path := fmt.Sprintf("network.sip.listen[%d]", i)
		ip := a.Addr().Unmap()
		switch first, twice := seen[netip.AddrPortFrom(ip, a.Port())]; {
		case !ip.IsValid() || ip.IsMulticast() || a.Port() == 0:
			v.add(path, both.Say("%s is no address that phones can reach", "话机无法连接地址 %s", a),
				both.Say("name one, as in 192.168.1.10:5060", "请写一个，如 192.168.1.10:5060"))
		case ip.IsUnspecified():
			v.add(path, both.Say("%s stands for every address; answers must come from one that the phone knows", "%s 代表所有地址，而应答必须来自话机所知的地址", a),
				both.Say("name the box's real addresses, one by one", "请逐个写出设备的实际地址"))
		case ip.IsLinkLocalUnicast():
			v.add(path, both.Say("%s holds on one cable only, and phones cannot name which", "%s 只在本段链路上有效，话机无法指明是哪一段", a),
				both.Say("name an address of the network: of IPv6 one that begins with 2, 3 or fd", "请写局域网地址；IPv6 请用以 2、3 或 fd 开头的地址"))
		case twice:
			v.add(path, both.Say("%s is here already, at %s", "%s 已写过，在 %s", a, first), both.Say("leave one", "请只留一个"))
		case a.Port() >= rtp.First && a.Port() <= rtp.Last:
			v.add(path, both.Say("port %d is in the range for sound, %d-%d", "端口 %d 在语音端口范围 %d-%d 之内", a.Port(), rtp.First, rtp.Last),
				both.Say("take a port outside of it", "请用范围之外的端口"))
		}
		seen[netip.AddrPortFrom(ip, a.Port())] = path
	}
	if sip.Realm == "" || len(sip.Realm) > maxText || !only(sip.Realm, letters+digits+"_.-@") {
		v.add("network.sip.realm", both.Say("%s is no realm", "%s 不是域名", quote(sip.Realm)),
			both.Say("write letters, digits and . - _ @, as in branchline", "请用字母、数字和 . - _ @，如 branchline"))
	}
	v.networks("network.sip.guard.networks", sip.Guard.Networks)
	v.networks("network.sip.guard.trusted", sip.Guard.Trusted)
	if sip.Trace < 1 || sip.Trace > 256 {
		v.add("network.sip.trace", both.Say("%d MiB of messages cannot be kept", "不能保留 %d MiB 的消息", sip.Trace), both.Say("write 1 to 256", "请写 1 到 256"))
	}
	v.tls(sip, rtp)
	v.rtp(rtp)
	v.page(v.doc.Network.Page)
}

// maxNetworks bounds each list of networks: every message of a stranger is held against them.
const maxNetworks = 32

func (v *validator) networks(path string, list []netip.Prefix) {
	if len(list) > maxNetworks {
		v.add(path, both.Say("%d networks", "有 %d 个网段", len(list)), both.Say("write at most %d, larger ones", "最多写 %d 个，可写更大的网段", maxNetworks))
	}
	for i, p := range list {
		switch at := fmt.Sprintf("%s[%d]", path, i); {
		case !p.IsValid() || p.Addr().Is4In6():
			v.add(at, both.Say("%s is no network", "%s 不是网段", p), both.Say("write it as in 192.168.2.0/24", "请写成 192.168.2.0/24 的样子"))
		case p != p.Masked():
			v.add(at, both.Say("%s is an address with a mask, not a network", "%s 是带掩码的地址，不是网段", p), both.Say("write %s", "请写 %s", p.Masked()))
		}
	}
}

// tls wants a port for TLS that nothing else has.
func (v *validator) tls(sip SIP, rtp RTP) {
	const path = "network.sip.tls_port"
	cure := both.Say("take another, as 5061", "请换一个，如 5061")
	port := sip.TLSPort
	if !sip.TLS {
		return
	}
	if port == 0 {
		v.add(path, both.Say("phones have no port for TLS", "没有供话机使用的 TLS 端口"), both.Say("name one, as 5061", "请写一个，如 5061"))
	}
	if port >= rtp.First && port <= rtp.Last {
		v.add(path, both.Say("port %d is in the range for sound, %d-%d", "端口 %d 在语音端口范围 %d-%d 之内", port, rtp.First, rtp.Last), cure)
	}
	page := v.doc.Network.Page.Listen
	for _, a := range sip.Listen {
		switch {
		case sip.TCP && slices.Contains(sip.Listen, netip.AddrPortFrom(a.Addr(), port)):
			v.add(path, both.Say("port %d is spoken on without TLS already", "端口 %d 已用于不加密的连接", port), cure)
			return
		case page == netip.AddrPortFrom(a.Addr(), port):
			v.add(path, both.Say("port %d is the page's", "端口 %d 已用于网页", port), cure)
			return
		}
	}
}

// page keeps the page on this machine: whoever reaches it may do everything.
func (v *validator) page(p Page) {
	const path = "network.page.listen"
	switch a := p.Listen; {
	case !a.Addr().Unmap().IsLoopback():
		v.add(path, both.Say("%s can be reached from other machines, and the page asks nobody who he is", "其他机器可以访问 %s，而网页不验证身份", a),
			both.Say("take a loopback address, as 127.0.0.1:8088", "请用本机回环地址，如 127.0.0.1:8088"))
	case a.Port() == 0:
		v.add(path, both.Say("%s has no port", "%s 没有端口", a), both.Say("name one, as in 127.0.0.1:8088", "请写一个，如 127.0.0.1:8088"))
	case slices.Contains(v.doc.Network.SIP.Listen, a):
		v.add(path, both.Say("%s is where the phones reach the box", "%s 是话机连接设备的地址", a), both.Say("take another port, as 8088", "请换一个端口，如 8088"))
	}
}

// rtp wants a pair of ports (RFC 3550 clause 11: an even one, and the next for RTCP) per call that
// can be at once: a desk phone each.
func (v *validator) rtp(r RTP) {
	need := 2 * max(1, len(v.doc.Extensions))
	switch {
	case r.First <= 1024:
		v.add("network.rtp.first", both.Say("port %d is among those of the system", "端口 %d 属于系统端口", r.First), both.Say("begin above 1024, as at 10000", "请从 1024 以上开始，如 10000"))
	case r.First%2 != 0:
		v.add("network.rtp.first", both.Say("port %d is odd", "端口 %d 是奇数", r.First), both.Say("begin at an even one, as at %d", "请从偶数开始，如 %d", r.First-1))
	}
	if size := int(r.Last) - int(r.First) + 1; size < need {
		v.add("network.rtp.last", both.Say("%d to %d is too small: each call of a desk phone takes two ports", "%d 到 %d 太少：每路话机通话占用两个端口", r.First, r.Last),
			both.Say("end at %d or above", "请到 %d 或以上为止", int(r.First)+need-1))
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
			v.add("storage."+d.path, both.Say("%d days", "%d 天", d.days), both.Say("write 1 to %d", "请写 1 到 %d", maxDays))
		}
	}
	if s.RecordingsGB < 0 || s.RecordingsGB > 100_000 {
		v.add("storage.recordings_gb", both.Say("%d GB are out of bounds", "%d GB 超出范围", s.RecordingsGB),
			both.Say("write how many the recordings may take in all, or 0 for as many as the disk has", "请写录音总共可占用多少，或写 0 表示以磁盘为限"))
	}
}
