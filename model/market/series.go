package market

import (
	"fmt"
	"math"
	"slices"

	"tickercast/model/calendar"
)

// Series is the daily prices of one ticker, oldest first, in one currency.
type Series struct {
	Ticker string
	Dates  []calendar.Date // strictly rising
	Close  []float64       // one per date, finite, above zero, adjusted as far as that is known

	// Open, High and Low are nil, or have one price per date. NaN means unknown.
	Open, High, Low []float64

	// Raw is the closes as they were quoted, or nil if Close is.
	Raw []float64
}

// Level returns the close of row i as it was quoted.
func (s *Series) Level(i int) float64 {
	if s.Raw != nil {
		return s.Raw[i]
	}
	return s.Close[i]
}

// newSeries makes a series of n rows with all columns.
func newSeries(ticker string, n int) Series {
	column := func() []float64 { return make([]float64, n) }
	return Series{Ticker: ticker, Dates: make([]calendar.Date, n), Close: column(),
		Open: column(), High: column(), Low: column()}
}

// optional lists the columns that may be absent.
func (s *Series) optional() [3]*[]float64 { return [3]*[]float64{&s.Open, &s.High, &s.Low} }

// columns returns a bit per optional column that is present.
func (s *Series) columns() (columns byte) {
	for i, column := range s.optional() {
		if *column != nil {
			columns |= 1 << i
		}
	}
	return columns
}

// keep drops the optional columns whose bit is not set.
func (s *Series) keep(columns byte) {
	for i, column := range s.optional() {
		if columns&(1<<i) == 0 {
			*column = nil
		}
	}
}

// Len returns the number of rows.
func (s *Series) Len() int { return len(s.Dates) }

// Slice returns the rows i to j-1. It shares memory with s.
func (s *Series) Slice(i, j int) Series {
	cut := func(v []float64) []float64 {
		if v == nil {
			return nil
		}
		return v[i:j:j]
	}
	return Series{s.Ticker, s.Dates[i:j:j], cut(s.Close), cut(s.Open), cut(s.High), cut(s.Low),
		cut(s.Raw)}
}

// Until returns the rows up to and including d. It shares memory with s.
func (s *Series) Until(d calendar.Date) Series {
	n, found := slices.BinarySearch(s.Dates, d)
	if found {
		n++
	}
	return s.Slice(0, n)
}

// LogCloses returns the logs of the closes.
func (s *Series) LogCloses() []float64 {
	return s.AppendLogCloses(make([]float64, 0, len(s.Close)))
}

// AppendLogCloses appends the logs of the closes to dst.
func (s *Series) AppendLogCloses(dst []float64) []float64 {
	for _, c := range s.Close {
		dst = append(dst, math.Log(c))
	}
	return dst
}

// row returns the prices of row i. Its range is NaN if a column of it is absent.
func (s *Series) row(i int) ohlc {
	if s.Open == nil || s.High == nil || s.Low == nil {
		return ohlc{nan, nan, nan, s.Close[i]}
	}
	return ohlc{s.Open[i], s.High[i], s.Low[i], s.Close[i]}
}

// maxGap is the number of New York's sessions without a row that a history survives, wherever it
// trades. After a longer gap the ticker may belong to another company.
const maxGap = 20

// isGap reports whether two successive rows are further apart than maxGap. Four weeks have no more
// than 20 trading days, so most pairs need no calendar, nor a call: the compiler puts this in line.
func isGap(a, b calendar.Date) bool { return b-a > maxGap/5*7 && sessions(a, b)-1 > maxGap }

func sessions(a, b calendar.Date) int { return calendar.Default().Between(a, b) }

// check returns the first fault of the series, or nil.
func (s *Series) check() error {
	n := len(s.Dates)
	if n == 0 {
		return fmt.Errorf("series %q has no rows", s.Ticker)
	}
	if len(s.Close) != n {
		return fmt.Errorf("series %q has %d dates and %d closes", s.Ticker, n, len(s.Close))
	}
	for i, v := range s.Raw {
		if len(s.Raw) != n || !isPrice(v) {
			return fmt.Errorf("series %q has %d dates, %d raw closes and %v as one", s.Ticker, n,
				len(s.Raw), s.Raw[i])
		}
	}
	for _, column := range [][]float64{s.Open, s.High, s.Low} {
		if column != nil && len(column) != n {
			return fmt.Errorf("series %q has %d dates and a column of %d prices", s.Ticker, n,
				len(column))
		}
		for i, v := range column {
			if !isPrice(v) && v == v {
				return fmt.Errorf("series %q has the price %v on %v", s.Ticker, v, s.Dates[i])
			}
		}
	}
	if !isPlausible(s.Dates[0]) || !isPlausible(s.Dates[n-1]) {
		return fmt.Errorf("series %q runs from %v to %v: %w", s.Ticker, s.Dates[0], s.Dates[n-1],
			errYear)
	}
	for i, v := range s.Close {
		if !isPrice(v) {
			return fmt.Errorf("series %q has the close %v on %v", s.Ticker, v, s.Dates[i])
		}
		if i > 0 && s.Dates[i] <= s.Dates[i-1] {
			return fmt.Errorf("series %q has %v after %v", s.Ticker, s.Dates[i], s.Dates[i-1])
		}
	}
	return nil
}
