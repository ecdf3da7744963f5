package config

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestEachMistakeIsNamedWithPathAndCure(t *testing.T) {
	step := func(s ...Step) func(*Doc) { return func(d *Doc) { d.Flows[0].Steps = append(s, d.Flows[0].Steps...) } }
	addr := netip.MustParseAddrPort
	for _, c := range []struct {
		name string
		make func(*Doc)
		want []string // paths; each must have a cure
	}{
		{"nothing wrong", func(d *Doc) {}, nil},
		{"old version", func(d *Doc) { d.Version = 0 }, []string{"version"}},
		{"no time zone", func(d *Doc) { d.Site.Timezone = "" }, []string{"site.timezone"}},
		{"the machine's time zone", func(d *Doc) { d.Site.Timezone = "Local" }, []string{"site.timezone"}},
		{"a file for a time zone", func(d *Doc) { d.Site.Timezone = "../../etc/passwd" }, []string{"site.timezone"}},
		{"country in small letters", func(d *Doc) { d.Site.Country = "de" }, []string{"site.country"}},
		{"language in words", func(d *Doc) { d.Site.Language = "../en" }, []string{"site.language"}},
		{"Chinese", func(d *Doc) { d.Site.Language = LanguageChinese }, nil},
		{"a language that the box does not speak", func(d *Doc) { d.Site.Language = "zh-TW" }, []string{"site.language"}},

		{"no address", func(d *Doc) { d.Network.SIP.Listen = nil }, []string{"network.sip.listen"}},
		{"wildcard", func(d *Doc) { d.Network.SIP.Listen[0] = addr("0.0.0.0:5060") }, []string{"network.sip.listen[0]"}},
		{"wildcard of IPv6", func(d *Doc) { d.Network.SIP.Listen[1] = addr("[::]:5060") }, []string{"network.sip.listen[1]"}},
		{"wildcard in disguise", func(d *Doc) { d.Network.SIP.Listen[1] = addr("[::ffff:0.0.0.0]:5060") }, []string{"network.sip.listen[1]"}},
		{"multicast", func(d *Doc) { d.Network.SIP.Listen[0] = addr("224.0.1.75:5060") }, []string{"network.sip.listen[0]"}},
		{"no port", func(d *Doc) { d.Network.SIP.Listen[0] = addr("10.0.0.1:0") }, []string{"network.sip.listen[0]"}},
		{"zero address", func(d *Doc) { d.Network.SIP.Listen[0] = netip.AddrPort{} }, []string{"network.sip.listen[0]"}},
		{"address twice", func(d *Doc) { d.Network.SIP.Listen[1] = addr("[::ffff:192.168.1.10]:5060") }, []string{"network.sip.listen[1]"}},
		{"SIP port among those for sound", func(d *Doc) { d.Network.SIP.Listen[0] = addr("10.0.0.1:10500") }, []string{"network.sip.listen[0]"}},
		{"network with a host's bits", func(d *Doc) { d.Network.SIP.Guard.Networks = []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")} }, []string{"network.sip.guard.networks[0]"}},
		{"no network", func(d *Doc) { d.Network.SIP.Guard.Trusted = make([]netip.Prefix, 1) }, []string{"network.sip.guard.trusted[0]"}},
		{"too many networks", func(d *Doc) {
			d.Extensions[0].Networks = slices.Repeat([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, 33)
		}, []string{"extensions[0].networks"}},
		{"remote phone with a short password", func(d *Doc) { d.Extensions[0].Remote, d.Extensions[0].Password = true, "plum-cake" }, []string{"extensions[0].password"}},
		{"link-local IPv6", func(d *Doc) { d.Network.SIP.Listen[1] = addr("[fe80::1%eth0]:5060") }, []string{"network.sip.listen[1]"}},
		{"link-local IPv4", func(d *Doc) { d.Network.SIP.Listen[1] = addr("169.254.3.4:5060") }, []string{"network.sip.listen[1]"}},
		{"TLS without a port", func(d *Doc) { d.Network.SIP.TLS, d.Network.SIP.TLSPort = true, 0 }, []string{"network.sip.tls_port"}},
		{"TLS on the port of TCP", func(d *Doc) { d.Network.SIP.TLS, d.Network.SIP.TLSPort = true, 5060 }, []string{"network.sip.tls_port"}},
		{"TLS among the ports for sound", func(d *Doc) { d.Network.SIP.TLS, d.Network.SIP.TLSPort = true, 10500 }, []string{"network.sip.tls_port"}},
		{"TLS on the port of the page", func(d *Doc) {
			d.Network.SIP.Listen[0] = addr("127.0.0.1:5060")
			d.Network.SIP.TLS, d.Network.SIP.TLSPort = true, 8088
		}, []string{"network.sip.tls_port"}},
		{"realm that breaks a header", func(d *Doc) { d.Network.SIP.Realm = `a"b` }, []string{"network.sip.realm"}},
		{"no trace", func(d *Doc) { d.Network.SIP.Trace = 0 }, []string{"network.sip.trace"}},
		{"too much trace", func(d *Doc) { d.Network.SIP.Trace = 257 }, []string{"network.sip.trace"}},
		{"system ports", func(d *Doc) { d.Network.RTP = RTP{1024, 1100} }, []string{"network.rtp.first"}},
		{"odd port", func(d *Doc) { d.Network.RTP.First = 10001 }, []string{"network.rtp.first"}},
		{"too few ports", func(d *Doc) { d.Network.RTP.Last = 10004 }, []string{"network.rtp.last"}},
		{"just enough ports", func(d *Doc) { d.Network.RTP.Last = 10005 }, nil},
		{"page for everybody", func(d *Doc) { d.Network.Page.Listen = addr("0.0.0.0:8088") }, []string{"network.page.listen"}},
		{"page for the LAN", func(d *Doc) { d.Network.Page.Listen = addr("192.168.1.10:8088") }, []string{"network.page.listen"}},
		{"page without a port", func(d *Doc) { d.Network.Page.Listen = addr("127.0.0.1:0") }, []string{"network.page.listen"}},
		{"page without an address", func(d *Doc) { d.Network.Page.Listen = netip.AddrPort{} }, []string{"network.page.listen"}},
		{"range backwards", func(d *Doc) { d.Network.RTP.Last = 9000 }, []string{"network.rtp.last"}},

		{"no name of a line", func(d *Doc) { d.Lines[0].Name = ""; d.Outbound = nil }, []string{"lines[0].name"}},
		{"name of the phones", func(d *Doc) { d.Lines[0].Name = "Phones"; d.Outbound = nil }, []string{"lines[0].name"}},
		{"line with a dash", func(d *Doc) { d.Lines[0].Name = "trunk-acme"; d.Outbound = nil }, nil},
		{"unknown kind", func(d *Doc) { d.Lines[0].Kind = "isdn" }, []string{"lines[0].kind"}},
		{"no slot", func(d *Doc) { d.Lines[0].Slot = "" }, []string{"lines[0].slot"}},
		{"bad slot", func(d *Doc) { d.Lines[0].Slot = "/dev/sda" }, []string{"lines[0].slot"}},
		{"slot twice", func(d *Doc) { l := d.Lines[0]; l.Name = "gsm2"; d.Lines = append(d.Lines, l) }, []string{"lines[1].slot"}},
		{"line twice", func(d *Doc) { l := d.Lines[0]; l.Slot = "slot2"; d.Lines = append(d.Lines, l) }, []string{"lines[1].name"}},
		{"national number", func(d *Doc) { d.Lines[0].Number = "030901820" }, []string{"lines[0].number"}},
		{"no number", func(d *Doc) { d.Lines[0].Number = "" }, nil},
		{"too many channels", func(d *Doc) { d.Lines[0].Channels = 1001 }, []string{"lines[0].channels"}},
		{"numbers in no form", func(d *Doc) { d.Lines[0].Form = "E164" }, []string{"lines[0].form"}},
		{"a name shown as a number", func(d *Doc) { d.Lines[0].Show = "Ana" }, []string{"lines[0].show"}},
		{"route that picks by chance", func(d *Doc) { d.Outbound[0].Pick = "random" }, []string{"outbound[0].pick"}},
		{"route that shows nonsense", func(d *Doc) { d.Outbound[0].Show = "+" + strings.Repeat("1", 30) }, []string{"outbound[0].show"}},
		{"country code with zeros", func(d *Doc) { d.Numbers.Country = "0049" }, []string{"numbers.country_code"}},
		{"area code in brackets", func(d *Doc) { d.Numbers.Area = "(30)" }, []string{"numbers.area_code"}},
		{"no trunk prefix", func(d *Doc) { d.Numbers.Trunk = None }, nil},
		{"emergency number in words", func(d *Doc) { d.Numbers.Emergency = []string{"112", "fire"} }, []string{"numbers.emergency[1]"}},
		{"premium number with a plus", func(d *Doc) { d.Numbers.Premium = []string{"+900"} }, []string{"numbers.premium[0]"}},
		{"class of words and numbers", func(d *Doc) {
			d.Classes = []Class{{Name: "boss", Allow: Destinations(), Deny: []string{"+882"}}}
			d.Extensions[0].Class, d.Extensions[1].Class = "boss", DefaultClass
		}, nil},
		{"class twice", func(d *Doc) { d.Classes = []Class{{Name: "a"}, {Name: "A"}} }, []string{"classes[1].name"}},
		{"class that allows what is not", func(d *Doc) { d.Classes = []Class{{Name: "a", Allow: []string{"mobiles", "+", "+4a"}}} }, []string{"classes[0].allow[0]", "classes[0].allow[1]", "classes[0].allow[2]"}},
		{"class without emergency", func(d *Doc) { d.Classes = []Class{{Name: "a", Deny: []string{ToEmergency}}} }, []string{"classes[0].deny"}},
		{"unknown class", func(d *Doc) { d.Extensions[0].Class = "boss" }, []string{"extensions[0].class"}},
		{"bad group", func(d *Doc) { d.Extensions[0].Group = "first floor" }, []string{"extensions[0].group"}},
		{"forward to oneself", func(d *Doc) { d.Extensions[0].Forward.Busy = d.Extensions[0].Number }, []string{"extensions[0].forward.busy"}},
		{"forward to a code", func(d *Doc) { d.Extensions[0].Forward.Always = "*22" }, []string{"extensions[0].forward.always"}},
		{"recall before it rings", func(d *Doc) { d.Calls.Recall = time.Second }, []string{"calls.recall"}},
		{"no recall", func(d *Doc) { d.Calls.Recall = 0 }, nil},
		{"parked for a day", func(d *Doc) { d.Calls.Park = 24 * time.Hour }, []string{"calls.park"}},
		{"code without a star", func(d *Doc) { d.Codes.Pickup = "88" }, []string{"codes.pickup"}},
		{"code switched off", func(d *Doc) { d.Codes.Pickup = "" }, nil},
		{"code that was taken before", func(d *Doc) { d.Codes.Ready = "*78" }, []string{"codes.dnd"}},
		{"PIN of letters", func(d *Doc) { d.Lines[0].PIN = "12a4" }, []string{"lines[0].pin"}},
		{"no flow", func(d *Doc) { d.Lines[0].Flow = "" }, []string{"lines[0].flow"}},
		{"unknown flow", func(d *Doc) { d.Lines[0].Flow = "mian" }, []string{"lines[0].flow"}},

		{"two phones with one number", func(d *Doc) { d.Extensions[1].Number = "201" }, []string{"extensions[1].number"}},
		{"number of letters", func(d *Doc) { d.Extensions[0].Number = "2o1" }, []string{"extensions[0].number"}},
		{"number of one digit", func(d *Doc) { d.Extensions[0].Number = "2" }, []string{"extensions[0].number"}},
		{"number of nine digits", func(d *Doc) { d.Extensions[0].Number = "234567890" }, []string{"extensions[0].number"}},
		{"no number of a phone", func(d *Doc) { d.Extensions[0].Number = "" }, []string{"extensions[0].number"}},
		{"control character", func(d *Doc) { d.Extensions[0].Name = "a\nb" }, []string{"extensions[0].name"}},
		{"an encryption that is none", func(d *Doc) { d.Extensions[0].SRTP = "zrtp" }, []string{"extensions[0].srtp"}},
		{"no password", func(d *Doc) { d.Extensions[0].Password = "" }, []string{"extensions[0].password"}},
		{"short password", func(d *Doc) { d.Extensions[0].Password = "12345" }, []string{"extensions[0].password"}},
		{"number for a password", func(d *Doc) { d.Extensions[0] = Extension{Number: "234567", Password: "234567"} }, []string{"extensions[0].password"}},
		{"endless password", func(d *Doc) { d.Extensions[0].Password = strings.Repeat("x", 200) }, []string{"extensions[0].password"}},

		{"two agents with one number", func(d *Doc) { d.Agents = append(d.Agents, d.Agents[0]) }, []string{"agents[3].number"}},
		{"agent without a name", func(d *Doc) { d.Agents[0].Name = " " }, []string{"agents[0].name"}},
		{"PIN of three", func(d *Doc) { d.Agents[0].PIN = "123" }, []string{"agents[0].pin"}},
		{"PIN of nine", func(d *Doc) { d.Agents[0].PIN = "123456789" }, []string{"agents[0].pin"}},

		{"queue without agents", func(d *Doc) { d.Queues[0].Agents = nil }, []string{"queues[0].agents"}},
		{"lamp of letters", func(d *Doc) { d.Queues[0].Lamp = "sales" }, []string{"queues[0].lamp"}},
		{"lamp of an extension", func(d *Doc) { d.Queues[0].Lamp = d.Extensions[0].Number }, []string{"queues[0].lamp"}},
		{"lamp of a queue", func(d *Doc) { d.Queues[0].Lamp = "701" }, nil},
		{"unknown agent", func(d *Doc) { d.Queues[0].Agents[1] = "1009" }, []string{"queues[0].agents[1]"}},
		{"agent twice in a queue", func(d *Doc) { d.Queues[0].Agents[1] = "1001" }, []string{"queues[0].agents[1]"}},
		{"unknown strategy", func(d *Doc) { d.Queues[0].Strategy = "loudest" }, []string{"queues[0].strategy"}},
		{"rings too short", func(d *Doc) { d.Queues[0].RingTimeout = 2 * time.Second }, []string{"queues[0].ring_timeout"}},
		{"rings too long", func(d *Doc) { d.Queues[1].RingTimeout = 301 * time.Second }, []string{"queues[1].ring_timeout"}},
		{"rings longer than callers wait", func(d *Doc) { d.Queues[0].MaxWait = 14 * time.Second }, []string{"queues[0].ring_timeout"}},
		{"rings as long as callers wait", func(d *Doc) { d.Queues[0].MaxWait = 15 * time.Second }, nil},
		{"callers wait without end", func(d *Doc) { d.Queues[0].MaxWait = 0 }, nil},
		{"wait before zero", func(d *Doc) { d.Queues[0].MaxWait = -1 }, []string{"queues[0].max_wait"}},
		{"wrap-up too long", func(d *Doc) { d.Queues[0].WrapUp = time.Hour + 1 }, []string{"queues[0].wrap_up"}},
		{"wrap-up before zero", func(d *Doc) { d.Queues[0].WrapUp = -1 }, []string{"queues[0].wrap_up"}},
		{"music from anywhere", func(d *Doc) { d.Queues[0].Music = []string{"moh", "../../etc/passwd", "/x", ""} }, []string{"queues[0].music[1]", "queues[0].music[2]", "queues[0].music[3]"}},

		{"flow without steps", func(d *Doc) { d.Flows[0].Steps = nil }, []string{"flows[0].steps"}},
		{"flow twice", func(d *Doc) { f := d.Flows[0]; f.Name = "MAIN"; d.Flows = append(d.Flows, f) }, []string{"flows[1].name"}},
		{"step that does nothing", step(Step{Name: "x"}), []string{"flows[0].steps[0]"}},
		{"step that does two things", step(Step{Play: []string{"a"}, Queue: "sales"}), []string{"flows[0].steps[0]"}},
		{"step twice", step(Step{Name: "welcome", Hangup: true}), []string{"flows[0].steps[1].name"}},
		{"step twice but for capitals", step(Step{Name: "Goodbye", Hangup: true}), []string{"flows[0].steps[5].name", "flows[0].steps[3].then"}},
		{"step with a strange name", step(Step{Name: "a b", Hangup: true}), []string{"flows[0].steps[0].name"}},
		{"unknown step", step(Step{Play: []string{"a"}, Then: "wellcome"}), []string{"flows[0].steps[0].then"}},
		{"target in other capitals", step(Step{Play: []string{"a"}, Then: "Welcome"}), []string{"flows[0].steps[0].then"}},
		{"hang-up with a next", step(Step{Hangup: true, Then: "welcome"}), []string{"flows[0].steps[0].then"}},
		{"menu with a next", step(Step{Menu: &Menu{Keys: map[string]string{"1": "welcome"}, Wait: time.Second, Tries: 1}, Then: "welcome"}), []string{"flows[0].steps[0].then"}},
		{"unknown queue", step(Step{Queue: "slaes"}), []string{"flows[0].steps[0].queue"}},
		{"prompt from anywhere", step(Step{Play: []string{"a/../b"}}), []string{"flows[0].steps[0].play[0]"}},
		{"menu without keys", step(Step{Menu: &Menu{Wait: time.Second, Tries: 1}}), []string{"flows[0].steps[0].menu.keys"}},
		{"menu with strange keys", step(Step{Menu: &Menu{Keys: map[string]string{"A": "welcome", "10": "welcome", "*": "welcome"}, Wait: time.Second, Tries: 1}}), []string{"flows[0].steps[0].menu.keys[10]", "flows[0].steps[0].menu.keys[A]"}},
		{"menu to nowhere", step(Step{Menu: &Menu{Keys: map[string]string{"1": "x", "2": ""}, Wait: time.Second, Tries: 1, Otherwise: "y"}}), []string{"flows[0].steps[0].menu.keys[1]", "flows[0].steps[0].menu.keys[2]", "flows[0].steps[0].menu.otherwise"}},
		{"menu that does not wait", step(Step{Menu: &Menu{Keys: map[string]string{"1": "welcome"}, Tries: 0}}), []string{"flows[0].steps[0].menu.wait", "flows[0].steps[0].menu.tries"}},
		{"plays itself for ever", step(Step{Name: "a", Play: []string{"a"}, Then: "a"}), []string{"flows[0].steps[0].then"}},
		{"two play each other for ever", step(Step{Name: "a", Play: []string{"a"}}, Step{Play: []string{"b"}, Then: "a"}), []string{"flows[0].steps[1].then"}},
		{"plays, then asks again", step(Step{Name: "a", Play: []string{"a"}}, Step{Menu: &Menu{Keys: map[string]string{"1": "a"}, Wait: time.Second, Tries: 1, Otherwise: "a"}}), nil},

		{"facts kept for no day", func(d *Doc) { d.Storage.FactsDays = 0 }, []string{"storage.facts_days"}},
		{"records kept for ever and a day", func(d *Doc) { d.Storage.RecordsDays = 99999 }, []string{"storage.records_days"}},
		{"recordings kept below nothing", func(d *Doc) { d.Storage.RecordingsGB = -1 }, []string{"storage.recordings_gb"}},
		{"code without a star", func(d *Doc) { d.Codes.SignIn = "22" }, []string{"codes.sign_in"}},
		{"code of a star alone", func(d *Doc) { d.Codes.Ready = "*" }, []string{"codes.ready"}},
		{"one code for both", func(d *Doc) { d.Codes.Ready = "*22" }, []string{"codes.ready"}},
		{"route that takes a code", func(d *Doc) { d.Outbound[0].Prefix = "*2" }, []string{"codes.sign_in", "codes.ready"}},
		{"route that takes an extension", func(d *Doc) { d.Outbound[0].Prefix = "20" }, []string{"extensions[0].number", "extensions[1].number", "extensions[2].number"}},
		{"route that takes what is left", func(d *Doc) { d.Outbound[0] = Route{Lines: []string{"gsm1"}} }, nil},
		{"prefix of letters", func(d *Doc) { d.Outbound[0].Prefix = "0x" }, []string{"outbound[0].prefix"}},
		{"takes off more than there is", func(d *Doc) { d.Outbound[0].Strip = 2 }, []string{"outbound[0].strip"}},
		{"takes off less than nothing", func(d *Doc) { d.Outbound[0].Strip = -1 }, []string{"outbound[0].strip"}},
		{"adds letters", func(d *Doc) { d.Outbound[0].Add = "abc" }, []string{"outbound[0].add"}},
		{"adds a country", func(d *Doc) { d.Outbound[0].Add = "+49" }, nil},
		{"route without lines", func(d *Doc) { d.Outbound[0].Lines = nil }, []string{"outbound[0].lines"}},
		{"route over an unknown line", func(d *Doc) { d.Outbound[0].Lines = []string{"gsm1", "gsm2"} }, []string{"outbound[0].lines[1]"}},
		{"route that is never reached", func(d *Doc) { d.Outbound = append(d.Outbound, Route{Prefix: "00", Lines: []string{"gsm1"}}) }, []string{"outbound[1].prefix"}},
		{"route in the right order", func(d *Doc) { d.Outbound = slices.Insert(d.Outbound, 0, Route{Prefix: "00", Lines: []string{"gsm1"}}) }, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := sample(t)
			c.make(d)
			var got []string
			for _, p := range Validate(d) {
				got = append(got, p.Path)
				if p.What.EN == "" || p.Cure.EN == "" || p.What.ZH == "" || p.Cure.ZH == "" {
					t.Errorf("%+v: what and cure are wanted, in both languages", p)
				}
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q: %v", got, c.want, Validate(d))
			}
		})
	}
}

// R1 of the rules: letters, digits and _, not a digit first, at most 64.
func TestNamesFollowTheRuleOfAccessCodes(t *testing.T) {
	for name, good := range map[string]bool{"_a": true, "a1": true, "A": true, strings.Repeat("a", 64): true,
		"1a": false, "a-b": false, "": false, strings.Repeat("a", 65): false, "ä": false, "a b": false} {
		d := sample(t)
		d.Queues = append(d.Queues, Queue{Name: name, Agents: []string{"1001"}, Strategy: LongestIdle, RingTimeout: time.Minute})
		if got := Validate(d) == nil; got != good {
			t.Errorf("%q is taken: %v, want %v", name, got, good)
		}
	}
}

func TestProblemsAreAllNamedAtOnceInTheOrderOfTheText(t *testing.T) {
	text := strings.NewReplacer("[1001, 1002]", "[]", "202, name", "201, name", `ready: "*23"`, `ready: "23"`, "then: goodbye", "then: godbye").Replace(string(read1(t)))
	doc, wrong := Check([]byte(text))
	if doc == nil {
		t.Fatal("the text is readable")
	}
	want := []string{
		`line 38, column 6: extensions[1].number: there is a desk phone with the number "201" already, at extensions[0].number; give each its own; capitals make no difference`,
		`line 52, column 5: queues[0].agents: the queue has no agents; name at least one agent's number, as in [1001]`,
		`line 81, column 9: flows[0].steps[2].then: there is no step "godbye"; did you mean "goodbye"?`,
		`line 98, column 3: codes.ready: "23" is no code; begin it with * or #, at most 8 keys, as in "*22"`,
	}
	got := make([]string, len(wrong))
	for i, p := range wrong {
		got[i] = p.String()
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestProblemsNeverShowSecrets(t *testing.T) {
	d := sample(t)
	d.Extensions[0].Password, d.Extensions[1].Password = "geh", "geheim\x01geheim"
	d.Agents[0].PIN, d.Lines[0].PIN = "geheim", "geheim"
	if text := fmt.Sprint(Validate(d)); len(Validate(d)) != 4 || strings.Contains(text, "geh") {
		t.Error(Validate(d))
	}
}

func TestMoreProblemsThanAnybodyReadsAreCounted(t *testing.T) {
	d := sample(t)
	for range 1000 {
		d.Queues[0].Agents = append(d.Queues[0].Agents, "9")
	}
	wrong := Validate(d)
	if last := wrong[len(wrong)-1].What.EN; len(wrong) != maxProblems+1 || last != "1799 more problems are not listed" {
		t.Errorf("%d problems, the last %q", len(wrong), last)
	}
}

func TestNearestNameIsOffered(t *testing.T) {
	names := []string{"sales", "support", "night"}
	for got, want := range map[string]string{
		"slaes": `did you mean "sales"?`, "SALES": `did you mean "sales"?`, "suport": `did you mean "support"?`,
		"billing": "there are night, sales, support", strings.Repeat("x", 100): "",
	} {
		if cure := didYouMean(got, names); cure.EN != want {
			t.Errorf("%s: %s, want %s", got, cure, want)
		}
	}
}
