// Command branchline is the firmware of the box, and the client of a box that runs.
package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	_ "time/tzdata" // sites are anywhere, and the image has no zone files

	"branchline/firmware/boot"
	"branchline/firmware/cli"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Main(ctx, os.Args[1:], cli.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Version: boot.Version(), Run: run,
	}))
}

// spare is how many more threads than processors may run Go code. The sound's thread, back from its
// wait, then finds a place free at once, where others keep all processors busy or were put aside by
// the kernel in the middle of their work; on the processor it comes first by its nice value.
const spare = 2

// run is the command of that name: the box itself.
func run(ctx context.Context, o cli.RunOptions) error {
	runtime.GOMAXPROCS(runtime.GOMAXPROCS(0) + spare)
	level := slog.LevelInfo
	if o.Verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	box, err := boot.New(boot.Options{Board: o.Board, Data: o.Data, Seed: o.Config, Version: boot.Version(), Log: log})
	if err != nil {
		return err
	}
	fmt.Printf("branchline %s runs on board %s in %s\nits page: %s\n", boot.Version(), o.Board, o.Data, box.Page())
	return box.Run(ctx)
}
