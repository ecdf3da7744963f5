package gsm_test

import (
	"log/slog"
	"testing"

	"branchline/drivers/gsm"
	"branchline/hal/haltest"
)

// newLine makes a line on m; changes may change its options.
func newLine(t *testing.T, m *module, changes ...func(*gsm.Options)) *gsm.Line {
	t.Cleanup(func() {
		m.unplug()
		m.wg.Wait()
	})
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	o := gsm.Options{Name: "gsm1", Boot: 1, Log: log, OpenAT: m.openAT, OpenPCM: m.openPCM}
	for _, change := range changes {
		change(&o)
	}
	return gsm.New(o)
}

func rigOf(t *testing.T, m *module) haltest.Rig {
	return haltest.Rig{
		Line: newLine(t, m), Number: "0935123456", From: "0912345678",
		Call:      func() { m.call("0912345678") },
		RingAgain: m.ringAgain,
		Pick:      m.pick,
		Refuse:    func() { m.end("BUSY") },
		HangUp:    func() { m.end("NO CARRIER") },
		Press:     m.press,
		Vanish:    m.unplug,
		Return:    m.plug,
	}
}

func TestLineKeepsTheContract(t *testing.T) {
	haltest.TestLineInBubble(t, func(t *testing.T) haltest.Rig { return rigOf(t, newModule()) })
}

func TestLineKeepsTheContractWhileTheModuleSaysLittle(t *testing.T) {
	haltest.TestLineInBubble(t, func(t *testing.T) haltest.Rig {
		m := newModule()
		m.mute = true // AT+CLCC alone tells how calls go on and end
		rig := rigOf(t, m)
		rig.Lacks = []string{"Refuse"} // and it does not tell why
		return rig
	})
}
