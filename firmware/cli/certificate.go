package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"strings"
	"time"

	"branchline/ui/api"
)

func certificateCommand() command {
	return command{
		name: "certificate", args: "[-pem] [-json] [-data DIR]", brief: "what phones need to know the box by TLS",
		about: `A phone that speaks TLS must be told whom to trust: give it the certificate of this box's own
authority, which -pem prints, as a file that its web page takes ("trusted certificates", "CA
certificate"). It holds for ten years and over every change of address. There is nothing secret in it.

TLS is spoken where the configuration says network: {sip: {tls: true}}.`,
		examples: []string{"certificate", "certificate -pem > branchline.pem", "certificate -json"},
		setup: func(s *session, flags *flag.FlagSet) action {
			s.inFolder(flags)
			asPEM := flags.Bool("pem", false, "print the certificate as a file for phones")
			asJSON := flags.Bool("json", false, "print JSON")
			return func(ctx context.Context, args []string) error {
				if err := noMore("certificate", args); err != nil {
					return err
				}
				if *asPEM {
					var c api.Certificate
					if err := s.box().get(ctx, "certificate", nil, &c); err != nil {
						return err
					}
					_, err := io.WriteString(s.Stdout, c.PEM)
					return err
				}
				return s.look(ctx, "certificate", *asJSON, showCertificate)
			}
		},
	}
}

func showCertificate(s *session, raw []byte, site *time.Location) error {
	var c api.Certificate
	if err := json.Unmarshal(raw, &c); err != nil {
		return fmt.Errorf("read certificate: %w", err)
	}
	where := cmp.Or(strings.Join(c.Addresses, ", "), "nowhere; write network: {sip: {tls: true}} in the configuration")
	_, err := fmt.Fprintf(s.Stdout, `Authority    %s
SHA-256      %s
Holds until  %s
TLS          %s
For phones   branchline certificate -pem > branchline.pem
`, printable(c.Name), printable(c.Fingerprint), c.Until.In(site).Format(time.DateOnly), printable(where))
	return err
}
