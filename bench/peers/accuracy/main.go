//go:build linux

// Accuracy judges forecasts of tickercast beside those of what people would use instead, all on the
// same closes:
//
//	go -C bench/peers run ./accuracy                            the embedded prices
//	go -C bench/peers run ./accuracy -prices /data/prices.csv   your own
//
// The peers are statsforecast (Naive, AutoETS, AutoARIMA, GARCH), arch (GARCH with t errors) and
// two conformal methods. peers.py says how each is used. They go to a virtual environment in the
// user's cache directory, and run on one core. Every method forecasts the same tickers from the
// same dates, 1 to 30 days ahead, at the six confidences that weights are fitted for. The peers see
// the last closes up to that date, as many as -window, on log scale.
//
// Tickercast is judged twice: as it serves prices, by its command predict -as-of, with all that the
// file holds up to that date; and on the closes that the peers see and nothing else, as a history
// that a request brings.
//
// CPU is user and system time for a series: all 30 days and all confidences. Of the command it is
// that of the process, which starts, reads all prices and computes the features of all tickers. Of
// a history it is what the server uses for the request. Of the peers it is fitting and forecasting,
// without imports and without the first call.
//
// It does not tune anything, and is no test: the whole takes some ten minutes.
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"os"

	"tickercast/bench/command"
	"tickercast/bench/proc"
	"tickercast/model/calendar"
	"tickercast/model/source"
)

func main() { command.Main("accuracy", run) }

// options of a run.
type options struct {
	prices, weights  string // files; empty means what is embedded
	binary           string
	keep             string
	window           int
	tickers, origins int
	from, to         calendar.Date
	seed             uint64
}

// minWindow leaves split conformal prediction for 30 days the 99 errors that its widest interval
// needs.
const minWindow = 150

func parse(args []string, stderr io.Writer) (o options, err error) {
	fs := flag.NewFlagSet("accuracy", flag.ContinueOnError)
	fs.StringVar(&o.prices, "prices", "",
		"`file` of prices, a path from bench/peers (default the embedded ones)")
	fs.StringVar(&o.weights, "weights", "",
		"`file` of tickercast's weights (default the embedded ones)")
	fs.StringVar(&o.binary, "binary", "", "tickercast to judge (default: built from this tree)")
	fs.StringVar(&o.keep, "keep", "", "`file` for what the peers forecast; a run that finds it "+
		"there, of the same closes, does not run them again")
	fs.IntVar(&o.window, "window", 250, "closes that the peers see")
	fs.IntVar(&o.tickers, "tickers", 50, "tickers, at equal steps from the list by name")
	fs.IntVar(&o.origins, "origins", 20, "dates to forecast from, at equal steps")
	fs.Func("from", "first `date` to forecast from (default the first with a past of -window)",
		func(s string) (err error) { o.from, err = calendar.Parse(s); return err })
	fs.Func("to", fmt.Sprintf("last `date` to forecast from (default the last with %d sessions "+
		"after it)", days), func(s string) (err error) { o.to, err = calendar.Parse(s); return err })
	fs.Uint64Var(&o.seed, "seed", 1, "chooses other tickers")
	if err := command.Parse(fs, args, stderr); err != nil {
		return o, err
	}
	if o.window < minWindow || o.window > 2000 || o.tickers < 1 || o.origins < 1 {
		return o, fmt.Errorf("%w: want a -window of %d to 2000, and -tickers and -origins above zero",
			command.ErrUsage, minWindow)
	}
	return o, nil
}

func run(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	o, err := parse(args, stderr)
	if err != nil {
		return err
	}
	return compare(ctx, o, python, stdout, stderr)
}

// compare makes and scores all forecasts. The peers are what start starts.
func compare(ctx context.Context, o options, start starter, stdout, log io.Writer) error {
	dir, err := os.MkdirTemp("", "tickercast-accuracy")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	panel, err := source.Config{Prices: o.prices}.Panel(ctx)
	if err != nil {
		return err
	}
	t, err := choose(panel, o)
	if err != nil {
		return fmt.Errorf("prices %s: %w", cmp.Or(o.prices, "embedded"), err)
	}
	if o.binary == "" {
		fmt.Fprintln(log, "building tickercast")
		if o.binary, err = proc.Build(ctx, dir); err != nil {
			return err
		}
	}
	served, err := fromCommand(ctx, o, t, log)
	if err != nil {
		return err
	}
	closes, err := fromHistories(ctx, o, t)
	if err != nil {
		return err
	}
	others, versions, err := fromPeers(ctx, o, t, dir, start, log)
	if err != nil {
		return err
	}
	all := append([]method{served, closes}, others...)
	return writeReport(stdout, o, t, score(t, all), versions)
}
