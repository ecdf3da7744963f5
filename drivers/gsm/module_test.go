package gsm_test

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

// module is an EC25 as its maker's manual describes it, as much of it as the tests need: it answers after
// a while, echoes until told not to, and says things by itself. It is written from the documents,
// not from the driver.
type module struct {
	mu      sync.Mutex
	at, pcm *end // the module's ends; nil while it is unplugged
	absent  bool
	opened  int
	wg      sync.WaitGroup

	echo     bool
	list     []*listedCall
	rings    int // generation of the ringing goroutine
	sound    bool
	sent     []string          // commands in order
	answers  map[string]string // instead of the usual answer, CR LF separated; "-": none at all
	creg     int
	pin      string // that the SIM wants; "": none
	pinTries int
	clip     time.Duration // how long +CLIP comes after RING; negative: never
	silent   bool          // answers to nothing
	mute     bool          // says nothing by itself about calls
	heard    []int16       // what the host sent as sound
	tone     float64       // Hz, that the far end sounds
}

type listedCall struct {
	index, dir, stat int
	number           string
}

const answerDelay = 15 * time.Millisecond

func newModule() *module {
	return &module{creg: 1, clip: 5 * time.Millisecond, answers: make(map[string]string), pinTries: 3, tone: 1000}
}

// openAT plugs the host's cable in.
func (m *module) openAT() (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.opened++
	if m.absent {
		return nil, errors.New("no such device")
	}
	host, mine := newCable()
	m.at, m.echo = mine, true
	m.wg.Go(func() { m.serve(mine) })
	return host, nil
}

func (m *module) openPCM() (io.ReadWriteCloser, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	host, mine := newCable()
	m.pcm = mine
	m.wg.Go(func() { m.listen(mine) })
	m.wg.Go(func() { m.speak(mine) })
	return host, nil
}

func (m *module) serve(port *end) {
	r := bufio.NewReader(port)
	for {
		text, err := r.ReadString('\r')
		if err != nil {
			return
		}
		time.Sleep(answerDelay)
		m.mu.Lock()
		text = strings.Trim(strings.TrimSuffix(text, "\r"), "\x1b")
		if m.echo && !m.silent {
			m.raw(text + "\r")
		}
		m.sent = append(m.sent, text)
		if !m.silent {
			m.obey(text)
		}
		m.mu.Unlock()
	}
}

func (m *module) raw(s string) {
	if m.at != nil {
		m.at.Write([]byte(s))
	}
}

func (m *module) say(line string) { m.raw("\r\n" + line + "\r\n") }

func (m *module) obey(text string) {
	if answer, ok := m.answers[text]; ok {
		for _, line := range strings.Split(answer, "\r\n") {
			if line != "-" {
				m.say(line)
			}
		}
		return
	}
	switch {
	case text == "ATE0":
		m.echo = false
	case text == "AT+CGMI":
		m.say("Quectel")
	case text == "AT+CGMM":
		m.say("EC25")
	case text == "AT+CPIN?" && m.pin != "":
		m.say("+CPIN: SIM PIN")
	case text == "AT+CPIN?":
		m.say("+CPIN: READY")
	case strings.HasPrefix(text, "AT+CPIN="):
		if text != `AT+CPIN="`+m.pin+`"` {
			m.pinTries--
			m.say("+CME ERROR: 16")
			return
		}
		m.pin = ""
	case text == "AT+QPINC?":
		m.say(fmt.Sprintf(`+QPINC: "SC",%d,10`, m.pinTries))
	case text == "AT+CREG?":
		m.say(fmt.Sprintf("+CREG: 2,%d,\"00C3\",\"1A2B\",7", m.creg))
	case text == "AT+CEREG?":
		m.say("+CEREG: 2,0")
	case text == "AT+CLCC":
		m.say(`+CLCC: 1,0,0,1,0,"",128`) // the data bearer of LTE
		for _, c := range m.list {
			m.say(fmt.Sprintf(`+CLCC: %d,%d,%d,0,0,"%s",129`, c.index, c.dir, c.stat, c.number))
		}
	case text == "ATA" || strings.HasPrefix(text, "ATD"):
		m.connect(text)
		return
	case text == "AT+CHUP" || text == "ATH":
		m.list = nil
		m.rings++
	case text == "AT+QPCMV=1,0":
		m.sound = true
	case text == "AT+QPCMV=0":
		m.sound = false
	case text == "AT+CEER":
		m.say("+CEER: No cause information available")
	case text == "AT+CCWA=1", text == "AT+CIMI":
		m.say("ERROR")
		return
	case !strings.HasPrefix(text, "AT"):
		return
	}
	m.say("OK")
}

