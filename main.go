// Tickercast serves calibrated stock price forecasts over HTTP from one static binary. With the
// same binary one trains, judges and swaps the model behind them.
//
// It is not a trading system, a data vendor or a distributed cache. An answer is a pure function
// of weights, prices and request, so any number of copies agree.
package main

import (
	"context"
	"os"

	"tickercast/predict/cli"
)

func main() {
	os.Exit(cli.Main(context.Background(), os.Args, os.Environ(), os.Stdout, os.Stderr))
}
