package sip

import (
	"branchline/hal"
	"branchline/pbx/sip/registrar"
	"branchline/pbx/sip/wire"
)

// Lost handles the end of a phone's connection: nobody is reached by it any more. A call that stands goes
// on, for its sound does not run there, and the phone may come back; one that rings here cannot be answered.
func (d *desk) Lost(flow wire.Flow) {
	changes := d.reg.Lost(flow)
	for _, l := range d.calls {
		switch {
		case l.over:
		case l.invite != nil && l.invite.Flow == flow && !l.answered:
			l.hangup(hal.WireTrouble)
		case l.dialog != nil && l.dialog.Flow == flow:
			for _, c := range changes {
				if c.Binding.Extension == l.extension {
					l.stranded = &c.Binding
				}
			}
		}
	}
	d.changed(changes, "its connection is gone")
}

// moved takes the calls of a phone along that has signed in from elsewhere, or by a new connection:
// where it was it is not heard any more. Its sound moves when its sound comes from elsewhere.
func (d *desk) moved(c registrar.Change) {
	if c.Gone {
		return
	}
	for _, l := range d.calls {
		if l.extension != c.Binding.Extension || l.dialog == nil {
			continue
		}
		left := c.Was.Local.IsValid() && l.dialog.Flow == c.Was
		if left || l.stranded != nil && l.stranded.SamePhone(c.Binding) {
			l.dialog.Move(c.Binding.Flow())
			l.stranded = nil
		}
	}
}
