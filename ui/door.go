package ui

import (
	"context"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"branchline/ui/api"
)

// Door is the guard of the SIP doors: the desk phones' and those of trunks.
type Door interface {
	// Sources are those that something speaks against, who is kept away first.
	Sources() []api.GuardSource
	// Forgive takes a source back in, at all doors; false: nothing speaks against it. Ban keeps it away for that long;
	// phones that are signed in there stay.
	Forgive(a netip.Addr) bool
	Ban(a netip.Addr, length time.Duration)
}

type guardOut struct{ Body []api.GuardSource }

type guardIn struct {
	Address string `path:"address" maxLength:"64"`
}

type guardBanIn struct {
	Address string `path:"address" maxLength:"64"`
	Body    api.GuardBan
}

// addDoor is who is kept away from the SIP door.
func (h *Handler) addDoor(to huma.API) {
	huma.Register(to, huma.Operation{
		OperationID: "guard", Method: http.MethodGet, Path: "/api/v1/guard",
		Summary: "Who is kept away from the SIP door, or has something against him",
	}, func(context.Context, *struct{}) (*guardOut, error) { return &guardOut{h.box.Door.Sources()}, nil })
	huma.Register(to, act("guard-forgive", "/api/v1/guard/{address}/forgive", "Take a source back in and forget what speaks against it"),
		func(_ context.Context, in *guardIn) (*struct{}, error) {
			a, err := address(in.Address)
			if err == nil && !h.box.Door.Forgive(a) {
				err = notFound(fmt.Sprintf("nothing speaks against %s", a), "see who is kept away: GET /api/v1/guard, or branchline guard")
			}
			return nil, err
		})
	huma.Register(to, withBody(act("guard-ban", "/api/v1/guard/{address}/ban", "Keep a source away; phones that are signed in there stay")),
		func(_ context.Context, in *guardBanIn) (*struct{}, error) {
			a, err := address(in.Address)
			if err == nil {
				h.box.Door.Ban(a, time.Duration(in.Body.Minutes)*time.Minute)
			}
			return nil, err
		})
}

func address(s string) (netip.Addr, error) {
	a, err := netip.ParseAddr(s)
	if p, wrong := netip.ParsePrefix(s); err != nil && wrong == nil {
		return p.Addr(), nil // as the list shows the source of IPv6 addresses
	}
	if err != nil {
		return a, problem(http.StatusUnprocessableEntity, fmt.Sprintf("%q is no address", s), "write it as in 203.0.113.7")
	}
	return a, nil
}
