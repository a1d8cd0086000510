package predict

import (
	"errors"
	"fmt"
	"slices"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// A world is one model with one market. It is immutable: a request reads it once and never sees a
// mix of two.
type world struct {
	model      *model.Model
	market     *market.Market
	generation uint32
	tail       []byte
	listed     []listed // by ticker
}

// listed is what the answers about one ticker have in common. The forecast is made here, with all
// its horizons, because it has to be checked anyway: 3 KB a ticker, and a miss need not run the
// network.
type listed struct {
	head     []byte
	dates    *dates
	forecast model.Forecast
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
		return nil, fmt.Errorf("model %s is of other features: it wants %d, the market has %d, "+
			"and they differ from feature %d on",
			m.Version(), len(want), len(got), i+1)
	}
	tickers := mk.Tickers()
	w := &world{
		model: m, market: mk, generation: generation,
		tail:   appendTail(nil, m.Version()),
		listed: make([]listed, len(tickers)),
	}
	byDate := map[calendar.Date]*dates{}
	for i := range tickers {
		t := &tickers[i]
		if byDate[t.AsOf] == nil {
			byDate[t.AsOf] = datesAfter(t.AsOf)
		}
		l := &w.listed[i]
		*l = listed{appendHead(nil, []byte(t.Name)), byDate[t.AsOf],
			m.Forecast(t.Features[:], MaxDays)}
		if err := check(&l.forecast); err != nil {
			return nil, fmt.Errorf("model %s forecasts nonsense for %q: %w", m.Version(), t.Name,
				err)
		}
	}
	return w, nil
}

// check looks at a forecast of all horizons, so that weights or prices that lead to nonsense are
// refused before they serve.
func check(f *model.Forecast) error {
	for h := 1; h <= MaxDays; h++ {
		median := f.Median(h)
		wideLow, wideHigh := f.Interval(h, MaxConfidence)
		low, high := f.Interval(h, MinConfidence)
		// Written so that a NaN fails too.
		if !(-20 < wideLow && wideLow <= low && low < median && median < high && high <= wideHigh &&
			wideHigh < 20) {
			return fmt.Errorf("%d days ahead: median %v, bounds %v %v and %v %v", h, median, low,
				high, wideLow, wideHigh)
		}
	}
	return nil
}

// answer encodes the forecast of a listed ticker.
func (w *world) answer(t *market.Ticker, days int, confidence float64, levels []float64) []byte {
	l := &w.listed[t.Index]
	r := rows{
		head: l.head, tail: w.tail, dates: l.dates,
		close: t.Close, forecast: &l.forecast, days: days, confidence: confidence, levels: levels,
	}
	return r.encode()
}

// answerHistory encodes the forecast of a series that came with its request.
func (w *world) answerHistory(r *Request, asOf calendar.Date) ([]byte, error) {
	t, err := market.FromHistory(string(r.Ticker), asOf, r.History)
	if err != nil {
		return nil, fmt.Errorf("forecasting %d closes that were found valid: %w", len(r.History),
			err)
	}
	f := w.model.Forecast(t.Features[:], r.Days)
	return (&rows{
		head: appendHead(nil, r.Ticker), tail: w.tail, dates: datesAfter(asOf),
		close: t.Close, forecast: &f, days: r.Days, confidence: r.Confidence, levels: r.Levels,
	}).encode(), nil
}
