package gsm

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"branchline/drivers/atmodem"
	"branchline/drivers/gsm/module"
)

// step is one command of a set-up. What is refused is passed over.
type step struct {
	text   string
	expect string // prefix of its information line, "" for none
	plain  bool
	limit  time.Duration
	take   func(atmodem.Reply) // told the answer, also a refusal; nil: nobody cares
}

// script sends the steps one after the other, then calls then. It ends in silence when the module
// goes or starts anew meanwhile.
func (a *actor) script(steps []step, then func()) {
	if len(steps) == 0 {
		then()
		return
	}
	s, epoch := steps[0], a.epoch
	c := atmodem.Command{Text: s.text, Plain: s.plain, Limit: s.limit, Class: atmodem.Control}
	if s.expect != "" {
		c.Expect = []string{s.expect}
	}
	c.Done = func(r atmodem.Reply) {
		if epoch != a.epoch || a.trouble != nil {
			return
		}
		if r.Err != nil {
			a.log.Debug("passed over", "err", r.Err)
		}
		if s.take != nil {
			s.take(r)
		}
		if a.trouble == nil {
			a.script(steps[1:], then)
		}
	}
	a.send(c)
}

// send queues a command; a full queue is a module that has not answered for minutes.
func (a *actor) send(c atmodem.Command) {
	if err := a.at.Send(c); err != nil && a.trouble == nil {
		a.trouble = err
	}
}

// probe begins the conversation, up to the question what the module is.
func (a *actor) probe() {
	a.epoch++
	a.state, a.retryAt = probing, time.Time{}
	clear(a.networks)
	a.at = atmodem.New(a.wire.at, a.log, a.news)
	for _, p := range module.Profiles() {
		a.at.Know(p.News...) // before we know which module it is
	}
	var maker, model, firmware string
	line := func(into *string) func(atmodem.Reply) {
		return func(r atmodem.Reply) { *into = bare(r.Line()) }
	}
	a.at.Resync()
	a.script([]step{
		{text: "ATZ"}, {text: "ATE0"}, {text: "ATV1"}, {text: "AT+CMEE=1"},
		{text: "AT+CGMI", plain: true, take: line(&maker)},
		{text: "AT+CGMM", plain: true, take: line(&model)},
		{text: "AT+CGMR", plain: true, take: line(&firmware)},
		{text: "AT+CFUN=1", limit: 15 * time.Second},
	}, func() { a.identify(maker, model, firmware) })
}

// bare is an answer without the prefix that some modules put before it: "+CGMI: ".
func bare(line string) string {
	if strings.HasPrefix(line, "+") {
		_, line, _ = strings.Cut(line, ":")
	}
	return strings.Trim(line, ` "`)
}

func (a *actor) identify(maker, model, firmware string) {
	p, ok := module.Find(a.o.Profile, maker, model)
	if !ok {
		a.trouble = fmt.Errorf("module %q %q is not known; say in the configuration which profile fits", maker, model)
		return
	}
	a.profile = p
	a.log.Info("module found", "maker", maker, "model", model, "firmware", firmware, "profile", p.Name)
	a.askPIN()
}

// askPIN asks what the SIM wants.
func (a *actor) askPIN() {
	a.state = simWait
	a.script([]step{{text: "AT+CPIN?", expect: "+CPIN:", limit: 15 * time.Second, take: a.simSays}}, func() {})
}

// simSays goes on, or says what is wrong with the SIM and asks again later. Error numbers: 3GPP
// TS 27.007 clause 9.2; 515 is the makers' "please wait".
func (a *actor) simSays(r atmodem.Reply) {
	says := bare(r.Line())
	switch code := r.Code(); {
	case r.Err == nil && says == "READY":
		a.refused = ""
		a.setUp()
	case says == "SIM PIN" || code == 11:
		a.enterPIN()
	case strings.HasPrefix(says, "SIM PUK") || code == 12:
		a.waitForSIM("the SIM is locked and wants its PUK: put it into a telephone and unlock it there", 30*time.Second)
	case says == "NOT INSERTED" || code == 10:
		a.waitForSIM("there is no SIM in the slot", 5*time.Second)
	case code == 13 || code == 15:
		a.waitForSIM("the SIM does not work: is it the right way round?", 10*time.Second)
	case says != "" && says != "NOT READY":
		a.waitForSIM("the SIM wants something that the box does not know: "+says, 30*time.Second)
	default: // 14 busy, 515, no answer
		a.waitForSIM("the SIM is not ready yet", time.Second)
	}
}

func (a *actor) waitForSIM(why string, again time.Duration) {
	a.state, a.retryAt = simWait, time.Now().Add(again)
	a.outOfService(why)
}

