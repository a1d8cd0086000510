package cli

import (
	"context"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"tickercast/model"
	"tickercast/model/market"
	"tickercast/predict"
)

// A row is one forecast: of a ticker, some days ahead, at one confidence.
type row struct {
	Ticker     string  `json:"ticker"`
	Calendar   string  `json:"calendar"`
	AsOf       string  `json:"as_of"`
	Date       string  `json:"date"`
	DaysAhead  int     `json:"days_ahead"`
	Confidence float64 `json:"confidence"`
	// as HTTP answers have them
	Price json.Number `json:"predicted_price"`
	Lower json.Number `json:"confidence_lower"`
	Upper json.Number `json:"confidence_upper"`

	price, lower, upper float64
}

const aboutPredict = `Of one ticker the table has a row for each day, of several one for each ticker.
A ticker is found in any case and with a dot, slash or dash: brk.b for BRK-B.`

func (e *env) predict(fs *flag.FlagSet) func(context.Context, []string) error {
	src := dataFlags(fs)
	asOf := fs.String("as-of", "", "ignore closes after this `date` (default the last)")
	days := fs.Int("days", 5, fmt.Sprintf("`days` ahead, 1 to %d, each a trading day of the "+
		"ticker's calendar; the table of several tickers has only the last of them",
		model.MaxDays))
	confidence := fs.String("confidence", "0.95",
		fmt.Sprintf("`levels` of the intervals, %.2f to %.2f, separated by commas",
			model.MinConfidence, model.MaxConfidence))
	format := fs.String("format", "table", "table, json, csv, or answer: json and csv have a row for "+
		"each ticker, day and level, with the digits of HTTP answers; answer is the body that a "+
		"server answers for one ticker, with the first of the levels and with the others as more")
	formats := []string{"table", "json", "csv", "answer"}
	return func(ctx context.Context, tickers []string) error {
		levels, err := parseLevels(*confidence)
		if err != nil {
			return err
		}
		switch {
		case !slices.Contains(formats, *format):
			return usagef("-format %q is not table, json, csv or answer%s", *format,
				suggest(*format, formats))
		case *days < 1 || *days > model.MaxDays:
			return usagef("-days %d is not within 1 to %d", *days, model.MaxDays)
		case len(tickers) == 0:
			return usagef("no ticker; name some, or all")
		case *format == "answer" && (len(tickers) > 1 || tickers[0] == "all"):
			return usagef("-format answer is for one ticker")
		}
		if err := parseDay("-as-of", *asOf, &src.Until); err != nil {
			return err
		}
		src.Pipes = true
		bar := e.progress()
		src.Progress = bar.count
		if *format == "answer" {
			defer bar.done()
			return e.writeAnswer(ctx, *src, tickers, *days, levels)
		}
		m, mk, err := src.Open(ctx)
		bar.done()
		if err != nil {
			return err
		}
		chosen, err := choose(mk, tickers)
		if err != nil {
			return err
		}
		if src.Until == 0 {
			e.reportAge(chosen, time.Now(), src.Prices == "")
		}
		rows := forecasts(m, chosen, *days, levels)
		switch *format {
		case "csv":
			return writeCSV(e.stdout, rows)
		case "json":
			return writeJSON(e.stdout, rows)
		}
		return writeTable(e.stdout, chosen, rows, isTerminal(e.stdout))
	}
}

func parseLevels(list string) (levels []float64, err error) {
	for s := range strings.SplitSeq(list, ",") {
		c, err := strconv.ParseFloat(strings.TrimSpace(s), 64)
		if err != nil || !(c >= model.MinConfidence && c <= model.MaxConfidence) {
			return nil, usagef("-confidence %q is not a number within %.2f to %.2f", s,
				model.MinConfidence, model.MaxConfidence)
		}
		levels = append(levels, c)
	}
	return levels, nil
}

