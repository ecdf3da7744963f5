package words

// trunkWhy says why a trunk is out of service; pbx/sip/trunk/signin has the English. false: it is no such reason.
func (t tongue) trunkWhy(s string) (string, bool) {
	zh := ""
	switch s {
	case "DNS does not know the server; is the name right, and does the network have DNS?":
		zh = "DNS 查不到服务器；名称是否正确？网络是否有 DNS？"
	case "no network leads to the server":
		zh = "没有通往服务器的网络"
	case "the server does not answer":
		zh = "服务器没有应答"
	case "the server is overloaded or under repair":
		zh = "服务器过载或正在维护"
	case "the server refused user and password":
		zh = "服务器拒绝了用户名和密码"
	case "the server does not let this account in":
		zh = "服务器不允许此账户接入"
	case "the server does not know this account":
		zh = "服务器不认识此账户"
	case "the server refused the sign-in":
		zh = "服务器拒绝了注册"
	case "nobody whom the box trusts has signed the server's certificate; give that of its authority as ca, or is somebody between?":
		zh = "服务器证书不是由本机信任的机构签发；请在 ca 中给出其机构的证书，或是否有人从中拦截？"
	case "the server's certificate is of another name; is the name right, or is somebody between?":
		zh = "服务器证书属于另一名称；名称是否正确，或是否有人从中拦截？"
	case "the server's certificate is out of its time; is the clock of the box right?":
		zh = "服务器证书不在有效期内；本机时钟是否正确？"
	case "the server speaks no TLS on that port; it is mostly 5061":
		zh = "服务器在该端口不使用 TLS；端口通常为 5061"
	case "your router's SIP ALG alters the signalling; switch SIP ALG off in the router":
		zh = "路由器的 SIP ALG 改动了信令；请在路由器中关闭 SIP ALG"
	default:
		return "", false
	}
	return t.say(s, zh), true
}
