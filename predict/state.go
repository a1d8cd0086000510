package predict

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// A state is one model with one market. It is immutable. A request reads it once, so it never sees
// a mix of two.
type state struct {
	steps      *calibrate.Yearly
	model      *model.Model // of steps, at the end of market
	market     *market.Market
	generation uint32
	rowSuffix  []byte
	tickers    []tickerState // by market.Ticker.Index

	leftOut func(market.Refusal) // may be nil
	told    []atomic.Bool        // refusals that leftOut knows of

	judged atomic.Pointer[judged] // never nil
	past   *past
}

// tickerState is what all answers for one ticker share. The forecast has all horizons: it must be
// checked before it is served anyway, and keeping it (3 KB a ticker) spares a miss the network.
type tickerState struct {
	rowPrefix []byte
	dates     *dates
	close     float64
	forecast  model.Forecast
}

func newState(ctx context.Context, steps *calibrate.Yearly, mk *market.Market, generation uint32,
	cfg *Config) (*state, error) {
	if steps == nil || mk == nil {
		return nil, errors.New("a model and a market are needed")
	}
	m, err := steps.On(ctx, mk.AsOf())
	if err != nil {
		return nil, err
	}
	if got, want := market.FeatureNames(), m.FeatureNames(); !slices.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		return nil, fmt.Errorf("model %s is of other features: it wants %d, the market has %d, "+
			"and they differ from feature %d on",
			m.Version(), len(want), len(got), i+1)
	}
	tickers := mk.Tickers()
	st := &state{
		steps: steps, model: m, market: mk, generation: generation,
		rowSuffix: rowSuffix(m.Version()),
		tickers:   make([]tickerState, len(tickers)),
		leftOut:   cfg.LeftOut,
		told:      make([]atomic.Bool, len(mk.Refused())),
	}
	st.judged.Store(&judged{reason: "off"})
	st.past = newPast(st, cfg.Memory)
	type end struct {
		calendar *calendar.Calendar
		asOf     calendar.Date
	}
	after := map[end]*dates{}
	for i := range tickers {
		t := &tickers[i]
		e := end{t.Calendar, t.AsOf}
		if after[e] == nil {
			after[e] = datesAfter(t.Calendar, t.AsOf, MaxDays)
		}
		st.tickers[i] = tickerState{rowPrefix([]byte(t.Name)), after[e], t.Close,
			m.Forecast(t.Features[:], MaxDays)}
		if err := checkForecast(&st.tickers[i].forecast); err != nil {
			return nil, fmt.Errorf("model %s forecasts nonsense for %q: %w", m.Version(), t.Name,
				err)
		}
	}
	return st, nil
}

// find is Find of the market. Of a ticker that the market has left out it tells leftOut why, as the
// client gets the same 404 as for any other name.
func (st *state) find(ticker []byte) (*market.Ticker, bool) {
	t, ok := st.market.Find(ticker)
	if !ok && st.leftOut != nil {
		i, refused := st.market.WhyRefused(ticker)
		if refused && st.told[i].CompareAndSwap(false, true) {
			st.leftOut(st.market.Refused()[i])
		}
	}
	return t, ok
}

// checkForecast refuses a forecast of all horizons that makes no sense, so that weights or prices
// which lead to one are never served.
func checkForecast(f *model.Forecast) error {
	for h := 1; h <= MaxDays; h++ {
		median := f.Median(h)
		wideLow, wideHigh := f.Interval(h, MaxConfidence)
		low, high := f.Interval(h, MinConfidence)
		// The negation makes a NaN fail too.
		if !(-20 < wideLow && wideLow <= low && low < median && median < high && high <= wideHigh &&
			wideHigh < 20) {
			return fmt.Errorf("%d days ahead: median %v, bounds %v %v and %v %v", h, median, low,
				high, wideLow, wideHigh)
		}
	}
	return nil
}

// answerHistory encodes the forecast of a series that came with its request.
func (st *state) answerHistory(r *Request, asOf calendar.Date) ([]byte, error) {
	ts, err := st.fromHistory(r, asOf)
	if err != nil {
		return nil, err
	}
	return ts.encode(st.rowSuffix, r), nil
}

// keyOf returns the key of the answer to r for t. The error is an asOfError.
func (st *state) keyOf(t *market.Ticker, r *Request) (k key, err error) {
	k = st.key(t, r.Days, r.Confidence)
	if r.HasAsOf {
		k.asOf, err = st.past.effective(t, r.AsOf)
	}
	return k, err
}

// with calls do with what answers for the ticker and the day of k need.
func (st *state) with(ctx context.Context, k key, do func(*tickerState)) error {
	if k.asOf == 0 {
		do(&st.tickers[k.ticker])
		return nil
	}
	day, err := st.past.at(ctx, k.asOf)
	if err != nil {
		return err
	}
	defer day.leave()
	ts, err := day.ticker(st.market.Tickers()[k.ticker].Name)
	if err != nil {
		return err
	}
	do(&ts)
	return nil
}

// encode encodes the answer to r for the ticker and the day of k.
func (st *state) encode(ctx context.Context, k key, r *Request) (answer []byte, err error) {
	err = st.with(ctx, k, func(ts *tickerState) { answer = ts.encode(st.rowSuffix, r) })
	return answer, err
}
