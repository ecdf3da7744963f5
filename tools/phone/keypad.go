package main

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"branchline/board/sim/phone"
)

const commands = `  dial NUMBER    call; also a whole sip:user@address:port
  answer         take the call that rings
  reject [CODE]  refuse it (603)
  hangup         end the call, or give it up
  hold, resume   put the other side on hold and take it back
  keys 12#       press keys; info 12# sends them as SIP INFO
  tone HZ        say a tone; 0 is silence
  calls          list the calls
  quit           hang up, sign out, end
`

// show prints one event.
func (d *desk) show(e phone.Event) {
	if d.quiet && e.Kind != phone.SignedOut {
		return
	}
	d.print(e.String())
}

func (d *desk) print(line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	fmt.Fprintln(d.out, line)
}

func (d *desk) say(err error) {
	if err != nil {
		d.print(d.options.User + ": " + err.Error())
	}
}

// command carries out one line and says whether it was quit.
func (d *desk) command(ctx context.Context, words []string) (quit bool) {
	if len(words) == 0 {
		return false
	}
	arg := strings.Join(words[1:], "")
	switch words[0] {
	case "quit", "exit":
		return true
	case "help":
		d.print(strings.TrimRight(commands, "\n"))
	case "dial":
		_, err := d.p.Dial(ctx, arg)
		d.say(err)
	case "calls":
		for _, c := range d.p.Calls() {
			d.print(fmt.Sprintf("%s: %s with %s, %s", d.options.User, c.State(), c.From(), c.ID()))
		}
	default:
		d.say(d.act(words[0], arg))
	}
	return false
}

// act does something to the call that was begun last, or that rings.
func (d *desk) act(verb, arg string) error {
	calls := d.p.Calls()
	if len(calls) == 0 {
		return errors.New("there is no call; help lists the commands")
	}
	c := calls[len(calls)-1]
	switch verb {
	case "answer":
		return c.Answer()
	case "reject":
		code := 603
		if arg != "" {
			var err error
			if code, err = strconv.Atoi(arg); err != nil {
				return fmt.Errorf("reject %s: a code of 400 to 699", arg)
			}
		}
		return c.Reject(code)
	case "hangup":
		return c.Hangup()
	case "hold":
		return c.Hold()
	case "resume":
		return c.Resume()
	case "keys":
		return c.SendKeys(arg)
	case "info":
		return c.SendInfo(arg)
	case "tone":
		hz, err := strconv.ParseFloat(arg, 64)
		if err != nil || hz < 0 || hz >= 4000 {
			return fmt.Errorf("tone %s: 0 to 4000 Hz", arg)
		}
		c.SetTone(hz)
		return nil
	}
	return fmt.Errorf("%s: no such command; help lists them", verb)
}

const listenEvery = 200 * time.Millisecond

// listen tells what the calls hear, when it has been the same twice and is new.
func (d *desk) listen(ctx context.Context) {
	if d.quiet {
		return
	}
	type ear struct{ now, told string }
	ears := map[*phone.Call]*ear{}
	tick := time.NewTicker(listenEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		live := map[*phone.Call]*ear{}
		for _, c := range d.p.Calls() {
			e := ears[c]
			if e == nil {
				e = &ear{told: "silence"}
			}
			live[c] = e
			hears := hearing(c)
			if hears == e.now && hears != e.told {
				e.told = hears
				d.print(d.options.User + ": " + doing(c) + ", hears " + hears)
			}
			e.now = hears
		}
		ears = live
	}
}

func hearing(c *phone.Call) string {
	hz := c.Tone()
	switch {
	case hz > 0:
		return fmt.Sprintf("%.0f Hz", hz)
	case c.Silent():
		return "silence"
	}
	return "voices"
}

func doing(c *phone.Call) string {
	switch s := c.State(); s {
	case phone.Talking:
		return "talks"
	case phone.Holding:
		return "holds"
	case phone.Held:
		return "is held"
	default:
		return "is " + string(s)
	}
}
