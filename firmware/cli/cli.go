// Package cli is the program's commands: one starts the box, the others are clients of a running
// box over the unix socket in its folder, by the same API that the page uses.
//
// It promises scripts stable exit codes (OK, Failed, Misused, NoBox), JSON on --json with UTC
// times, and text without colours where the output is not a terminal. It reads no environment and
// keeps no state. Start reading at Main, then commands.
package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"time"
)

// What Main returns.
const (
	OK      = 0 // done
	Failed  = 1 // the box said no, or something broke; what to do is on standard error
	Misused = 2 // the command line makes no sense
	NoBox   = 3 // no box runs in that folder
)

// Env is what the commands have of the world.
type Env struct {
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Version string
	Now     func() time.Time // nil: the clock
	// Run starts the box and returns when ctx ends (nil) or the box cannot go on.
	Run func(ctx context.Context, o RunOptions) error
}

// RunOptions are the flags of "branchline run".
type RunOptions struct {
	Board   string // which hardware: sim
	Data    string // folder of everything that the box keeps
	Config  string // configuration for a fresh folder; "": the built-in one
	Verbose bool   // debug log
}

// Main runs the command that args name, the program's own name left out, and returns its exit
// code. It ends early when ctx does.
func Main(ctx context.Context, args []string, env Env) int {
	if env.Now == nil {
		env.Now = time.Now
	}
	if len(args) == 0 {
		io.WriteString(env.Stderr, overview())
		return Misused
	}
	c, err := find(args[0])
	if err == nil {
		err = c.run(ctx, &session{Env: env}, args[1:])
	}
	return report(env.Stderr, err)
}

// report says err, each line of it on its own, and gives the exit code that belongs to it.
func report(w io.Writer, err error) int {
	var misused *misuse
	switch {
	case err == nil:
		return OK
	case errors.Is(err, errSilent):
		return Failed
	}
	fmt.Fprintf(w, "branchline: %v\n", err)
	switch {
	case errors.As(err, &misused):
		return Misused
	case errors.Is(err, errNoBox):
		return NoBox
	default:
		return Failed
	}
}

var (
	errNoBox = errors.New("no box runs")
	// errSilent fails a command that has said everything already.
	errSilent = errors.New("failed")
)

// misuse is a command line that makes no sense.
type misuse struct{ what string }

func (m *misuse) Error() string { return m.what }

func misused(command, format string, args ...any) error {
	return &misuse{fmt.Sprintf(format, args...) + fmt.Sprintf("; see: branchline help %s", command)}
}

// session is one run of one command.
type session struct {
	Env
	data string // the box's folder

	chinese bool // what is wrong in a configuration is told in Chinese
}

// command is one word of the program.
type command struct {
	name     string
	args     string // what may follow the name
	brief    string // one line
	about    string // what a person must know beyond that
	examples []string
	// setup declares flags and returns what the command does with the arguments that are left.
	setup func(s *session, flags *flag.FlagSet) action
}

type action func(ctx context.Context, args []string) error

func (c command) run(ctx context.Context, s *session, args []string) error {
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	act := c.setup(s, flags)
	rest, err := parse(flags, args)
	if errors.Is(err, flag.ErrHelp) {
		_, err = io.WriteString(s.Stdout, c.help())
		return err
	}
	if err != nil {
		return misused(c.name, "%s: %v", c.name, err)
	}
	return act(ctx, rest)
}

// parse takes flags before, between and after the other arguments.
func parse(flags *flag.FlagSet, args []string) (rest []string, err error) {
	for {
		if err := flags.Parse(args); err != nil {
			return nil, err
		}
		if args = flags.Args(); len(args) == 0 {
			return rest, nil
		}
		rest, args = append(rest, args[0]), args[1:]
	}
}

// commands are all words, in the order of the overview.
func commands() []command {
	return []command{
		runCommand(), statusCommand(), followCommand(), callsCommand(), cdrCommand(),
		linesCommand(), agentsCommand(), queuesCommand(), phoneCommand(), configCommand(), certificateCommand(), hangupCommand(),
		guardCommand(), scenarioCommand(), traceCommand(), simCommand(), versionCommand(), helpCommand(),
	}
}
