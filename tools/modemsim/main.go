// Command modemsim runs simulated LTE modems on ptys, with a toy telephone network behind them
// that is driven by lines on its input. It is a thin main over board/sim/modem and
// board/sim/network; run it with -h for examples.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"branchline/board/sim/modem"
	"branchline/board/sim/network"
)

const help = `modemsim runs simulated modems (Quectel EC25, SIMCom SIM7600, Huawei E173): per modem one pty that speaks AT and one with
8 kHz sound, and a telephone network in which persons outside follow scripts.

  modemsim -dir DIR [-number +49...,+49...] [-model EC25] [-pin 1234] [-ledger FILE] [-v]

It prints the paths of the ptys, then takes lines on its input until it ends:

  call from=+4930123456; wait 1s; tone 440; key 1; wait 10s; hangup
  call +4915100000001 from=withheld; patience 15s       (the first modem where no number is given)
  person 030111 answer after 3s; tone 700; hangup after 20s
  person 030222 busy          (or: no answer, reject, unallocated, switched off, congestion)
  key 5 | tone 440 | hangup   what the caller of the last call does now
  calls                       how all calls stand
  fault vanish | return | powercut | nosignal | signal | mute | unmute | halfline
  fault lose NO CARRIER       the next such line is not written
  fault garbage \xff\x00RI    bytes on the AT port
  quit

Examples:
  modemsim -dir /run/sim                      one modem; then: minicom -D /run/sim/1/at
  (echo 'call tone 440'; cat) | modemsim -dir /run/sim -ledger calls.jsonl

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return
	case err != nil:
		fmt.Fprintln(os.Stderr, "modemsim:", err)
		stop()
		os.Exit(1)
	}
}

// run is the program; it returns when ctx or the input ends.
func run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer) error {
	flags := flag.NewFlagSet("modemsim", flag.ContinueOnError)
	flags.SetOutput(errs)
	flags.Usage = func() {
		fmt.Fprint(errs, help)
		flags.PrintDefaults()
	}
	dir := flags.String("dir", "", "folder for the symlinks to the ptys: DIR/1/at, DIR/1/pcm, DIR/2/at …")
	numbers := flags.String("number", "+4915100000001", "numbers of the SIMs, with commas between: one modem for each")
	model := flags.String("model", "EC25", "EC25, SIM7600 or E173")
	pin := flags.String("pin", "", "PIN of the SIMs")
	ledger := flags.String("ledger", "", "file to which every event is added as a line of JSON")
	verbose := flags.Bool("v", false, "log what happens")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if *dir == "" {
		return errors.New("where shall the ptys be? -dir DIR (-h shows examples)")
	}
	level := slog.LevelWarn
	if *verbose {
		level = slog.LevelDebug
	}
	log := slog.New(slog.NewTextHandler(errs, &slog.HandlerOptions{Level: level}))
	s := &simulator{net: network.New(log), out: out, log: log}
	defer s.net.Close()
	if *ledger != "" {
		f, err := os.OpenFile(*ledger, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		defer f.Close()
		s.net.LedgerTo(f)
	}
	if err := s.open(*dir, *numbers, modem.Options{Model: *model, PIN: *pin}); err != nil {
		return err
	}
	return s.live(ctx, in)
}

// live runs the modems and does what the input says, until ctx or the input ends.
func (s *simulator) live(ctx context.Context, in io.Reader) error {
	ctx, stop := context.WithCancel(ctx)
	var modems sync.WaitGroup
	for _, m := range s.modems {
		modems.Go(func() {
			if err := m.modem.Run(ctx); err != nil {
				s.log.Error("simulated modem", "number", m.number, "err", err)
			}
		})
	}
	defer modems.Wait()
	defer stop()
	lines := readLines(ctx, in)
	for {
		select {
		case <-ctx.Done():
			return nil
		case line, more := <-lines:
			if !more || line == "quit" {
				return nil
			}
			if err := s.do(line); err != nil {
				fmt.Fprintln(s.out, "error:", err)
			}
		}
	}
}

type simulated struct {
	number string
	modem  *modem.Modem
}
