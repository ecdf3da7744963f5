package ui

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"branchline/pbx/config"
	"branchline/ui/api"
)

// Phones are the desk phones as a person may command them.
type Phones interface {
	// Resync asks the phones of an extension to fetch their settings anew, and to restart if reboot says so.
	// It returns when each has answered, or ctx has ended; none: nobody is signed in there.
	Resync(ctx context.Context, extension string, reboot bool) ([]api.PhoneAnswer, error)
}

// resyncPatience is how long phones have for an answer.
const resyncPatience = 5 * time.Second

type resyncIn struct {
	Extension string `path:"extension" maxLength:"40"`
	Reboot    bool   `query:"reboot" doc:"the phone shall restart, not only fetch its settings"`
	Who       string `query:"who" default:"local" maxLength:"80"`
}

type resyncOut struct {
	Body []api.PhoneAnswer
}

func (h *Handler) addPhones(to huma.API) {
	if h.box.Phones == nil {
		return
	}
	op := act("phones-resync", "/api/v1/phones/{extension}/resync", "Ask the phones of an extension to fetch their settings anew")
	op.DefaultStatus = http.StatusOK
	huma.Register(to, op, h.resync)
}

func (h *Handler) resync(ctx context.Context, in *resyncIn) (*resyncOut, error) {
	doc, _, _ := h.box.Configuration.Current()
	if !slices.ContainsFunc(doc.Extensions, func(e config.Extension) bool { return e.Number == in.Extension }) {
		return nil, notFound(fmt.Sprintf("there is no extension %q", in.Extension), "see which there are: branchline config show")
	}
	ctx, cancel := context.WithTimeout(ctx, resyncPatience)
	defer cancel()
	answers, err := h.box.Phones.Resync(ctx, in.Extension, in.Reboot)
	if err != nil {
		return nil, broken("ask the phones", err)
	}
	if len(answers) == 0 {
		return nil, problem(http.StatusConflict, fmt.Sprintf("no phone of extension %s is signed in", in.Extension),
			"switch it on and wait until it has signed in: branchline follow")
	}
	h.log.Info("phones asked to fetch their settings", "extension", in.Extension, "reboot", in.Reboot, "by", in.Who)
	return &resyncOut{answers}, nil
}
