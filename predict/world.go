package predict

import (
	"errors"
	"fmt"
	"slices"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// A world is one model with one market. It is immutable: a request reads it once and never sees a mix of two.
type world struct {
	model      *model.Model
	market     *market.Market
	generation uint32
	tail       []byte
	heads      [][]byte // by ticker
	dates      []*dates // by ticker
}

func newWorld(m *model.Model, mk *market.Market, generation uint32) (*world, error) {
	if m == nil || mk == nil {
		return nil, errors.New("a model and a market are needed")
	}
	if got, want := market.FeatureNames(), m.FeatureNames(); !slices.Equal(got, want) {
		i := 0
		for i < min(len(got), len(want)) && got[i] == want[i] {
			i++
		}
		return nil, fmt.Errorf("model %s is of other features: it wants %d, the market has %d, and they differ from feature %d on",
			m.Version(), len(want), len(got), i+1)
	}
	tickers := mk.Tickers()
	w := &world{
		model: m, market: mk, generation: generation,
		tail:  appendTail(nil, m.Version()),
		heads: make([][]byte, len(tickers)),
		dates: make([]*dates, len(tickers)),
	}
	byDate := map[calendar.Date]*dates{}
	for i := range tickers {
		t := &tickers[i]
		w.heads[i] = appendHead(nil, []byte(t.Name))
		if byDate[t.AsOf] == nil {
			byDate[t.AsOf] = datesAfter(t.AsOf)
		}
		w.dates[i] = byDate[t.AsOf]
		if err := w.check(t); err != nil {
			return nil, err
		}
	}
	return w, nil
}

// check makes one forecast of a ticker, so that weights or prices that lead to nonsense are refused before they serve.
func (w *world) check(t *market.Ticker) error {
	f := w.model.Forecast(t.Features[:], MaxDays)
	for h := 1; h <= MaxDays; h++ {
		median := f.Median(h)
		wideLow, wideHigh := f.Interval(h, MaxConfidence)
		low, high := f.Interval(h, MinConfidence)
		// Written so that a NaN fails too.
		if !(-20 < wideLow && wideLow <= low && low < median && median < high && high <= wideHigh && wideHigh < 20) {
			return fmt.Errorf("model %s forecasts nonsense for %q, %d days ahead: median %v, bounds %v %v and %v %v",
				w.model.Version(), t.Name, h, median, wideLow, low, high, wideHigh)
		}
	}
	return nil
}

// answer encodes the forecast of a listed ticker.
func (w *world) answer(t *market.Ticker, days int, confidence float64, levels []float64) []byte {
	f := w.model.Forecast(t.Features[:], days)
	r := rows{
		head: w.heads[t.Index], tail: w.tail, dates: w.dates[t.Index],
		close: t.Close, forecast: &f, days: days, confidence: confidence, levels: levels,
	}
	return r.encode()
}

// answerHistory encodes the forecast of a series that came with its request.
func (w *world) answerHistory(r *Request, asOf calendar.Date) ([]byte, error) {
	t, err := market.FromHistory(string(r.Ticker), asOf, r.History)
	if err != nil {
		return nil, fmt.Errorf("forecasting %d closes that were found valid: %w", len(r.History), err)
	}
	f := w.model.Forecast(t.Features[:], r.Days)
	return (&rows{
		head: appendHead(nil, r.Ticker), tail: w.tail, dates: datesAfter(asOf),
		close: t.Close, forecast: &f, days: r.Days, confidence: r.Confidence, levels: r.Levels,
	}).encode(), nil
}
