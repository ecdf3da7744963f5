package boot

import (
	"context"
	"errors"

	"branchline/pbx/sip"
	"branchline/ui"
	"branchline/ui/api"
)

// deskPhones lets people command the desk phones.
type deskPhones struct{ line *sip.Phones }

var _ ui.Phones = deskPhones{}

// Resync is ui.Phones'.
func (d deskPhones) Resync(ctx context.Context, extension string, reboot bool) ([]api.PhoneAnswer, error) {
	told, err := d.line.Resync(ctx, extension, reboot)
	if errors.Is(err, sip.ErrNoPhone) {
		return nil, nil
	}
	out := make([]api.PhoneAnswer, 0, len(told))
	for _, t := range told {
		a := api.PhoneAnswer{Contact: t.Contact, Agent: t.Agent, Code: t.Code, Answer: api.Refused}
		switch {
		case t.Code == 0:
			a.Answer = api.Silent
		case t.Code < 300:
			a.Answer = api.Taken
		}
		out = append(out, a)
	}
	return out, err
}
