package cli_test

import (
	"context"
	"strings"
	"testing"

	"branchline/firmware/cli"
	"branchline/ui/uitest"
)

func TestMessagesAreFollowedUntilCtrlC(t *testing.T) {
	start(t, uitest.New())
	for args, want := range map[string]string{
		"trace":           "INVITE                       1 INVITE           201 to 202  PCMU,PCMA 192.0.2.7:4000 sendrecv\n",
		"trace -only 202": "udp -> 192.0.2.8:5060",
	} {
		ctx, cancel := context.WithCancel(t.Context())
		out := safeBuffer{after: cancel, lines: 8}
		if code := cli.Main(ctx, strings.Fields(args), cli.Env{Stdout: &out, Stderr: &out, Now: uitest.Now}); code != cli.OK {
			t.Errorf("%s: exit %d: %s", args, code, out.String())
		}
		if got := out.String(); !strings.Contains(got, want) || strings.Count(got, "\n") != 8 {
			t.Errorf("%s: %s", args, got)
		}
		cancel()
	}
}
