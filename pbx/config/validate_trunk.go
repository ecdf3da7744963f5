package config

import (
	"cmp"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"branchline/pbx/config/both"
)

// What a trunk may name.
const (
	TransportUDP = "udp" // Trunk.Transport
	TransportTCP = "tcp"
	TransportTLS = "tls"

	KeepAliveCRLF    = "crlf"    // Trunk.KeepAlive: two line ends, which nobody answers by UDP
	KeepAliveOptions = "options" // Trunk.KeepAlive: a question, whose missing answer tells that the server is gone

	IdentityFrom = "from" // Trunk.Identity: in From alone
	IdentityPAI  = "pai"  // Trunk.Identity: in P-Asserted-Identity too
	IdentityRPID = "rpid" // Trunk.Identity: in Remote-Party-ID too

	CalledURI = "uri" // Trunk.Called: in the address of the request
	CalledTo  = "to"  // Trunk.Called: in To
)

const (
	maxServers = 8
	minSignIn  = time.Minute
	maxSignIn  = 24 * time.Hour
)

// trunkCodecs are the codecs that a trunk may be given.
func trunkCodecs() []string { return []string{"PCMA", "PCMU"} }

func (v *validator) trunk(path string, l *Line) {
	for _, f := range []struct{ key, value string }{{"slot", l.Slot}, {"pin", l.PIN}} {
		if f.value != "" {
			v.add(path+"."+f.key, both.Say("a trunk has none", "中继没有此项"), both.Say("leave it out", "请删去"))
		}
	}
	path += ".trunk"
	t := l.Trunk
	if t == nil {
		v.add(path, both.Say("nothing is said about the provider", "没有说明运营商"),
			both.Say("write at least servers, user and password under it", "请在其下至少写 servers、user 和 password"))
		return
	}
	if len(t.Servers) == 0 || len(t.Servers) > maxServers {
		v.add(path+".servers", both.Say("%d servers", "%d 个服务器", len(t.Servers)),
			both.Say("name 1 to %d, as in sip.provider.example", "请写 1 到 %d 个，如 sip.provider.example", maxServers))
	}
	for i, s := range t.Servers {
		v.server(fmt.Sprintf("%s.servers[%d]", path, i), s)
	}
	if t.Proxy != "" {
		v.server(path+".proxy", t.Proxy)
	}
	v.account(path, t)
	v.choice(path+".transport", t.Transport, TransportUDP, TransportTCP, TransportTLS)
	v.authority(path, t)
	v.choice(path+".keep_alive", t.KeepAlive, KeepAliveOptions, KeepAliveCRLF)
	v.choice(path+".identity", t.Identity, IdentityFrom, IdentityPAI, IdentityRPID)
	v.choice(path+".called", t.Called, CalledURI, CalledTo)
	if !t.Trusted && t.Identity != IdentityFrom {
		v.add(path+".identity", both.Say("a provider that is not trusted is told no identity beside From", "不受信任的运营商除 From 外得不到任何身份信息"),
			both.Say("write trusted: true, or identity: %s", "请写 trusted: true，或 identity: %s", IdentityFrom))
	}
	if t.Expires < minSignIn || t.Expires > maxSignIn {
		v.add(path+".expires", both.Say("a sign-in of %s", "注册有效期 %s", length(t.Expires)), both.Say("write 1m to 24h", "请写 1m 到 24h"))
	}
	for i, c := range t.Codecs {
		v.choice(fmt.Sprintf("%s.codecs[%d]", path, i), c, trunkCodecs()...)
	}
	v.choice(path+".srtp", cmp.Or(t.SRTP, SRTPOff), SRTPOff, SRTPOffer, SRTPRequire)
	v.ownAddress(path, t)
}

// account checks who we are to the provider.
func (v *validator) account(path string, t *Trunk) {
	switch {
	case t.User == "" && t.Register:
		v.add(path+".user", both.Say("nobody can sign in without a name", "没有用户名无法注册"),
			both.Say("write the user of the account, or register: false", "请写账户的用户名，或 register: false"))
	case len(t.User) > maxText || !only(t.User, letters+digits+"+-_.!~*'()"):
		v.add(path+".user", both.Say("%s is no user of a SIP address", "%s 不是 SIP 地址的用户名", quote(t.User)),
			both.Say("write it as the provider does, without the @ and what follows", "请照运营商所给填写，不含 @ 及其后内容"))
	}
	if len(t.AuthUser) > maxText || strings.ContainsAny(t.AuthUser, "\"\\") || hasControl(t.AuthUser) {
		v.add(path+".auth_user", both.Say("quotes, \\ and control characters cannot be sent", "引号、\\ 和控制字符无法发送"), both.Say("write it as the provider does", "请照运营商所给填写"))
	}
	if len(t.Password) > maxText || hasControl(t.Password) {
		v.add(path+".password", both.Say("the password is too long, or has characters that cannot be typed", "密码太长，或含有无法输入的字符"),
			both.Say("write at most %d bytes", "请写不超过 %d 字节", maxText))
	}
	if t.Domain != "" && !isHost(t.Domain) {
		v.add(path+".domain", both.Say("%s is no name of a host", "%s 不是主机名", quote(t.Domain)), both.Say("write it as in provider.example", "请写成 provider.example 的样子"))
	}
}

