package main

import (
	"path"
	"strings"
)

// room is a part of the house and what its packages may import of ours. The longest from that a
// package lies under counts. In a list "x" is x alone, "x/..." is x and all below it, and "./..." is
// what lies below the importing package itself.
type room struct {
	from  string
	may   []string
	never []string // taken out of may
}

// rooms says who may import whom; ARCHITECTURE.md tells why.
func rooms() []room {
	lineDrivers := []string{"drivers/gsm/...", "drivers/fxo/...", "drivers/vmodem/..."}
	house := []string{"hal/...", "drivers/...", "board/...", "pbx/...", "ui/...", "firmware/...", "./..."}
	return []room{
		{from: "hal"},
		{from: "hal/haltest", may: []string{"hal"}},
		{from: "hal/dsp", may: []string{"hal"}},

		{from: "drivers", may: []string{"hal/...", "drivers/..."}, never: lineDrivers}, // line drivers stand on chip drivers, never back
		{from: "drivers/gsm", may: []string{"hal/...", "drivers/...", "./..."}, never: []string{"drivers/fxo/...", "drivers/vmodem/..."}},
		{from: "drivers/gsm/module", may: []string{"hal", "drivers/atmodem"}}, // reads words; owns no port
		{from: "board", may: []string{"hal/...", "drivers/...", "board/..."}},
		// The simulators are written from the documents, so that they can find our drivers wrong.
		{from: "board/sim/modem", may: []string{"hal/...", "board/sim/..."}},
		{from: "board/sim/network", may: []string{"hal/...", "board/sim/..."}},
		{from: "board/sim/phone", may: []string{"hal/...", "board/sim/..."}},
		{from: "board/sim/provider", may: []string{"hal/...", "board/sim/..."}},

		{from: "pbx", may: []string{"hal/...", "pbx/..."}},
		{from: "pbx/config", may: []string{"./..."}},
		{from: "pbx/config/both"}, // whoever says something to a person may stand on it
		{from: "pbx/config/tree", may: []string{"pbx/config/both"}},
		{from: "pbx/call", may: []string{"hal", "pbx/config"}},
		{from: "pbx/hours", may: []string{"hal", "pbx/call", "pbx/config"}},
		{from: "pbx/prompt", may: []string{"hal", "pbx/call", "pbx/config"}},
		{from: "pbx/acd", may: []string{"hal", "pbx/call", "pbx/config", "pbx/hours"}},
		{from: "pbx/number", may: []string{"hal", "pbx/config"}},
		{from: "pbx/route", may: []string{"hal", "pbx/call", "pbx/config", "pbx/hours", "pbx/number"}},
		{from: "pbx/flow", may: []string{"hal", "pbx/call", "pbx/config", "pbx/hours", "pbx/prompt"}},
		{from: "pbx/floor", may: []string{"hal", "hal/dsp", "pbx/call", "pbx/config", "pbx/hours", "pbx/prompt", "pbx/acd", "pbx/number", "pbx/route", "pbx/flow", "./..."}},
		{from: "pbx/scenario", may: []string{"hal", "pbx/call", "pbx/config", "pbx/floor"}},
		{from: "pbx/view", may: []string{"hal", "pbx/call", "pbx/config", "pbx/view/..."}},
		// What carries wires and sound reports and obeys: it knows no decision and no fact.
		{from: "pbx/media", may: []string{"hal/...", "pbx/media/..."}},
		{from: "pbx/media/lateness"},
		{from: "pbx/media/mail", may: []string{"hal"}},
		{from: "pbx/media/packets", may: []string{"hal/dsp", "pbx/media/rtp", "pbx/media/srtp", "pbx/media/udp"}}, // an end of RTP knows no leg and no bridge
		{from: "pbx/media/playlist", may: []string{"hal", "hal/dsp"}},
		{from: "pbx/media/rtp"},
		{from: "pbx/media/srtp"},
		{from: "pbx/media/udp"},
		{from: "pbx/sip", may: []string{"hal/...", "pbx/config", "pbx/media/...", "pbx/sip/..."}},
		{from: "pbx/sip/guard"},                                // knows addresses and counts, no SIP
		{from: "pbx/sip/trace", may: []string{"hal", "./..."}}, // sees messages, knows no wire
		{from: "pbx/sip/trace/pcap"},
		{from: "pbx/store", may: []string{"./..."}},

		{from: "ui", may: []string{"hal", "pbx/call", "pbx/config", "pbx/config/both", "pbx/view/...", "pbx/journal", "ui/..."}},
		{from: "firmware", may: house},
		{from: "tools", may: house}, // everything; and nobody imports tools
	}
}

