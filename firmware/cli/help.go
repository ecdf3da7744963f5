package cli

import (
	"context"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
)

// defaultData is where "make run" and "branchline run" keep the box's folder.
const defaultData = "build/run"

func overview() string {
	var b strings.Builder
	b.WriteString("branchline is a call centre in a box.\n\nusage: branchline COMMAND [ARGUMENTS]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(&b, "  %-11s %s\n", c.name, c.brief)
	}
	b.WriteString(`
branchline help COMMAND tells more, with examples.

Exit codes: 0 done · 1 the box said no, or something broke · 2 wrong usage · 3 no box runs there
`)
	return b.String()
}

// help is all that a person needs for one command.
func (c command) help() string {
	var b strings.Builder
	fmt.Fprintf(&b, "branchline %s: %s\n\nusage: branchline %s\n", c.name, c.brief, strings.TrimSpace(c.name+" "+c.args))
	if c.about != "" {
		fmt.Fprintf(&b, "\n%s\n", strings.TrimSpace(c.about))
	}
	flags := flag.NewFlagSet(c.name, flag.ContinueOnError)
	c.setup(&session{}, flags)
	first := true
	flags.VisitAll(func(f *flag.Flag) {
		if first {
			b.WriteString("\nflags:\n")
			first = false
		}
		value, usage := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" {
			usage += fmt.Sprintf(" (default %s)", f.DefValue)
		}
		fmt.Fprintf(&b, "  %-18s %s\n", strings.TrimSpace("-"+f.Name+" "+value), usage)
	})
	if len(c.examples) > 0 {
		b.WriteString("\nexamples:\n")
		for _, e := range c.examples {
			fmt.Fprintf(&b, "  branchline %s\n", e)
		}
	}
	return b.String()
}

func helpCommand() command {
	return command{
		name: "help", args: "[COMMAND]", brief: "tell about a command",
		examples: []string{"help", "help cdr"},
		setup: func(s *session, _ *flag.FlagSet) action {
			return func(_ context.Context, args []string) error {
				if len(args) == 0 {
					_, err := io.WriteString(s.Stdout, overview())
					return err
				}
				c, err := find(args[0])
				if err != nil {
					return err
				}
				_, err = io.WriteString(s.Stdout, c.help())
				return err
			}
		},
	}
}

func versionCommand() command {
	return command{
		name: "version", brief: "print the program's version",
		setup: func(s *session, _ *flag.FlagSet) action {
			return func(context.Context, []string) error {
				_, err := fmt.Fprintf(s.Stdout, "branchline %s\n", s.Version)
				return err
			}
		},
	}
}

// find is the command of that name, or an error with the nearest name there is.
func find(name string) (command, error) {
	switch name {
	case "-h", "-help", "--help":
		name = "help"
	case "-version", "--version":
		name = "version"
	}
	all := commands()
	if i := slices.IndexFunc(all, func(c command) bool { return c.name == name }); i >= 0 {
		return all[i], nil
	}
	names := make([]string, len(all))
	for i, c := range all {
		names[i] = c.name
	}
	return command{}, &misuse{fmt.Sprintf("there is no command %q%s; see: branchline help", name, didYouMean(name, names))}
}

// didYouMean suggests the nearest name, if one is near enough to be a slip.
func didYouMean(name string, names []string) string {
	best, least := "", 3
	for _, n := range names {
		d := distance(name, n)
		if len(name) > 1 && strings.HasPrefix(n, name) {
			d = 1
		}
		if d < least && d < len(name) {
			best, least = n, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(", did you mean %q?", best)
}

// distance is how many single-letter changes lead from a to b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
