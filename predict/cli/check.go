package cli

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"text/tabwriter"

	"tickercast/model/calendar"
	"tickercast/model/market"
)

// A priceReport is what was understood of prices, and what was not.
type priceReport struct {
	Tickers  []tickerReport  `json:"tickers"`
	Faults   []faultReport   `json:"faults"`
	Warnings []warningReport `json:"warnings"`

	texts []string // of the warnings
	notes []string // what is in no other list
}

type tickerReport struct {
	Ticker   string        `json:"ticker"`
	Calendar string        `json:"calendar"`
	Rows     int           `json:"rows"`
	From     calendar.Date `json:"from"`
	To       calendar.Date `json:"to"`
}

type faultReport struct {
	File    string `json:"file"`
	Line    int    `json:"line"`
	Message string `json:"message"`
}

type warningReport struct {
	Kind  string `json:"kind"`
	Count int    `json:"count"`
	First string `json:"first"`
}

// errRefused is the error of a check, when the report has the details.
var errRefused = errors.New("serve would refuse these prices")

// check reports on prices. It fails where serve would refuse them.
func (e *env) check(set *flag.FlagSet) func(context.Context, []string) error {
	src := priceFlags(set)
	format := set.String("format", "table",
		"table, json, or sum: the hash that stands for these prices in the access log")
	formats := []string{"table", "json", "sum"}
	return func(ctx context.Context, _ []string) error {
		switch {
		case src.Prices == "":
			return usagef("-prices is missing")
		case !slices.Contains(formats, *format):
			return usagef("-format %q is not table, json or sum%s", *format,
				suggest(*format, formats))
		}
		src.Pipes = true
		bar := e.progress()
		src.Progress = bar.count
		mk, refused := src.Market(ctx)
		bar.done()
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if *format == "sum" && refused == nil {
			_, err := fmt.Fprintln(e.stdout, mk.Source().Sum())
			return err
		}
		report := reportOn(mk, refused, src.Name())
		write := report.writeTable
		if *format == "json" {
			write = report.writeJSON
		}
		if err := write(e.stdout); err != nil {
			return err
		}
		if refused != nil {
			return fmt.Errorf("%w: %w", errRefused, refused)
		}
		return nil
	}
}

// reportOn reports on a market, or on why there is none of the prices with a name.
func reportOn(mk *market.Market, refused error, name string) *priceReport {
	r := &priceReport{[]tickerReport{}, []faultReport{}, []warningReport{}, nil, nil}
	if refused != nil {
		r.Faults = faultsOf(refused, name)
		return r
	}
	for i := range mk.Tickers() {
		t := &mk.Tickers()[i]
		r.Tickers = append(r.Tickers, tickerReport{t.Name, t.Calendar.Name(), t.Series.Len(),
			t.Series.Dates[0], t.AsOf})
	}
	for _, w := range mk.Warnings() {
		r.Warnings = append(r.Warnings, warningReport(w))
		r.texts = append(r.texts, w.String())
	}
	read := mk.Panel().Report()
	r.Faults = append(r.Faults, listFaults(read.Faults)...)
	r.notes = notesOf(read)
	return r
}

// faultsOf lists what an error of reading prices says.
func faultsOf(err error, name string) []faultReport {
	var faults *market.FaultsError
	if !errors.As(err, &faults) {
		message := err.Error()
		var path *fs.PathError
		if errors.As(err, &path) {
			name, message = path.Path, path.Err.Error()
		}
		return []faultReport{{File: name, Message: message}}
	}
	return listFaults(faults.Faults)
}

func listFaults(faults []market.Fault) (list []faultReport) {
	for _, f := range faults {
		list = append(list, faultReport{f.File, f.Line, f.Message})
	}
	return list
}

// notesOf says what was not read and need not be a fault.
func notesOf(read *market.Report) (notes []string) {
	add := func(n int, format string, args ...any) {
		if n > 0 {
			notes = append(notes, fmt.Sprintf(format, append([]any{n}, args...)...))
		}
	}
	add(read.BadRows, "%d faulty rows left out")
	add(len(read.BadFiles), "%d faulty files left out")
	add(read.Missing, "%d rows without a price are no rows")
	add(read.OtherSeries, "%d rows of other series of a stock left out")
	for _, file := range read.Skipped {
		notes = append(notes, file+" is not read")
	}
	for _, file := range read.Truncated {
		notes = append(notes, file+" ends without a line break and may be cut short")
	}
	return notes
}

func (r *priceReport) writeJSON(w io.Writer) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(r)
}

// writeTable writes the tickers, what they have in common, and what is wrong with them.
func (r *priceReport) writeTable(w io.Writer) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	if len(r.Tickers) > 0 {
		fmt.Fprint(t, "TICKER\tCALENDAR\tROWS\tFROM\tTO\n")
	}
	rows, calendars := 0, map[string]int{}
	for _, x := range r.Tickers {
		fmt.Fprintf(t, "%s\t%s\t%d\t%s\t%s\n", x.Ticker, x.Calendar, x.Rows, x.From, x.To)
		rows += x.Rows
		calendars[x.Calendar]++
	}
	if len(r.Tickers) > 0 {
		fmt.Fprintf(t, "\n%d tickers, %d rows\n", len(r.Tickers), rows)
	}
	for _, name := range slices.Sorted(maps.Keys(calendars)) {
		fmt.Fprintf(t, "calendar %s: %d tickers\n", name, calendars[name])
	}
	for _, text := range r.texts {
		fmt.Fprintf(t, "warning: %s\n", text)
	}
	for _, text := range r.notes {
		fmt.Fprintf(t, "note: %s\n", text)
	}
	for _, f := range r.Faults {
		fmt.Fprintf(t, "fault: %s\n", market.Fault{File: f.File, Line: f.Line, Message: f.Message})
	}
	return t.Flush()
}