// enterPIN tries the PIN once. It never spends the SIM's last try, whoever spent the others: the
// count outlives a restart of the box, our memory of a refusal does not.
func (a *actor) enterPIN() {
	const again = 30 * time.Second
	pin := a.o.PIN
	switch {
	case pin == "":
		a.waitForSIM("the SIM wants a PIN and none is configured", again)
		return
	case len(pin) < 4 || len(pin) > 8 || strings.Trim(pin, "0123456789") != "":
		a.waitForSIM("the configured PIN is none: a PIN has 4 to 8 digits", again)
		return
	case a.refused == pin:
		a.waitForSIM("the SIM refused the configured PIN; it is not tried again", again)
		return
	}
	left := -1
	count := step{text: a.profile.PINTries, expect: "+QPINC:", take: func(r atmodem.Reply) {
		if f, ok := module.Numbers(skip(atmodem.Fields(r.Line()), 1), 1); ok {
			left = f[0]
		}
	}}
	a.script([]step{count}, func() {
		if left >= 0 && left < 2 {
			a.waitForSIM("the SIM has refused a PIN before and has one try left, which the box does not spend", again)
			return
		}
		a.refused = pin
		a.script([]step{{text: `AT+CPIN="` + pin + `"`, limit: 15 * time.Second, take: func(r atmodem.Reply) {
			if errors.Is(r.Err, atmodem.ErrRefused) {
				a.waitForSIM("the SIM refused the configured PIN; it is not tried again", again)
				return
			}
			a.state, a.retryAt = simWait, time.Now().Add(500*time.Millisecond)
		}}}, func() {})
	})
}

func skip(f []string, n int) []string { return f[min(n, len(f)):] }

// setUp tells the module how to behave, first by 3GPP TS 27.007 and 27.005, then by its profile, and
// puts its wire at rest.
func (a *actor) setUp() {
	a.state, a.retryAt = settingUp, time.Time{}
	steps := []step{
		{text: "AT+CIMI", plain: true},
		{text: "AT+CREG=2"}, {text: "AT+CEREG=2"}, {text: "AT+CGREG=2"}, {text: "AT+COPS=3,2"},
		{text: "AT+CLIP=1"},
		{text: "AT+CRC=0"}, // a program before us may have left 1
		{text: "AT+CCWA=1"}, {text: "AT+CSSN=1,1"},
		{text: "AT+CVHU=0"}, // so that ATH ends voice calls
		{text: "AT+CMGF=0"}, {text: `AT+CPMS="SM","SM","SM"`, expect: "+CPMS:"}, {text: "AT+CNMI=2,1,0,2,0"},
	}
	for _, text := range a.profile.Init {
		steps = append(steps, step{text: text})
	}
	resting := true
	steps = append(steps,
		step{text: hangUpAll, limit: hangUpLimit},
		step{text: "ATH", limit: hangUpLimit},
		step{text: listCalls, expect: "+CLCC:", take: func(r atmodem.Reply) {
			for _, line := range r.Lines {
				e, voice, ok := module.Listed(line)
				resting = resting && !(ok && voice && e.Stat != module.Incoming && e.Stat != module.Waiting)
			}
		}})
	a.script(steps, func() {
		if !resting {
			a.trouble = errors.New("a call from before cannot be hung up")
			return
		}
		a.state = registering
		a.askNetwork()
	})
}

// askNetwork asks whether the network knows us. It is also how a dead module is noticed.
func (a *actor) askNetwork() {
	a.retryAt = time.Time{}
	take := func(r atmodem.Reply) {
		for _, line := range r.Lines {
			a.heardNetwork(line)
		}
	}
	steps := []step{{text: "AT+CREG?", expect: "+CREG:", take: take}, {text: "AT+CEREG?", expect: "+CEREG:", take: take}}
	a.script(steps, func() {
		a.network(false)
		a.retryAt = time.Now().Add(searchEvery)
		if a.state == ready {
			a.retryAt = time.Now().Add(readyEvery)
			a.poll()
		}
	})
}

func (a *actor) heardNetwork(line string) {
	name, _, _ := strings.Cut(line, ":")
	if s, ok := module.Registration(line); ok {
		a.networks[name] = s
	}
}

// network goes by what is known of the networks; news says that only a part of it is fresh.
func (a *actor) network(news bool) {
	if a.state != ready && a.state != registering {
		return
	}
	known := false
	for _, s := range a.networks {
		known = known || s == 1 || s == 5 // home, roaming
	}
	switch {
	case known:
		a.state = ready
		a.inService()
	case a.serving && a.lostAt.IsZero():
		a.state, a.lostAt = registering, time.Now()
		a.retryAt = time.Now().Add(searchEvery)
	case !a.serving && !news:
		a.outOfService(a.noNetwork())
	}
}

// noNetwork says why the network does not carry calls: 3GPP TS 27.007 clause 7.2.
func (a *actor) noNetwork() string {
	for _, name := range []string{"+CREG", "+CEREG"} {
		switch a.networks[name] {
		case 3:
			return "the network refuses this SIM"
		case 6, 7:
			return "the network carries only texts for this SIM"
		case 8, 11:
			return "the network allows emergency calls only"
		}
	}
	return "searching for a network: is the antenna plugged in?"
}
