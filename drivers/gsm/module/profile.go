// Package module is what differs between makes of GSM and LTE modules, and how what they write is
// read: their profiles, calls, numbers and causes. It is words in and values out; it has no state.
// Start reading at Profile; each make has a file of its own.
package module

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"branchline/hal"
)

// Profile is all that is peculiar to one family of modules. The state machine asks it and never the
// name of a maker.
type Profile struct {
	Name   string   // what gsm.Options.Profile may say
	Maker  string   // beginning of the AT+CGMI answer, in any case
	Models []string // beginnings of the AT+CGMM answer, behind a maker's name with "_"

	Init  []string          // set-up beyond 3GPP; what a firmware refuses is passed over
	Must  []Must            // what the module must answer to be of use
	Warns map[string]string // beginnings of the AT+CGMR answer of firmware with a fault, and what it is
	News  []string          // beginnings of its unsolicited lines
	Boots []string          // lines that say: the module has started anew, all set-up is lost
	PIN   PIN

	SoundOn, SoundOff string // what opens and shuts the sound port; "" where nothing does
	SoundLate         bool   // the port can be opened once the call is up, not before
	SoundCure         string // what resets a module whose sound port is stuck; "": nothing is known

	Read  func(line string) Heard                // what a line of News says
	Press func(index int, key byte) (cmd string) // sends a key to the party of a call; nil: AT+VTS
}

// Must is a question that the module has to answer in one way.
type Must struct {
	Query string // "AT^CVOICE?"
	Want  string // how its information line begins, spaces left out
	Why   string // what an answer of another kind says, for a person
}

// PIN is how the PIN tries that are left are asked for; the zero value: they cannot be.
type PIN struct {
	Query  string
	Expect string // prefix of the information line
	At     int    // which of its fields
}

// What is the kind of a Heard.
type What int

// The kinds.
const (
	Nothing What = iota // of no use
	Changed             // something about calls; AT+CLCC knows what
	Call                // how a voice call stands: Entry
	Over                // a call has ended: Entry.Index, 0 where the line does not say which
	Tone                // the far end pressed Key
)

// Heard is what a line says that only one make writes.
type Heard struct {
	What  What
	Entry Entry
	Cause hal.Cause // of Over; "": it does not say why
	Wire  string    // of Over, the module's own word: "Q.850 17"
	Key   byte
}

// Standard is the set-up that 3GPP TS 27.007 and 27.005 know, before that of the profile. What a
// firmware refuses is passed over.
func Standard() []string {
	return []string{
		"AT+CREG=2", "AT+CEREG=2", "AT+CGREG=2", "AT+COPS=3,2",
		"AT+CLIP=1",
		"AT+CRC=0", // a program before us may have left 1
		"AT+CCWA=1", "AT+CSSN=1,1",
		"AT+CVHU=0", // so that ATH ends voice calls
		"AT+CMGF=0", `AT+CPMS="SM","SM","SM"`, "AT+CNMI=2,1,0,2,0",
	}
}

// Profiles is all that are known.
func Profiles() []Profile { return []Profile{ec25(), sim7600(), e17x()} }

// unfit are modules that are known and cannot do what a line needs.
func unfit() map[string]string {
	noVoice := "carries no voice calls"
	analogue := "has its sound on analogue pins, to which the box has no wire"
	return map[string]string{
		"SIM7000": noVoice, "SIM7020": noVoice, "SIM7070": noVoice, "SIM7080": noVoice, "SIM7670G": noVoice,
		"A7670": analogue, "A7672": analogue, "SIM7670": analogue, "SIM800": analogue, "SIM900": analogue,
	}
}

// Find finds the profile of a module by its AT+CGMI and AT+CGMM, or by name if one is given. Its error
// tells a person why there is none.
func Find(name, maker, model string) (Profile, error) {
	known := Profiles()
	for _, p := range known {
		if name == p.Name || name == "" && p.fits(maker, model) {
			return p, nil
		}
	}
	if name != "" {
		return Profile{}, fmt.Errorf("there is no profile %q for modules", name)
	}
	if maker == "" && model == "" {
		return Profile{}, errors.New("the module does not say what it is")
	}
	bare := bareModel(model)
	longest := ""
	for begin := range unfit() {
		if strings.HasPrefix(bare, begin) && len(begin) > len(longest) {
			longest = begin
		}
	}
	if longest != "" {
		return Profile{}, fmt.Errorf("the module %s %s %s", maker, model, unfit()[longest])
	}
	return Profile{}, fmt.Errorf("the module %q %q is not known; the box drives %s", maker, model, drives(known))
}

func drives(known []Profile) string {
	var all []string
	for _, p := range known {
		all = append(all, p.Maker+" "+strings.Join(p.Models, ", "))
	}
	return strings.Join(all, "; ")
}

func (p Profile) fits(maker, model string) bool {
	return len(maker) >= len(p.Maker) && strings.EqualFold(maker[:len(p.Maker)], p.Maker) &&
		slices.ContainsFunc(p.Models, func(m string) bool { return strings.HasPrefix(bareModel(model), m) })
}

// bareModel is a model without the maker's name that SIMCom puts before it: SIMCOM_SIM7600E-H.
func bareModel(model string) string {
	if _, bare, found := strings.Cut(model, "_"); found {
		return bare
	}
	return model
}

// Warning is what a person should know about this firmware; "": nothing.
func (p Profile) Warning(firmware string) string {
	for begin, why := range p.Warns {
		if strings.HasPrefix(firmware, begin) {
			return why
		}
	}
	return ""
}

// Booted says whether line says that the module has started anew; until it is known which one this
// is, of the zero Profile, those of all count.
func (p Profile) Booted(line string) bool {
	if p.Name != "" {
		return slices.Contains(p.Boots, line)
	}
	return slices.ContainsFunc(Profiles(), func(p Profile) bool { return slices.Contains(p.Boots, line) })
}

// Left reads the PIN tries that are left, from the answer to PIN.Query; -1 where it does not say.
func (q PIN) Left(fields []string) int {
	if q.At >= len(fields) {
		return -1
	}
	n, ok := Numbers(fields[q.At:], 1)
	if !ok {
		return -1
	}
	return n[0]
}

func isKey(k byte) bool { return strings.IndexByte("0123456789*#ABCD", k) >= 0 }
