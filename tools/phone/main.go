// Command phone is a SIP desk phone for the terminal: to try the box, to be an agent in `make run`,
// and for scripts. It says in words what happens, one line each, and takes commands on its standard
// input. All that it can do is board/sim/phone; this is its keypad. Start reading at run.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
