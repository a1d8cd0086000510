// Command mksnapshot makes the file of prices that package market embeds.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"

	"tickercast/model/market"
)

func main() {
	prices := flag.String("prices", "", "`file` or folder of prices, CSV or gzip")
	out := flag.String("out", "snapshot.bin", "`file` to write")
	flag.Parse()
	if err := run(*prices, *out); err != nil {
		fmt.Fprintln(os.Stderr, "mksnapshot:", err)
		os.Exit(1)
	}
}

func run(prices, out string) error {
	panel, err := market.Open(context.Background(), prices, market.Options{Pipes: true})
	if err != nil {
		return err
	}
	data, err := panel.EncodeSnapshot()
	if err != nil {
		return err
	}
	fmt.Printf("%s: %d tickers as of %s, %d bytes\n", out, len(panel.Series()), panel.AsOf(),
		len(data))
	return os.WriteFile(out, data, 0o644)
}
