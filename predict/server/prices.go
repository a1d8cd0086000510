package server

import (
	"errors"
	"fmt"
	"unicode/utf8"

	"tickercast/model/market"
	"tickercast/predict"
)

// warnAboutPrices logs what of the prices is served but may not be what was meant.
func (s *Server) warnAboutPrices() {
	_, mk := s.service.Current()
	for _, w := range *s.warnings.Load() {
		attributes := []any{"kind", w.Kind, "count", w.Count, "first", w.First}
		if names := namesLeftOut(mk, w.Kind); len(names) > 0 {
			attributes = append(attributes, "names", some(names))
		}
		s.logger.Warn(w.String(), attributes...)
	}
	if n := countUnreachable(mk); n > 0 {
		s.logger.Warn("tickers with names too long to be asked for over HTTP", "tickers", n,
			"longest", predict.MaxTicker)
	}
	report := mk.Panel().Report()
	if n := report.BadRows + len(report.BadFiles); n > 0 {
		s.logger.Warn("faulty prices left out", "rows", report.BadRows,
			"files", len(report.BadFiles), "faults", firstFaults(report.Faults))
	}
	if n := report.Missing + report.OtherSeries + len(report.Skipped); n > 0 {
		s.logger.Info("not read", "rows_without_prices", report.Missing,
			"rows_of_other_series", report.OtherSeries, "files", some(report.Skipped))
	}
	if files := mk.Panel().Truncated(); len(files) > 0 {
		s.logger.Warn("prices that end without a line break and may be cut short", "files",
			some(files))
	}
}

// namesLeftOut lists the tickers that are not served because of one kind of warning.
func namesLeftOut(mk *market.Market, kind string) (names []string) {
	for _, r := range mk.Refused() {
		if r.Kind == kind {
			names = append(names, r.Ticker)
		}
	}
	return names
}

// countUnreachable counts the tickers that only the command line can name: a request's ticker has
// at most predict.MaxTicker characters.
func countUnreachable(mk *market.Market) (n int) {
	for i := range mk.Tickers() {
		name := mk.Tickers()[i].Name
		if utf8.RuneCountInString(name) <= predict.MaxTicker {
			continue
		}
		short := market.WithoutSuffix(name)
		t, ok := mk.Find([]byte(short))
		if !ok || t.Index != i || utf8.RuneCountInString(short) > predict.MaxTicker {
			n++
		}
	}
	return n
}

// warningsOf counts what is doubtful of one kind about the prices that are served.
func (s *Server) warningsOf(kind string) int {
	if warnings := s.warnings.Load(); warnings != nil {
		for _, w := range *warnings {
			if w.Kind == kind {
				return w.Count
			}
		}
	}
	return 0
}

// faultsOf lists the faults of prices in an error.
func faultsOf(err error) []market.Fault {
	var faults *market.FaultsError
	if errors.As(err, &faults) {
		return faults.Faults
	}
	return nil
}

// maxNamed is how many faults or files a line of the log names.
const maxNamed = 20

// some returns the first texts, and how many there are more.
func some(texts []string) []string {
	if more := len(texts) - maxNamed; more > 0 {
		return append(texts[:maxNamed:maxNamed], fmt.Sprintf("and %d more", more))
	}
	return texts
}

func firstFaults(faults []market.Fault) []string {
	texts := make([]string, len(faults))
	for i, f := range faults {
		texts[i] = f.String()
	}
	return some(texts)
}