// authority checks whose certificates are trusted.
func (v *validator) authority(path string, t *Trunk) {
	path += ".ca"
	switch err := readCertificates(t.CA); {
	case t.CA == "":
	case t.Transport != TransportTLS:
		v.add(path, both.Say("without TLS nobody shows a certificate", "不用 TLS 时无人出示证书"), both.Say("write transport: %s, or leave it out", "请写 transport: %s，或不写", TransportTLS))
	case err != nil:
		v.add(path, both.Say("that is no certificate: %s", "不是证书：%s", quote(err.Error())),
			both.Say("write the file of the authority as it is, from -----BEGIN CERTIFICATE----- on, behind ca: |", "请在 ca: | 之后照原样写入机构的证书文件，从 -----BEGIN CERTIFICATE----- 开始"))
	}
}

// readCertificates reads PEM; an error: there is none, or one is broken.
func readCertificates(text string) error {
	rest, n := []byte(text), 0
	for {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			break
		}
		if block.Type != "CERTIFICATE" {
			return fmt.Errorf("%s", block.Type)
		}
		if _, err := x509.ParseCertificate(block.Bytes); err != nil {
			return err
		}
		n++
	}
	switch begun := strings.Count(text, "-----BEGIN "); {
	case begun == 0:
		return errors.New("no BEGIN CERTIFICATE")
	case n < begun: // pem passes over what is broken
		return fmt.Errorf("%d of %d can be read", n, begun)
	}
	return nil
}

// ownAddress checks our end of the trunk.
func (v *validator) ownAddress(path string, t *Trunk) {
	switch ip := t.Listen.Addr().Unmap(); {
	case t.Listen == netip.AddrPort{}:
	case ip.IsUnspecified() || ip.IsMulticast():
		v.add(path+".listen", both.Say("%s is no address of the box", "%s 不是本机地址", t.Listen), both.Say("name one, as in 192.168.1.10:5070, or leave it out", "请写一个，如 192.168.1.10:5070，或不写"))
	case slices.Contains(v.doc.Network.SIP.Listen, t.Listen) && t.Listen.Port() != 0:
		v.add(path+".listen", both.Say("%s is where the phones reach the box", "%s 是话机接入的地址", t.Listen), both.Say("take another port, as 5070", "请另选端口，如 5070"))
	case t.Listen.Port() >= v.doc.Network.RTP.First && t.Listen.Port() <= v.doc.Network.RTP.Last:
		v.add(path+".listen", both.Say("port %d is in the range for sound", "端口 %d 在语音端口范围内", t.Listen.Port()), both.Say("take a port outside of it", "请选范围以外的端口"))
	}
	if t.Public == "" {
		return
	}
	if a, err := netip.ParseAddr(t.Public); err != nil || a.IsUnspecified() || a.IsMulticast() || a.Zone() != "" {
		v.add(path+".public", both.Say("%s is no address", "%s 不是地址", quote(t.Public)), both.Say("write it as in 203.0.113.7, or leave it out: it is learned", "请写成 203.0.113.7 的样子，或不写：会自动得知"))
	}
}

func (v *validator) server(path, s string) {
	host, port := s, ""
	if i := strings.LastIndexByte(s, ':'); i >= 0 && (strings.Count(s, ":") == 1 || strings.Contains(s, "]:")) {
		host, port = s[:i], s[i+1:]
		if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
			v.add(path, both.Say("%s has no port that can be", "%s 的端口无效", quote(s)), both.Say("write it as in sip.provider.example:5060", "请写成 sip.provider.example:5060 的样子"))
			return
		}
	}
	if !isHost(strings.Trim(host, "[]")) {
		v.add(path, both.Say("%s is no server", "%s 不是服务器", quote(s)),
			both.Say("write its name or address, as in sip.provider.example or 198.51.100.5:5060", "请写其名称或地址，如 sip.provider.example 或 198.51.100.5:5060"))
	}
}

// isHost: a name, or an address.
func isHost(s string) bool {
	if a, err := netip.ParseAddr(s); err == nil {
		return a.Zone() == "" && !a.IsUnspecified() && !a.IsMulticast()
	}
	return s != "" && len(s) <= 253 && only(s, letters+digits+".-_") && !only(s, digits+".") && s[0] != '.' && s[0] != '-'
}

func (v *validator) choice(path, got string, known ...string) {
	if !slices.Contains(known, got) {
		v.add(path, both.Say("%s is none that the box knows", "本机不认识 %s", quote(got)), both.Say("write %s", "请写 %s", strings.Join(known, " / ")))
	}
}
