package main

import (
	"context"
	"flag"
	"fmt"

	"tickercast/model/market"
)

// snapshot makes the file that model/market embeds.
func (p *program) snapshot(fs *flag.FlagSet) func(context.Context, []string) error {
	prices := fs.String("prices", "", "`file` or folder of prices, CSV or gzip")
	out := fs.String("out", "snapshot.bin", "`file` to write")
	return func(ctx context.Context, _ []string) error {
		if *prices == "" {
			return usagef("-prices is missing")
		}
		panel, err := market.Open(ctx, *prices)
		if err != nil {
			return err
		}
		data, err := panel.EncodeSnapshot()
		if err != nil {
			return err
		}
		if err := writeFile(*out, data); err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "%s: %d tickers as of %s, %d bytes\n", *out, len(panel.Series()),
			panel.AsOf(), len(data))
		return nil
	}
}
