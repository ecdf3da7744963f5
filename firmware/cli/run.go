package cli

import (
	"context"
	"flag"
)

func runCommand() command {
	return command{
		name: "run", args: "-board sim[:SLOT=MODEL,…] [-data DIR] [-config FILE] [-v]", brief: "start the box in this terminal",
		about: `DIR keeps everything: configuration, call records, recordings. FILE is the configuration of a
fresh DIR; later ones are applied to the running box (branchline config apply FILE). Ctrl-C or
SIGTERM stops the box within 5 s. On board sim a slot has an EC25, or the MODEL that is named for it:
EC25, SIM7600 or E173.`,
		examples: []string{
			"run -board sim",
			"run -board sim:slot2=SIM7600,slot3=E173",
			"run -board sim -data /var/lib/branchline -config box.yaml",
		},
		setup: func(s *session, flags *flag.FlagSet) action {
			var o RunOptions
			flags.StringVar(&o.Board, "board", "sim", "hardware `BOARD`")
			flags.StringVar(&o.Data, "data", defaultData, "folder `DIR` of the box; made if it is not there")
			flags.StringVar(&o.Config, "config", "", "configuration `FILE` of a fresh folder")
			flags.BoolVar(&o.Verbose, "v", false, "log everything")
			return func(ctx context.Context, args []string) error {
				if err := noMore("run", args); err != nil {
					return err
				}
				return s.Run(ctx, o)
			}
		},
	}
}
