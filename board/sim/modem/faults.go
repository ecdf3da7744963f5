package modem

import "fmt"

// The faults may be ordered from any goroutine. They return at once; Run does them in order.

// Garbage writes b to the AT port as it is.
func (m *Modem) Garbage(b []byte) {
	b = append([]byte(nil), b...)
	m.inbox.Post(func() { m.plug.AT.Write(b) })
}

// HalfLine cuts the next line that the modem writes in the middle; its rest and its end are lost.
func (m *Modem) HalfLine() { m.inbox.Post(func() { m.term.HalfLine() }) }

// LoseNextURC swallows the next unsolicited line that begins with name, such as "NO CARRIER".
func (m *Modem) LoseNextURC(name string) {
	m.inbox.Post(func() { m.term.LoseNext(name) })
}

// Unsolicited writes line as the modem would write something it says by itself.
func (m *Modem) Unsolicited(line string) { m.inbox.Post(func() { m.urc(line) }) }

// NoSignal takes the antenna off (calls drop, callers hear that the number cannot be reached) or
// puts it back.
func (m *Modem) NoSignal(on bool) {
	m.inbox.Post(func() {
		m.signal = !on
		m.register()
	})
}

// Mute makes the AT port deaf-mute, as a firmware that hangs: nothing is answered and nothing
// said, calls go on. Mute(false) or a reset by power ends it.
func (m *Modem) Mute(on bool) { m.inbox.Post(func() { m.term.Mute = on }) }

// MuteSound makes the sound towards the host silent: the famous one-way call.
func (m *Modem) MuteSound(on bool) { m.inbox.Post(func() { m.muteSound = on }) }

// StickSound is a sound port that is stuck: a SIM7600 then refuses AT+CPCMREG=1 until AT+CRESET.
func (m *Modem) StickSound() { m.inbox.Post(func() { m.stuckSound = true }) }

// Vanish pulls the cable: when it returns the host's ends of both ports are gone (reads end in
// EIO or EOF) and so are their symlinks. The modem lives on: its calls stay up, what it says is lost.
func (m *Modem) Vanish() { m.plug.Pull() }

// PowerCut pulls cable and power: as Vanish, and calls drop.
func (m *Modem) PowerCut() {
	m.plug.Pull()
	m.inbox.Post(m.reset)
}

// Return puts the cable back after Vanish, PowerCut or AT+QPOWD: with OpenPTYs there are new ptys
// under the same symlinks, with OpenPipes the host opens new pipes itself. A modem without power boots.
func (m *Modem) Return() error {
	err := m.plug.Plug()
	if err != nil {
		err = fmt.Errorf("simulated modem %s: %w", m.o.Number, err)
	}
	m.inbox.Post(func() {
		if m.power == off {
			m.boot()
		}
	})
	return err
}

// restart is AT+CFUN=1,1, some time after its OK: over USB the ports go and come back.
func (m *Modem) restart() {
	m.agenda.In(m.o.Boot/10, m.restartNow)
}

func (m *Modem) restartNow() {
	m.reset()
	if m.o.ResetKeepsUSB || !m.plug.ArePTYs() {
		m.boot()
		return
	}
	m.plug.Pull()
	m.agenda.In(m.o.Boot/2, func() {
		if err := m.plug.Plug(); err != nil {
			m.log.Error("simulated modem", "number", m.o.Number, "err", err)
		}
		m.boot()
	})
}
