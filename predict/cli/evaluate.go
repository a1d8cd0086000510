package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"tickercast/model/market"
	"tickercast/model/source"
	"tickercast/model/train"
)

const aboutEvaluate = `A loss is lower where a model is better, so a negative difference from a baseline is
good. Coverage is good where it is near the confidence: of intervals for 95 %, 95 % of the closes
should lie within.`

// evaluate judges a model on prices, walk-forward, beside its baselines.
func (e *env) evaluate(set *flag.FlagSet) func(context.Context, []string) error {
	src := dataFlags(set)
	from := set.String("from", "",
		"first `date` to forecast from (default the first with 250 trading days before it)")
	to := set.String("to", "", "last `date` to forecast from (default the last)")
	every := set.Int("every", 5, "trading `days` from one date of forecasts to the next")
	garch := set.Bool("garch", true,
		"compare with a GARCH(1,1)-t of each ticker, which takes most of the time; -garch=false "+
			"leaves it out")
	against := set.String("against", "",
		"compare with the weights of this `file`, or with the embedded ones: embedded")
	format := set.String("format", "table",
		"table, json or scores, the short form that GET /model shows")
	plot := set.String("plot", "", "draw the result into this `file`, of which the name ends in .svg")
	formats := []string{"table", "json", "scores"}
	return func(ctx context.Context, _ []string) error {
		cfg := train.EvalConfig{Every: *every, GARCH: *garch, Calibrate: src.Calibrate}
		if err := parseDay("-from", *from, &cfg.From); err != nil {
			return err
		}
		if err := parseDay("-to", *to, &cfg.To); err != nil {
			return err
		}
		switch {
		case *every < 1:
			return usagef("-every %d is not positive", *every)
		case !slices.Contains(formats, *format):
			return usagef("-format %q is not table, json or scores%s", *format,
				suggest(*format, formats))
		case *plot != "" && !strings.EqualFold(filepath.Ext(*plot), ".svg"):
			return usagef("-plot %q: the picture is SVG, so its name ends in .svg", *plot)
		}
		if *plot != "" {
			if err := checkWritable(*plot); err != nil {
				return err
			}
		}
		var err error
		if cfg.Calendar, err = source.FindCalendar(src.Calendar); err != nil {
			return err
		}
		if cfg.Model, err = src.Model(ctx); err != nil {
			return err
		}
		if *against != "" {
			other := source.Config{Weights: *against}
			if *against == "embedded" {
				other.Weights = ""
			}
			if cfg.Against, err = other.Model(ctx); err != nil {
				return fmt.Errorf("-against: %w", err)
			}
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
		cfg.Progress = bar.of("evaluating")
		result, err := train.Evaluate(ctx, panel, cfg)
		bar.done()
		if err != nil {
			return err
		}
		e.reportRefused(result.Refused)
		var out bytes.Buffer
		switch *format {
		case "json":
			err = result.WriteJSON(&out)
		case "scores":
			err = result.WriteScores(&out)
		default:
			err = result.WriteTable(&out)
		}
		if err != nil {
			return err
		}
		if _, err := e.stdout.Write(out.Bytes()); err != nil || *plot == "" {
			return err
		}
		var picture bytes.Buffer
		if err := result.WriteSVG(&picture); err != nil {
			return err
		}
		return writeFile(*plot, picture.Bytes())
	}
}

// reportRefused names the tickers that a command leaves out.
func (e *env) reportRefused(all []market.Refusal) {
	const most = 20
	for _, r := range all[:min(most, len(all))] {
		fmt.Fprintf(e.stderr, "left out %q: %s\n", r.Ticker, r.Reason)
	}
	if more := len(all) - most; more > 0 {
		fmt.Fprintf(e.stderr, "left out %d more\n", more)
	}
}
