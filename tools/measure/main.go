// Command measure prints the size and the state of each package: documentation, long functions, big
// files, and what the style sheet does without. Run it anywhere in the module, or give it the module's
// folder:
//
//	go run ./tools/measure [-strict] [-v] [folder]
//
// It is a report and ends with 0. With -strict it names what is past a limit and ends with 1 where
// there is something. Tests are not measured, nor are packages that only tests import. Start at limits.
package main

import (
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, errOut io.Writer) int {
	flags := flag.NewFlagSet("measure", flag.ContinueOnError)
	flags.SetOutput(errOut)
	strict := flags.Bool("strict", false, "end with 1 where a limit is passed")
	verbose := flags.Bool("v", false, "name what is past a limit")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	folder := "."
	switch flags.NArg() {
	case 0:
	case 1:
		folder = flags.Arg(0)
	default:
		fmt.Fprintln(errOut, "usage: measure [-strict] [-v] [folder]")
		return 2
	}
	packages, err := measure(os.DirFS(folder))
	if err != nil {
		fmt.Fprintln(errOut, "measure:", err)
		return 2
	}
	table(out, packages)
	var past []string
	for _, p := range packages {
		past = append(past, p.past()...)
	}
	if *strict || *verbose {
		for _, line := range past {
			fmt.Fprintln(out, line)
		}
	}
	if *strict && len(past) > 0 {
		fmt.Fprintf(out, "measure: %d past the limits of the style sheet\n", len(past))
		return 1
	}
	return 0
}

// table prints a line per package and one for all of them.
func table(out io.Writer, packages []*pkg) {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(cells ...any) {
		for _, c := range cells {
			fmt.Fprintf(w, "%v\t", c)
		}
		fmt.Fprintln(w)
	}
	row("lines", "doc", "types", "exported", "with doc", "functions > 60", "files > 500", "vars", "init", "go", " package")
	var all pkg
	documented := 0
	for _, p := range packages {
		row(p.lines, yes(p.doc), p.types, p.exported, share(p.exported-len(p.bare), p.exported), len(p.long), len(p.big), len(p.vars), len(p.inits), p.spawns, " "+p.path)
		all.add(p)
		if p.doc {
			documented++
		}
	}
	row(all.lines, fmt.Sprintf("%d/%d", documented, len(packages)), all.types, all.exported, share(all.exported-len(all.bare), all.exported), len(all.long), len(all.big), len(all.vars), len(all.inits), all.spawns, fmt.Sprintf(" %d packages", len(packages)))
	w.Flush()
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "NO"
}

func share(part, whole int) string {
	if whole == 0 {
		return "-"
	}
	return strings.TrimSuffix(fmt.Sprintf("%.1f", 100*float64(part)/float64(whole)), ".0") + "%"
}
