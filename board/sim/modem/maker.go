package modem

import (
	"time"

	"branchline/board/sim/modem/at"
	"branchline/board/sim/modem/radio"
	"branchline/hal"
)

// maker is what a make of modem has of its own; everything else is the same engine.
type maker struct {
	name, model, firmware string
	revision              string // what stands before firmware in AT+CGMR
	newsEnd               string // of unsolicited lines; "": CR LF
	unknown               string // final result of a command that it does not know; "": ERROR
	boot                  boot
	registers             []string // the networks that it tells of: +CREG …
	access                string   // how it is registered, as +CREG and +COPS number it
	bearer                bool     // AT+CLCC lists the data connection as call 1
	missedCall            bool     // it always tells of missed calls
	endFirst              bool     // it tells the end of a call before the OK of the hang-up

	lacks    []string // commands of the engine that it does not know
	settings []setting
	commands func(m *Modem) map[string]at.Verb

	changed func(m *Modem, v *radio.Call) []string                          // says how a call stands
	ended   func(m *Modem, v *radio.Call, why hal.Cause, far bool) []string // says that it is over
	tone    func(m *Modem, key byte) []string                               // says that a key was heard
	sounds  func(m *Modem) bool                                             // whether the sound port is on

	noiseEvery time.Duration
	noise      func(m *Modem) []string
}

// boot is what is said while the modem starts: when power is there, the radio is on, the card is read,
// texts and the phone book can be used.
type boot struct {
	power, radio []string
	sim          bool // +CPIN: and its state
	card         []string
	texts, book  []string
}

// makers are the models that can be simulated.
func makers() map[string]maker {
	return map[string]maker{"EC25": quectel(), "SIM7600": simcom(), "E173": huawei()}
}
