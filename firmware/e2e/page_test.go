package e2e

import (
	"context"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"branchline/board/sim/phone"
)

// The page in a real browser: ui/web/test/page.mjs is the person before it.
func TestPersonUsesThePage(t *testing.T) {
	r := start(t)
	ana := r.phone("201", func(o *phone.Options) { o.Tone = 1000; o.Auto = phone.AnswerAfter(500 * time.Millisecond) })
	r.signIn(ana, "1001", "4711")
	r.lineUp("gsm1")
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	person := exec.CommandContext(ctx, "node", "test/page.mjs", r.box.Page())
	person.Dir = "../../ui/web"
	person.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // the browser ends with it
	person.Cancel = func() error { return syscall.Kill(-person.Process.Pid, syscall.SIGKILL) }
	person.WaitDelay = 5 * time.Second
	out, err := person.CombinedOutput()
	t.Logf("page.mjs:\n%s", out)
	if err != nil {
		t.Errorf("page.mjs: %v; `make deps` installs node's packages and Chromium", err)
	}
}
