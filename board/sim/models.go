package sim

import (
	"fmt"
	"slices"
	"strings"

	"branchline/board/sim/modem"
)

// Models says which model of modem each slot takes, by the slot's name; one that is not named takes an
// EC25.
type Models map[string]string

// ParseModels reads what follows "sim:" in the name of the board, "slot2=SIM7600,slot3=E173"; capitals
// make no difference. "" names none. The error says which part is wrong and what would be right.
func ParseModels(text string) (Models, error) {
	m := Models{}
	if text == "" {
		return m, nil
	}
	for part := range strings.SplitSeq(text, ",") {
		slot, name, ok := strings.Cut(strings.TrimSpace(part), "=")
		if !ok {
			return nil, fmt.Errorf("%q names no slot and its model; write it as in slot2=SIM7600", part)
		}
		if !slices.Contains(slotNames(), slot) {
			return nil, fmt.Errorf("%q: %w", part, noSlot(slot))
		}
		if m[slot] != "" {
			return nil, fmt.Errorf("%q: %s has its model already, %s", part, slot, m[slot])
		}
		known := modem.Models()
		i := slices.IndexFunc(known, func(k string) bool { return strings.EqualFold(k, name) })
		if i < 0 {
			return nil, fmt.Errorf("%q: there is no model %q to simulate; there are %s", part, name, strings.Join(known, ", "))
		}
		m[slot] = known[i]
	}
	return m, nil
}

// slotNames are the slots of the board.
func slotNames() []string {
	names := make([]string, slots)
	for i := range names {
		names[i] = fmt.Sprintf("slot%d", i+1)
	}
	return names
}

func noSlot(slot string) error {
	return fmt.Errorf("the simulated board has slot1 to slot%d, not %q", slots, slot)
}
