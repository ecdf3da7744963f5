package hal

// Board is what is soldered where: a list of parts without logic.
type Board struct {
	Name  string
	Slots []Slot
}

// Slot is a place for a SIM module: the two ttys of the module that sits there. Paths are stable
// over renumbering (by USB path, not ttyUSBn).
type Slot struct {
	Name string // "slot1"
	AT   string // the port that takes commands
	PCM  string // the port that carries 8 kHz 16-bit sound
}

// Slot finds the slot of that name.
func (b Board) Slot(name string) (Slot, bool) {
	for _, s := range b.Slots {
		if s.Name == name {
			return s, true
		}
	}
	return Slot{}, false
}