// choose finds the tickers that were named, each once, or all of them. The ticker ALL is named in
// upper case.
func choose(mk *market.Market, names []string) (chosen []*market.Ticker, err error) {
	if slices.Contains(names, "all") {
		for i := range mk.Tickers() {
			chosen = append(chosen, &mk.Tickers()[i])
		}
		return chosen, nil
	}
	for _, name := range names {
		t, ok := mk.Find([]byte(name))
		if !ok {
			if i, ok := mk.WhyRefused([]byte(name)); ok {
				return nil, refusal(&mk.Refused()[i])
			}
			var known []string
			for i := range mk.Tickers() {
				known = append(known, mk.Tickers()[i].Name)
			}
			if strings.ContainsAny(name, ",; ") {
				return nil, fmt.Errorf("unknown ticker %q: name several with blanks in between", name)
			}
			return nil, fmt.Errorf("unknown ticker %q%s", name, suggest(name, known))
		}
		if !slices.Contains(chosen, t) {
			chosen = append(chosen, t)
		}
	}
	return chosen, nil
}

// reportAge says how old the closes are that forecasts start from, if more than one session has
// closed since, and what to do about embedded ones.
func (e *env) reportAge(tickers []*market.Ticker, now time.Time, embedded bool) {
	first, last, age := tickers[0].AsOf, tickers[0].AsOf, 0
	for _, t := range tickers {
		first, last, age = min(first, t.AsOf), max(last, t.AsOf), max(age, t.Age(now))
	}
	advice := ""
	if embedded && age >= oldAge {
		advice = "; the embedded ones are frozen: use newer ones with -prices FILE"
	}
	switch {
	case age < 2:
	case first < last:
		fmt.Fprintf(e.stderr, "prices end from %s to %s, up to %d trading days ago%s\n", first,
			last, age, advice)
	default:
		fmt.Fprintf(e.stderr, "prices end %s, %d trading days ago%s\n", last, age, advice)
	}
}

func refusal(r *market.Refusal) error {
	if r.Kind == market.KindShort {
		return fmt.Errorf("ticker %q has %s", r.Ticker, r.Reason)
	}
	return fmt.Errorf("ticker %q: %s", r.Ticker, r.Reason)
}

// forecasts makes the rows in the order of tickers, days, levels.
func forecasts(m *model.Model, tickers []*market.Ticker, days int, levels []float64) []row {
	rows := make([]row, 0, len(tickers)*days*len(levels))
	for _, t := range tickers {
		f := m.Forecast(t.Features[:], days)
		asOf := t.AsOf.String()
		date := t.AsOf
		for h := 1; h <= days; h++ {
			date = t.Calendar.Next(date, 1)
			for _, c := range levels {
				lower, upper := f.Interval(h, c)
				r := row{
					Ticker: t.Name, Calendar: t.Calendar.Name(), AsOf: asOf, Date: date.String(),
					DaysAhead: h, Confidence: c,
					price: t.Close * math.Exp(f.Median(h)), lower: t.Close * math.Exp(lower),
					upper: t.Close * math.Exp(upper),
				}
				r.Price = number(r.price, r.price)
				r.Lower, r.Upper = number(r.lower, r.price), number(r.upper, r.price)
				rows = append(rows, r)
			}
		}
	}
	return rows
}

// number rounds a price of a forecast as HTTP answers do.
func number(price, predicted float64) json.Number {
	return json.Number(predict.AppendPrice(nil, price, predicted))
}

func writeCSV(w io.Writer, rows []row) error {
	c := csv.NewWriter(w)
	c.Write([]string{"ticker", "as_of", "date", "days_ahead", "confidence", "predicted_price",
		"confidence_lower", "confidence_upper"})
	for _, r := range rows {
		c.Write([]string{plainCell(r.Ticker), r.AsOf, r.Date, strconv.Itoa(r.DaysAhead),
			strconv.FormatFloat(r.Confidence, 'g', -1, 64),
			r.Price.String(), r.Lower.String(), r.Upper.String()})
	}
	c.Flush()
	return c.Error()
}

// plainCell puts an apostrophe before what a spreadsheet would take for a formula. In some
// countries it also takes a semicolon for the end of a cell, and wide characters for signs.
func plainCell(s string) string {
	cells := strings.Split(s, ";")
	for i, c := range cells {
		first, _ := utf8.DecodeRuneInString(c)
		if strings.ContainsRune("=+-@\t\r\n＝＋－＠", first) {
			cells[i] = "'" + c
		}
	}
	return strings.Join(cells, ";")
}

func writeJSON(w io.Writer, rows []row) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(rows)
}
