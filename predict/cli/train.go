package cli

import (
	"context"
	"flag"
	"fmt"
	"os/signal"
	"syscall"

	"tickercast/model/calendar"
	"tickercast/model/source"
	"tickercast/model/train"
)

const aboutTrain = `It needs about 71,000 closes, such as 40 tickers over seven years, and takes minutes.
The same prices and seed give the same bytes.`

// train fits weights and writes them whole or not at all.
func (e *env) train(set *flag.FlagSet) func(context.Context, []string) error {
	src := priceFlags(set)
	out := set.String("out", "weights.bin", "`file` to write")
	until := set.String("until", "", "ignore prices after this `date` (default the last)")
	seed := set.Uint64("seed", 1,
		"chooses origins and starting weights; the same seed gives the same bytes")
	return func(ctx context.Context, _ []string) error {
		if src.Prices == "" {
			return usagef("-prices is missing")
		}
		cfg := train.Config{Seed: *seed}
		if err := parseDay("-until", *until, &cfg.Until); err != nil {
			return err
		}
		if err := checkWritable(*out); err != nil {
			return err
		}
		var err error
		if cfg.Calendar, err = source.FindCalendar(src.Calendar); err != nil {
			return err
		}
		src.Pipes = true
		bar := e.progress()
		defer bar.done()
		src.Progress = bar.count
		panel, err := src.Panel(ctx)
		if err != nil {
			return err
		}
		ctx, stop := signal.NotifyContext(ctx, syscall.SIGINT, syscall.SIGTERM)
		defer stop()
		cfg.Progress = bar.of("training")
		weights, report, err := train.Fit(ctx, panel, cfg)
		bar.done()
		if err != nil {
			return err
		}
		e.reportRefused(report.Refused)
		if err := writeFile(*out, weights); err != nil {
			return err
		}
		fmt.Fprintf(e.stderr,
			"%s: model %s, %d bytes, fitted on %d origins of %d tickers, %s to %s\n",
			*out, report.Version, len(weights), report.Origins, report.Tickers, report.From,
			report.To)
		return nil
	}
}

// parseDay sets day from a flag's value, if there is one.
func parseDay(name, value string, day *calendar.Date) error {
	if value == "" {
		return nil
	}
	d, err := calendar.Parse(value)
	if err != nil {
		return usagef("%s: %v", name, err)
	}
	*day = d
	return nil
}