// connect answers or dials.
func (m *module) connect(text string) {
	if text != "ATA" {
		c := &listedCall{index: 2, dir: 0, stat: 2, number: strings.TrimSuffix(text[3:], ";")}
		m.list = append(m.list, c)
		m.say("OK")
		m.later(30*time.Millisecond, func() { m.move(c, 2, 2) })
		m.later(300*time.Millisecond, func() { m.move(c, 3, 7) })
		return
	}
	if len(m.list) == 0 || m.list[0].stat != 4 {
		m.say("NO CARRIER")
		return
	}
	m.rings++
	m.say("OK")
	c := m.list[0]
	m.later(40*time.Millisecond, func() { m.move(c, 0, 3) })
}

// later does f after d unless the module is unplugged.
func (m *module) later(d time.Duration, f func()) {
	port := m.at
	m.wg.Go(func() {
		time.Sleep(d)
		m.mu.Lock()
		defer m.mu.Unlock()
		if m.at == port {
			f()
		}
	})
}

// move brings a call that still is to a new state and reports it, by the numbers of ^DSCI.
func (m *module) move(c *listedCall, stat, dsci int) {
	for _, other := range m.list {
		if other == c {
			c.stat = stat
			m.report(c, dsci)
		}
	}
}

func (m *module) report(c *listedCall, dsci int) {
	if !m.mute {
		m.say(fmt.Sprintf("^DSCI: %d,%d,%d,0,%s,129", c.index, c.dir, dsci, c.number))
	}
}

// call makes somebody call in; it rings every 5 s.
func (m *module) call(from string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := &listedCall{index: 2, dir: 1, stat: 4, number: from}
	m.list = append(m.list, c)
	m.rings++
	m.ring(c, m.rings)
}

func (m *module) ring(c *listedCall, generation int) {
	if m.rings != generation {
		return
	}
	m.say("RING")
	if m.clip >= 0 {
		m.later(m.clip, func() {
			if m.rings == generation {
				m.say(fmt.Sprintf(`+CLIP: "%s",129,"",0,"",0`, c.number))
			}
		})
	}
	m.later(5*time.Second, func() { m.ring(c, generation) })
}

// ringAgain rings once more, with the name before the ring this time.
func (m *module) ringAgain() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.say(fmt.Sprintf(`+CLIP: "%s",129`, m.list[0].number))
	m.say("RING")
}

// pick makes the far end answer our call.
func (m *module) pick() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.move(m.list[0], 0, 3)
}

// end takes the calls off the wire with word as the last.
func (m *module) end(word string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rings++
	list := m.list
	m.list = nil
	for _, c := range list {
		m.report(c, 6)
	}
	if word != "" && !m.mute {
		m.say(word)
	}
}

func (m *module) press(key byte) { m.saying("+QTONEDET: " + strconv.Itoa(int(key))) }

// saying makes the module say something by itself.
func (m *module) saying(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.say(line)
}

func (m *module) set(f func()) {
	m.mu.Lock()
	defer m.mu.Unlock()
	f()
}

// unplug tears both ports out and takes all calls down.
func (m *module) unplug() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.absent, m.list, m.sound = true, nil, false
	m.rings++
	for _, port := range []*end{m.at, m.pcm} {
		if port != nil {
			port.Close()
		}
	}
	m.at, m.pcm = nil, nil
}

func (m *module) plug() { m.set(func() { m.absent = false }) }

// commands are those that came so far that begin with prefix.
func (m *module) commands(prefix string) (found []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, text := range m.sent {
		if strings.HasPrefix(text, prefix) {
			found = append(found, text)
		}
	}
	return found
}

// listen takes the host's sound.
func (m *module) listen(port *end) {
	buf := make([]byte, 320)
	for {
		if _, err := io.ReadFull(port, buf); err != nil {
			return
		}
		m.mu.Lock()
		for i := 0; i < len(buf); i += 2 {
			m.heard = append(m.heard, int16(binary.LittleEndian.Uint16(buf[i:])))
		}
		m.mu.Unlock()
	}
}

// speak sends the far end's tone while the sound is on, 20 ms every 20 ms.
func (m *module) speak(port *end) {
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	at := 0
	for range tick.C {
		m.mu.Lock()
		on, tone, mine := m.sound, m.tone, m.pcm == port
		m.mu.Unlock()
		if !mine {
			return
		}
		if !on {
			continue
		}
		buf := make([]byte, 0, 320)
		for range 160 {
			v := int16(8000 * math.Sin(2*math.Pi*tone*float64(at)/8000))
			buf = binary.LittleEndian.AppendUint16(buf, uint16(v))
			at++
		}
		if _, err := port.Write(buf); err != nil {
			return
		}
	}
}
