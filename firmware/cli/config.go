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
	"slices"

	"branchline/pbx/config"
	"branchline/ui/api"
)

const (
	yamlType  = "application/yaml"
	maxConfig = 1 << 20 // bytes that the box takes
)

func configCommand() command {
	return command{
		name: "config", args: "show | check FILE | apply FILE [-json] [-data DIR]",
		brief: "show, check or replace the configuration of the running box",
		about: `apply replaces the whole configuration, or nothing if anything in it is wrong; calls go on.
check also works where no box runs. FILE - is standard input. Each thing that is wrong is told on a line of its own: where, what, and
what to do; the exit code is then 1.`,
		examples: []string{"config show > box.yaml", "config check box.yaml", "config apply box.yaml"},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			asJSON := flags.Bool("json", false, "print JSON (check and apply)")
			return func(ctx context.Context, args []string) error {
				acts := []string{"show", "check", "apply"}
				switch {
				case len(args) == 0:
					return misused("config", "config needs one of: show, check FILE, apply FILE")
				case !slices.Contains(acts, args[0]):
					return misused("config", "config cannot %q%s", args[0], didYouMean(args[0], acts))
				case args[0] == "show" && len(args) != 1:
					return misused("config", "config show takes no %q", args[1])
				case args[0] != "show" && len(args) != 2:
					return misused("config", "config %s needs one FILE", args[0])
				case args[0] == "show":
					return s.showConfig(ctx)
				case args[0] == "check":
					return s.checkConfig(ctx, args[1], *asJSON)
				default:
					return s.applyConfig(ctx, args[1], *asJSON)
				}
			}
		},
	}
}

func (s *session) showConfig(ctx context.Context) error {
	var raw []byte
	if err := s.box().get(ctx, "config", nil, &raw); err != nil {
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
	checked := api.Checked{OK: len(wrong) == 0}
	for _, p := range wrong {
		checked.Faults = append(checked.Faults, api.Fault(p))
	}
	return checked
}

func (s *session) applyConfig(ctx context.Context, file string, asJSON bool) error {
	text, err := s.readFile(file)
	if err != nil {
		return err
	}
	var applied api.Applied
	err = s.box().ask(ctx, http.MethodPost, "config/apply", url.Values{"who": {who()}}, yamlType, text, &applied)
	var p *api.Problem
	if errors.As(err, &p) && len(p.Faults) > 0 {
		if asJSON {
			err = s.printJSON(api.Checked{Faults: p.Faults})
		} else {
			err = s.writeFaults(file, p.Faults)
		}
		return errors.Join(err, errSilent)
	}
	if err != nil {
		return err
	}
	if asJSON {
		return s.printJSON(applied)
	}
	if err := s.writeFaults(file, applied.Warnings); err != nil {
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
		text += f.What
		if f.Cure != "" {
			text += "; " + f.Cure
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
