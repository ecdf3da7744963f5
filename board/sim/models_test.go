package sim

import (
	"log/slog"
	"maps"
	"strings"
	"testing"

	"branchline/board/sim/modem"
)

func TestEachSlotTakesTheModelThatIsNamedForIt(t *testing.T) {
	models, err := ParseModels("slot2=sim7600, slot8=E173")
	if want := (Models{"slot2": "SIM7600", "slot8": "E173"}); err != nil || !maps.Equal(models, want) {
		t.Errorf("models %v, %v; want %v", models, err, want)
	}
	if none, err := ParseModels(""); err != nil || len(none) > 0 {
		t.Errorf("nothing said gives %v, %v", none, err)
	}
}

func TestAWrongModelOrSlotIsRefusedInWords(t *testing.T) {
	for text, want := range map[string]string{
		"slot2":                        "as in slot2=SIM7600",
		"slot9=EC25":                   "slot1 to slot8",
		"slot1=SIM800":                 `there is no model "SIM800" to simulate; there are E173, EC25, SIM7600`,
		"slot1=":                       "there is no model",
		"slot1=EC25,slot1=E173":        "already",
		"slot1=EC25,":                  "names no slot",
		strings.Repeat("a", 100) + "=": "slot1 to slot8",
	} {
		if _, err := ParseModels(text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q in it", text, err, want)
		}
	}
}

func TestAModuleIsOfItsSlotsModel(t *testing.T) {
	w, err := New(t.TempDir(), Models{"slot2": "SIM7600"}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer w.ledger.Close()
	for slot, want := range map[string]string{"slot1": "EC25", "slot2": "SIM7600"} {
		if err := w.Insert(slot, modem.Options{Number: "+493090182" + slot[4:]}); err != nil {
			t.Fatal(err)
		}
		if got := w.Modem(slot).Model(); got != want {
			t.Errorf("%s has a %s, want %s", slot, got, want)
		}
	}
}
