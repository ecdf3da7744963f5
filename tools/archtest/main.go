// Command archtest holds the shape of the house: who may import whom, and what pure packages do
// without. Run it anywhere in the module, or give it the module's folder:
//
//	go run ./tools/archtest [folder]
//
// It prints each break of a rule with file and line, and ends with 1 where there is one. The rules
// are the tables in rules.go: they grow with the house, and none is loosened in silence. Start there;
// testdata holds a small house for each rule that breaks it.
package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, out, errOut io.Writer) int {
	start := "."
	switch len(args) {
	case 0:
	case 1:
		start = args[0]
	default:
		fmt.Fprintln(errOut, "usage: archtest [folder]")
		return 2
	}
	root, err := moduleRoot(start)
	if err != nil {
		fmt.Fprintln(errOut, "archtest:", err)
		return 2
	}
	breaks, err := check(os.DirFS(root))
	if err != nil {
		fmt.Fprintln(errOut, "archtest:", err)
		return 2
	}
	for _, b := range breaks {
		fmt.Fprintln(out, b)
	}
	if len(breaks) > 0 {
		fmt.Fprintf(out, "archtest: %d breaks of the house's rules\n", len(breaks))
		return 1
	}
	fmt.Fprintln(out, "archtest: the house stands")
	return 0
}

// moduleRoot is the folder at or above dir that holds go.mod.
func moduleRoot(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		above := filepath.Dir(dir)
		if above == dir {
			return "", errors.New("no go.mod here or above; run it inside the module")
		}
		dir = above
	}
}
