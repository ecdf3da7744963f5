package gsm

import (
	"errors"
	"strings"
	"time"

	"branchline/drivers/atmodem"
	"branchline/drivers/gsm/module"
)

type step = atmodem.Step

// script sends the steps one after the other, then calls then. It ends in silence when the module
// goes or starts anew meanwhile.
func (a *actor) script(steps []step, then func()) {
	epoch := a.epoch
	a.at.Script(steps, func() bool { return epoch == a.epoch && a.trouble == nil }, then, a.full)
}

// send queues a command; a full queue is a module that has not answered for minutes.
func (a *actor) send(c atmodem.Command) {
	if err := a.at.Send(c); err != nil {
		a.full(err)
	}
}

func (a *actor) full(err error) {
	if a.trouble == nil {
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
		return func(r atmodem.Reply) { *into = module.Bare(r.Line()) }
	}
	a.at.Resync()
	a.script([]step{
		{Text: "ATZ"}, {Text: "ATE0"}, {Text: "ATV1"}, {Text: "AT+CMEE=1"},
		{Text: "AT+CGMI", Plain: true, Take: line(&maker)},
		{Text: "AT+CGMM", Plain: true, Take: line(&model)},
		{Text: "AT+CGMR", Plain: true, Take: line(&firmware)},
		{Text: "AT+CFUN=1", Limit: 15 * time.Second},
	}, func() { a.identify(maker, model, firmware) })
}

func (a *actor) identify(maker, model, firmware string) {
	p, err := module.Find(a.o.Profile, maker, model)
	if err != nil {
		a.trouble = err
		return
	}
	a.profile = p
	a.log.Info("module found", "maker", maker, "model", model, "firmware", firmware, "profile", p.Name)
	if why := p.Warning(firmware); why != "" {
		a.log.Warn("module with a fault", "firmware", firmware, "why", why)
	}
	a.askPIN()
}

// askPIN asks what the SIM wants.
func (a *actor) askPIN() {
	a.state = simWait
	a.script([]step{{Text: "AT+CPIN?", Expect: "+CPIN:", Limit: 15 * time.Second, Take: a.simSays}}, func() {})
}

// simSays goes on, or says what is wrong with the SIM and asks again later.
func (a *actor) simSays(r atmodem.Reply) {
	switch wish, why, again := module.SIM(module.Bare(r.Line()), r.Code()); wish {
	case module.NoWish:
		a.refused = ""
		a.setUp()
	case module.WantsPIN:
		a.enterPIN()
	default:
		a.waitForSIM(why, again)
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
	case !module.IsPIN(pin):
		a.waitForSIM("the configured PIN is none: a PIN has 4 to 8 digits", again)
		return
	case a.refused == pin:
		a.waitForSIM("the SIM refused the configured PIN; it is not tried again", again)
		return
	}
	left := -1
	var count []step
	if q := a.profile.PIN; q.Query != "" {
		count = []step{{Text: q.Query, Expect: q.Expect, Take: func(r atmodem.Reply) { left = q.Left(atmodem.Fields(r.Line())) }}}
	}
	a.script(count, func() {
		if left >= 0 && left < 2 {
			a.waitForSIM("the SIM has refused a PIN before and has one try left, which the box does not spend", again)
			return
		}
		a.refused = pin
		a.script([]step{{Text: `AT+CPIN="` + pin + `"`, Limit: 15 * time.Second, Take: func(r atmodem.Reply) {
			if errors.Is(r.Err, atmodem.ErrRefused) {
				a.waitForSIM("the SIM refused the configured PIN; it is not tried again", again)
				return
			}
			a.state, a.retryAt = simWait, time.Now().Add(500*time.Millisecond)
		}}}, func() {})
	})
}

// setUp tells the module how to behave, first by 3GPP TS 27.007 and 27.005, then by its profile, and
// puts its wire at rest.
func (a *actor) setUp() {
	a.state, a.retryAt = settingUp, time.Time{}
	var steps []step
	for _, text := range append(module.Standard(), a.profile.Init...) {
		steps = append(steps, step{Text: text, Plain: true})
	}
	for _, must := range a.profile.Must {
		prefix, _, _ := strings.Cut(must.Want, ":")
		steps = append(steps, step{Text: must.Query, Expect: prefix + ":", Take: func(r atmodem.Reply) {
			if !strings.HasPrefix(strings.ReplaceAll(r.Line(), " ", ""), must.Want) {
				a.trouble = errors.New(must.Why)
			}
		}})
	}
	resting := true
	steps = append(steps,
		step{Text: hangUpAll, Limit: hangUpLimit},
		step{Text: "ATH", Limit: hangUpLimit},
		step{Text: listCalls, Expect: "+CLCC:", Take: func(r atmodem.Reply) {
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
	steps := []step{{Text: "AT+CREG?", Expect: "+CREG:", Take: take}, {Text: "AT+CEREG?", Expect: "+CEREG:", Take: take}}
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
	known, why := module.HasNetwork(a.networks)
	switch {
	case known:
		a.state = ready
		a.inService()
	case a.serving && a.lostAt.IsZero():
		a.state, a.lostAt = registering, time.Now()
		a.retryAt = time.Now().Add(searchEvery)
	case !a.serving && !news:
		a.outOfService(why)
	}
}
