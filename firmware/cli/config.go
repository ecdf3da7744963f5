package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"

	"branchline/pbx/config"
	"branchline/ui"
	"branchline/ui/api"
)

const (
	yamlType  = "application/yaml"
	maxConfig = 1 << 20 // bytes that the box takes
)

func configCommand() command {
	return command{
		name: "config", args: "show [VERSION] | check FILE | apply FILE | history | diff FROM [TO] | rollback VERSION [-lang LANGUAGE] [-json] [-data DIR]",
		brief: "show, check, replace or take back the configuration of the running box",
		about: `apply replaces the whole configuration, or nothing if anything in it is wrong; calls go on.
Every version is kept with who and when; rollback puts an earlier one in force again, as a new
version. check also works where no box runs. FILE - is standard input. Each thing that is wrong is
told on a line of its own: where, what, and what to do; the exit code is then 1.`,
		examples: []string{"config show > box.yaml", "config check box.yaml", "config apply box.yaml", "config history", "config diff 3", "config rollback 3", "config check -lang zh-CN box.yaml"},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			asJSON := flags.Bool("json", false, "print JSON (all but show)")
			lang := flags.String("lang", "en", "`LANGUAGE` of what is wrong: en or zh-CN")
			return func(ctx context.Context, args []string) error {
				if s.chinese = *lang == "zh-CN"; !s.chinese && *lang != "en" {
					return misused("config", "config speaks en and zh-CN, not %q", *lang)
				}
				return s.configure(ctx, args, *asJSON)
			}
		},
	}
}

// configure does what the words after "config" say.
func (s *session) configure(ctx context.Context, args []string, asJSON bool) error {
	acts := []string{"show", "check", "apply", "history", "diff", "rollback"}
	if len(args) == 0 {
		return misused("config", "config needs one of: show [VERSION], check FILE, apply FILE, history, diff FROM [TO], rollback VERSION")
	}
	act, rest := args[0], args[1:]
	wants := map[string][2]int{"show": {0, 1}, "check": {1, 1}, "apply": {1, 1}, "history": {0, 0}, "diff": {1, 2}, "rollback": {1, 1}}
	n, known := wants[act]
	switch {
	case !known:
		return misused("config", "config cannot %q%s", act, didYouMean(act, acts))
	case len(rest) < n[0]:
		return misused("config", "config %s needs one %s", act, map[bool]string{true: "FILE", false: "VERSION"}[act == "check" || act == "apply"])
	case len(rest) > n[1]:
		return misused("config", "config %s takes no %q", act, rest[n[1]])
	}
	switch act {
	case "show":
		return s.showConfig(ctx, rest)
	case "check":
		return s.checkConfig(ctx, rest[0], asJSON)
	case "apply":
		return s.applyConfig(ctx, rest[0], asJSON)
	case "history":
		return s.configHistory(ctx, asJSON)
	case "diff":
		return s.configDiff(ctx, rest, asJSON)
	}
	return s.configRollback(ctx, rest[0], asJSON)
}

func (s *session) showConfig(ctx context.Context, version []string) error {
	path := "config"
	if len(version) > 0 {
		if _, err := strconv.ParseUint(version[0], 10, 64); err != nil {
			return misused("config", "config show: %q is no version; `branchline config history` lists them", version[0])
		}
		path = "config/versions/" + version[0]
	}
	var raw []byte
	if err := s.box().get(ctx, path, nil, &raw); err != nil {
		return err
	}
	_, err := s.Stdout.Write(raw)
	return err
}

func (s *session) checkConfig(ctx context.Context, file string, asJSON bool) error {
	text, err := s.readFile(file)
	if err != nil {
		return err
	}
	var checked api.Checked
	err = s.box().ask(ctx, http.MethodPost, "config/check", nil, yamlType, text, &checked)
	if errors.Is(err, errNoBox) {
		checked, err = checkAlone(text), nil
		fmt.Fprintf(s.Stderr, "No box runs in %s: its slots, prompts and time zones are not checked.\n", s.data)
	}
	if err != nil {
		return err
	}
	if asJSON {
		err = s.printJSON(checked)
	} else {
		err = s.writeFaults(file, checked.Faults)
		if checked.OK && err == nil {
			_, err = fmt.Fprintf(s.Stdout, "%s: nothing is wrong.\n", file)
		}
	}
	if err == nil && !checked.OK {
		return errSilent
	}
	return err
}

// checkAlone judges the document without a box: before the first run of one.
func checkAlone(text []byte) api.Checked {
	_, wrong := config.Check(text)
	return api.Checked{OK: len(wrong) == 0, Faults: ui.Faults(wrong)}
}

func (s *session) applyConfig(ctx context.Context, file string, asJSON bool) error {
	text, err := s.readFile(file)
	if err != nil {
		return err
	}
	var applied api.Applied
	err = s.box().ask(ctx, http.MethodPost, "config/apply", url.Values{"who": {who()}}, yamlType, text, &applied)
	return s.tellApplied(file, applied, err, asJSON)
}

// tellApplied says what came of an apply of source.
func (s *session) tellApplied(source string, applied api.Applied, err error, asJSON bool) error {
	var p *api.Problem
	if errors.As(err, &p) && len(p.Faults) > 0 {
		if asJSON {
			err = s.printJSON(api.Checked{Faults: p.Faults})
		} else {
			err = s.writeFaults(source, p.Faults)
		}
		return errors.Join(err, errSilent)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return s.printJSON(applied)
	}
	if err := s.writeFaults(source, applied.Warnings); err != nil {
		return err
	}
	fmt.Fprintf(s.Stdout, "Configuration %d is in force.\n", applied.Version)
	for _, later := range applied.Later {
		fmt.Fprintf(s.Stdout, "When the box restarts: %s\n", printable(later))
	}
	return nil
}

// writeFaults prints one line for each thing that is wrong: place, what, cure.
func (s *session) writeFaults(file string, faults []api.Fault) error {
	for _, f := range faults {
		place := file
		if f.Line > 0 {
			place += fmt.Sprintf(":%d", f.Line)
			if f.Column > 0 {
				place += fmt.Sprintf(":%d", f.Column)
			}
		}
		text := place + ": "
		if f.Warning {
			text += "warning: "
		}
		if f.Path != "" {
			text += f.Path + ": "
		}
		what, cure, join := f.What, f.Cure, "; "
		if s.chinese && f.WhatZH != "" {
			what, cure, join = f.WhatZH, f.CureZH, "；"
		}
		text += what
		if cure != "" {
			text += join + cure
		}
		if _, err := fmt.Fprintln(s.Stdout, printable(text)); err != nil {
			return err
		}
	}
	return nil
}

// readFile reads a configuration; "-" is standard input.
func (s *session) readFile(name string) ([]byte, error) {
	in := s.Stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	}
	text, err := io.ReadAll(io.LimitReader(in, maxConfig+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if len(text) > maxConfig {
		return nil, fmt.Errorf("%s is larger than %s; is it the right file?", name, bytesOf(maxConfig))
	}
	return text, nil
}
