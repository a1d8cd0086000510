package market

import (
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
	"time"

	"tickercast/model/calendar"
	"tickercast/model/internal/pace"
)

// Daily is the part of a panel that has daily prices, and the calendar of each series. It is
// immutable.
type Daily struct {
	source  *Panel
	panel   *Panel
	fits    []calendar.Fit // of each series of panel; Calendar is never nil
	refused []Refusal      // by ticker
}

// A Refusal says why a ticker of a panel cannot be forecast.
type Refusal struct {
	Ticker string `json:"ticker"`
	Kind   string `json:"kind"` // KindShort or KindNotDaily
	Reason string `json:"reason"`
}

// leastRows is how many rows can show that they are not daily. Fewer may have holes.
const leastRows = 5

// NewDaily finds the calendar of each series, or gives all of them the one that is not nil. Series
// whose rows are not daily prices are refused. It fails if that is all of them, and when ctx ends.
func NewDaily(ctx context.Context, p *Panel, all *calendar.Calendar) (*Daily, error) {
	fits, err := detect(ctx, p.Series(), all)
	if err != nil {
		return nil, err
	}
	d := &Daily{source: p, panel: p, fits: fits}
	for i := range p.Series() {
		if s := &p.Series()[i]; fits[i].Calendar == nil {
			d.refused = append(d.refused, Refusal{s.Ticker, KindNotDaily, notDaily(fits[i])})
		} else if n := s.Len(); n < MinHistory {
			d.refused = append(d.refused, Refusal{s.Ticker, KindShort,
				fmt.Sprintf("%d closes up to %s, a forecast needs %d", n, s.Dates[n-1],
					MinHistory)})
		}
	}
	if slices.ContainsFunc(fits, func(f calendar.Fit) bool { return f.Calendar == nil }) {
		var series []Series
		d.fits = nil
		for i, f := range fits {
			if f.Calendar != nil {
				series, d.fits = append(series, p.Series()[i]), append(d.fits, f)
			}
		}
		if series == nil {
			return nil, d.errNone()
		}
		d.panel = newPanel(series, p.report)
	}
	return d, nil
}

func notDaily(f calendar.Fit) string {
	if f.Filled {
		return "rows on days without trading repeat the close before: not daily prices"
	}
	return fmt.Sprintf("rows are %d days apart: not daily prices", f.Gap)
}

// detect judges each series by its own dates. Then it judges those that differ from most others
// again: a series leaves the calendar of most only for a clearly better one.
func detect(ctx context.Context, series []Series,
	all *calendar.Calendar) ([]calendar.Fit, error) {
	fits := make([]calendar.Fit, len(series))
	expected := all
	each := func(want func(i int) bool) error {
		return forEach(ctx, len(series), func(i int) {
			if s := &series[i]; want(i) {
				fits[i] = calendar.Detect(s.Dates, s.Close, expected)
			}
		}, func(i int) time.Duration { return time.Duration(series[i].Len()) * detectTime })
	}
	if err := each(func(int) bool { return true }); err != nil {
		return nil, err
	}
	if all == nil {
		expected = mostFrequent(fits)
		err := each(func(i int) bool {
			return fits[i].Calendar != nil && fits[i].Calendar != expected
		})
		if err != nil {
			return nil, err
		}
	}
	for i := range fits {
		if all != nil && fits[i].Calendar != nil ||
			fits[i].Calendar == nil && series[i].Len() < leastRows {
			fits[i].Calendar = expected
		}
	}
	return fits, nil
}

// mostFrequent returns the calendar of most series, of equals the first in calendar.Names.
func mostFrequent(fits []calendar.Fit) *calendar.Calendar {
	counts := map[*calendar.Calendar]int{}
	for _, f := range fits {
		counts[f.Calendar]++
	}
	best := calendar.Default()
	for _, name := range calendar.Names() {
		if c, _ := calendar.Lookup(name); counts[c] > counts[best] {
			best = c
		}
	}
	return best
}

// About what one row of a series takes: to find its calendar, to add it to a market, and to compute
// its features.
const (
	detectTime = 5 * time.Nanosecond
	addTime    = 50 * time.Nanosecond
	rowTime    = 200 * time.Nanosecond
)

// forEach calls do for 0 to n-1 on all cores, until ctx ends. takes is about how long a call of do
// takes.
func forEach(ctx context.Context, n int, do func(i int), takes func(i int) time.Duration) error {
	var wg sync.WaitGroup
	workers := min(n, runtime.GOMAXPROCS(0))
	if pace.IsSlow(ctx) {
		workers = min(n, 1)
	}
	for w := range workers {
		wg.Go(func() {
			pacer := pace.Of(ctx)
			for i := w; i < n && ctx.Err() == nil; i += workers {
				do(i)
				pacer.Worked(takes(i))
			}
		})
	}
	wg.Wait()
	return ctx.Err()
}

// errNone is the error of a panel of which all tickers are refused.
func (d *Daily) errNone() error {
	for _, r := range d.refused {
		if r.Kind == KindNotDaily {
			return fmt.Errorf("%w that are daily prices: %q: %s", ErrShort, r.Ticker, r.Reason)
		}
	}
	return ErrShort
}

// Panel returns the series with daily prices. They include those that are too short to forecast,
// which are a part of their market.
func (d *Daily) Panel() *Panel { return d.panel }

// Refused lists the tickers that cannot be forecast, by name.
func (d *Daily) Refused() []Refusal { return d.refused }
