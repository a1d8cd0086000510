package predict

import (
	"encoding/json"
	"net/http"
	"strings"

	"tickercast/model/calendar"
	"tickercast/model/market"
)

// Bounds of the lists that a GET returns.
const (
	maxPage     = 1000
	defaultPage = 100
)

type tickerInfo struct {
	Ticker string        `json:"ticker"`
	AsOf   calendar.Date `json:"as_of"`
	Close  float64       `json:"close"`
}

type tickerPage struct {
	Tickers []tickerInfo `json:"tickers"`
	Total   int          `json:"total"` // that match, on all pages
	Limit   int64        `json:"limit"`
	Offset  int64        `json:"offset"`
}

type tickerHistory struct {
	tickerInfo
	Closes []closeOn `json:"closes"` // oldest first
}

type closeOn struct {
	Date  calendar.Date `json:"date"`
	Close float64       `json:"close"`
}

// ServeTickers is GET /tickers?q=&limit=&offset=: what can be asked for, by name; with q, the
// tickers that begin with it and then those that hold it elsewhere, in any case.
func (s *Service) ServeTickers(w http.ResponseWriter, r *http.Request) {
	q := newQuery(r)
	limit := q.integer("limit", defaultPage, 1, maxPage)
	offset := q.integer("offset", 0, 0, 1<<30)
	if err := q.err(); err != nil {
		s.refuse(w, r, err)
		return
	}
	search, _ := q.value("q")
	found := matching(s.world.Load().market.Tickers(), strings.ToUpper(string(search)))
	page := tickerPage{Tickers: []tickerInfo{}, Total: len(found), Limit: limit, Offset: offset}
	for _, t := range found[min(int(offset), len(found)):min(int(offset+limit), len(found))] {
		page.Tickers = append(page.Tickers, infoOf(t))
	}
	s.writeValue(w, r, page)
}

// ServeTickerCloses is GET /tickers/{ticker}?limit=: its last closes, 1000 at most.
func (s *Service) ServeTickerCloses(w http.ResponseWriter, r *http.Request) {
	q := newQuery(r)
	ticker := q.ticker()
	limit := q.integer("limit", defaultPage, 1, maxPage)
	if err := q.err(); err != nil {
		s.refuse(w, r, err)
		return
	}
	t, ok := s.world.Load().market.Find(ticker)
	if !ok {
		s.refuse(w, r, errUnknownTicker(ticker))
		return
	}
	h := tickerHistory{infoOf(t), nil}
	for i := max(0, t.Series.Len()-int(limit)); i < t.Series.Len(); i++ {
		h.Closes = append(h.Closes, closeOn{t.Series.Dates[i], t.Series.Close[i]})
	}
	s.writeValue(w, r, h)
}

// matching returns the tickers whose name begins with search, then those that hold it further on.
func matching(all []market.Ticker, search string) []*market.Ticker {
	var first, rest []*market.Ticker
	for i := range all {
		switch at := strings.Index(strings.ToUpper(all[i].Name), search); {
		case at == 0:
			first = append(first, &all[i])
		case at > 0:
			rest = append(rest, &all[i])
		}
	}
	return append(first, rest...)
}

func infoOf(t *market.Ticker) tickerInfo { return tickerInfo{t.Name, t.AsOf, t.Close} }

// writeValue sends what is asked for too rarely to be encoded by hand.
func (s *Service) writeValue(w http.ResponseWriter, r *http.Request, v any) {
	body, err := json.Marshal(v)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	writeJSON(w, http.StatusOK, body)
}
