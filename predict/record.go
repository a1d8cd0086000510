package predict

import (
	"cmp"
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
	Levels     []float64     // more confidences
	AsOf       calendar.Date // the last day of the prices that are used
	Model      string        // its version
	Prices     string        // Sum of the panel; empty if the closes came with the request
	Cache      string        // hit or miss; empty if the cache is not for such requests
}

// An origin says which listed ticker and day an answer is of, and what the cache had. Of a history
// it has only the day.
type origin struct {
	key   key
	cache lookup
}

// A lookup is what a cache had; empty if it was not asked.
type lookup string

func lookupOf(hit bool) lookup {
	if hit {
		return "hit"
	}
	return "miss"
}

// record is that of the answer to r.
func (st *state) record(r *Request, from origin) Record {
	if r.History != nil {
		return Record{Ticker: string(r.Ticker), Days: r.Days, Confidence: r.Confidence,
			Levels: r.Levels, AsOf: from.key.asOf, Model: st.model.Version()}
	}
	t := &st.market.Tickers()[from.key.ticker]
	return Record{Ticker: t.Name, Days: int(from.key.days),
		Confidence: math.Float64frombits(from.key.confidence), Levels: r.Levels,
		AsOf:  cmp.Or(from.key.asOf, st.market.AsOf()),
		Model: st.model.Version(), Prices: st.prices(), Cache: string(from.cache)}
}

// prices identifies all prices that are served.
func (st *state) prices() string { return st.market.Source().Sum() }

// answered reports a forecast that is about to be sent.
func (s *Service) answered(w http.ResponseWriter, st *state, r *Request, from origin) {
	if s.cfg.Answered != nil {
		s.cfg.Answered(w, st.record(r, from))
	}
}

// answeredMany is answered for a call with many requests.
func (s *Service) answeredMany(w http.ResponseWriter, st *state) {
	if s.cfg.Answered != nil {
		s.cfg.Answered(w, st.recordMany())
	}
}

func (st *state) recordMany() Record {
	return Record{AsOf: st.market.AsOf(), Model: st.model.Version(), Prices: st.prices()}
}

// Items returns how many requests the body of a plain batch has, and 0 for other requests.
func (p *Plain) Items() int {
	if p.state == nil || !p.many {
		return 0
	}
	return p.items
}

// Record says what the answer is made from. ok is false if it is no forecast.
func (p *Plain) Record() (made Record, ok bool) {
	switch {
	case p.state == nil:
		return made, false
	case p.many:
		return p.state.recordMany(), true
	}
	return p.state.record(&p.request, p.made), true
}
