package predict

import (
	"math"
	"net/http"

	"tickercast/model/calendar"
)

// A Record says what forecasts are made from, for logs. Of an answer to many requests it says only
// what they share.
type Record struct {
	Ticker     string // as listed, or as sent with a history; empty for many
	Days       int
	Confidence float64
	AsOf       calendar.Date // of the last close
	Model      string        // its version
	Prices     string        // Sum of the panel; empty if the closes came with the request
	Cache      string        // hit or miss; empty if the cache is not for such requests
}

// A lookup is what a cache had.
type lookup string

func lookupOf(hit bool) lookup {
	if hit {
		return "hit"
	}
	return "miss"
}

// answered reports a forecast that is about to be sent.
func (s *Service) answered(w http.ResponseWriter, st *state, r *Request, had lookup) {
	if s.cfg.Answered == nil {
		return
	}
	rec := Record{Ticker: string(r.Ticker), Days: r.Days, Confidence: r.Confidence,
		Model: st.model.Version(), Cache: string(had)}
	if r.History != nil {
		rec.AsOf = r.asOf(s.cfg.Now())
	} else if t, ok := st.market.Find(r.Ticker); ok {
		rec.Ticker, rec.AsOf, rec.Prices = t.Name, t.AsOf, st.market.Panel().Sum()
	}
	s.cfg.Answered(w, rec)
}

// answeredMany is answered for a call with many requests.
func (s *Service) answeredMany(w http.ResponseWriter, st *state) {
	if s.cfg.Answered != nil {
		s.cfg.Answered(w, Record{AsOf: st.market.AsOf(), Model: st.model.Version(),
			Prices: st.market.Panel().Sum()})
	}
}

// Record says what the answer to a request is made from.
func (f FastRequest) Record(hit bool) Record {
	t := &f.state.market.Tickers()[f.key.ticker]
	return Record{Ticker: t.Name, Days: int(f.key.days),
		Confidence: math.Float64frombits(f.key.confidence), AsOf: t.AsOf,
		Model: f.state.model.Version(), Prices: f.state.market.Panel().Sum(),
		Cache: string(lookupOf(hit))}
}
