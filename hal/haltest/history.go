package haltest

import (
	"fmt"

	"branchline/hal"
)

// checkHistory holds all that a line told against the rules that hold in every test.
func (b *bench) checkHistory() {
	b.Helper()
	name := b.Line.Name()
	legs := make(map[hal.LegID]*story)
	var service hal.Signal
	for _, s := range b.history() {
		switch s := s.(type) {
		case hal.InService:
			if _, ok := service.(hal.InService); ok {
				b.Errorf("InService told twice in a row")
			}
			service = s
		case hal.OutOfService:
			if s.Why == "" {
				b.Errorf("OutOfService without a reason")
			}
			if service == hal.Signal(s) {
				b.Errorf("%+v told twice in a row", s)
			}
			service = s
		}
		if got := s.Line(); got != name && got != "" {
			b.Errorf("%+v is told by line %q", s, name)
		}
		if leg := s.On(); leg != "" {
			if legs[leg] == nil {
				legs[leg] = new(story)
			}
			if wrong := legs[leg].goOn(s); wrong != "" {
				b.Errorf("leg %s: %s: %+v", leg, wrong, s)
			}
		}
	}
}

// story is what has been told of one leg.
type story struct {
	began, incoming, opened, answered, gone bool
}

// goOn takes the next signal of the leg and says what is wrong with it.
func (l *story) goOn(s hal.Signal) string {
	if l.gone {
		return "told after Gone"
	}
	if _, ok := s.(hal.Failed); ok {
		return "" // may answer an order that came before Opened
	}
	first := !l.began
	l.began = true
	switch s := s.(type) {
	case hal.Incoming:
		if !first {
			return "Incoming is not the first"
		}
		l.incoming = true
	case hal.Opened:
		switch {
		case l.opened:
			return "opened twice"
		case !first && !l.incoming:
			return "Opened is not the first"
		case l.incoming && s.Wire == "":
			return "Opened of an incoming leg does not tell the wire's id"
		}
		l.opened = true
	case hal.Progress:
		if l.answered {
			return "Progress after Answered"
		}
		if l.incoming {
			return "Progress of an incoming leg"
		}
	case hal.Answered:
		if l.answered {
			return "answered twice"
		}
		l.answered = true
	case hal.Gone:
		l.gone = true
		if s.Cause == "" {
			return "Gone without a cause"
		}
		return ""
	}
	if first && !l.incoming {
		if _, ok := s.(hal.Opened); !ok {
			return "neither Incoming nor Opened came before"
		}
	}
	return ""
}

func sprintType(v any) string { return fmt.Sprintf("%T", v) }