// testRooms is what tests, and packages like hal/haltest that only tests import, may import beyond
// rooms.
func testRooms() []room {
	return []room{
		{from: "hal", may: []string{"hal/..."}},
		{from: "drivers", may: []string{"board/sim/..."}}, // a driver's far end is the simulator
		{from: "pbx", may: []string{"hal/...", "pbx/..."}},
		{from: "pbx/sip/trunk", may: []string{"hal/...", "pbx/...", "board/sim/..."}}, // its far end is the simulated provider
		{from: "pbx/config", may: nil},
		{from: "ui", may: []string{"hal/...", "pbx/view/..."}},
	}
}

// guest is a package that is not ours and the only parts of the house that import it, tests included.
type guest struct {
	path  string
	hosts []string
}

// guests keeps each library behind one door, so that it can be changed there.
func guests() []guest {
	return []guest{
		{"C", []string{"drivers/sound"}},
		{"github.com/danielgtaylor/huma", []string{"ui"}},
		{"github.com/emiago/sipgo", []string{"pbx/sip/wire"}},
		{"github.com/gen2brain/malgo", []string{"drivers/sound"}},
		{"github.com/goccy/go-yaml", []string{"pbx/config/tree"}},
		{"github.com/hanwen/go-fuse", []string{"tools/faultdisk"}},
		{"github.com/tarm/serial", []string{"drivers/uart"}},
		{"github.com/warthog618/go-gpiocdev", []string{"drivers/pins"}},
		{"github.com/warthog618/sms", []string{"drivers/gsm", "board/sim/modem/card"}},
		{"go.etcd.io/bbolt", []string{"pbx/store"}},
		{"periph.io", []string{"drivers", "board"}},
	}
}

// purePackages are state and rules alone: time comes in, data goes out.
func purePackages() []string {
	return []string{
		"hal/dsp", "pbx/call", "pbx/config", "pbx/floor", "pbx/acd", "pbx/flow", "pbx/number", "pbx/route", "pbx/hours", "pbx/prompt", "pbx/view", "pbx/scenario",
		"pbx/sip/guard",
	}
}

// impure is the standard library that pure packages do without, each with all below it.
func impure() []string {
	return []string{
		"os", "net", "sync", "context", "log", "math/rand", "crypto/rand", "io/fs", "io/ioutil", "path/filepath", "syscall", "runtime",
		"plugin", "unsafe", "C", "expvar", "database/sql", "testing", "time/tzdata",
	}
}

// pureAnyway tells what of impure a pure package may use after all: addresses are plain data.
func pureAnyway(pkg, imported string) bool {
	return imported == "net/netip" && under(pkg, "pbx/config", "pbx/sip/guard")
}

// clock is what package time has that is no calculation.
func clock() []string {
	return []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "Tick", "NewTimer", "NewTicker", "LoadLocation", "Local"}
}

// under tells whether pkg is at or below one of parts.
func under(pkg string, parts ...string) bool {
	for _, p := range parts {
		if pkg == p || strings.HasPrefix(pkg, p+"/") {
			return true
		}
	}
	return false
}

// matches tells whether pkg is in list, for an importer from.
func matches(list []string, from, pkg string) bool {
	for _, l := range list {
		if l == "./..." {
			l = from + "/..."
		}
		if below, all := strings.CutSuffix(l, "/..."); all && under(pkg, below) || pkg == l {
			return true
		}
	}
	return false
}

// roomOf is the room of pkg: the longest that it lies under.
func roomOf(table []room, pkg string) (room, bool) {
	var best room
	found := false
	for _, r := range table {
		if under(pkg, r.from) && (!found || len(r.from) > len(best.from)) {
			best, found = r, true
		}
	}
	return best, found
}

// forTests tells whether pkg is there for tests alone: hal/haltest, pbx/view/viewtest.
func forTests(pkg string) bool { return path.Base(pkg) == path.Base(path.Dir(pkg))+"test" }
