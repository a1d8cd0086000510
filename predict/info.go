package predict

import (
	"encoding/json"
	"net/http"
	"strings"
	"unicode"

	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict/pyjson"
)

// ServeHealth is GET /health: the process answers.
func (s *Service) ServeHealth(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, healthy)
}

var healthy = []byte(`{"status":"healthy"}`)

// PlainHealth is ServeHealth for plain requests.
func (s *Service) PlainHealth() PlainRoute {
	return PlainRoute{Decode: always, Answer: func(p *Plain) error {
		p.Answer, p.state = healthy, nil
		return nil
	}}
}

// ServeLive is GET /livez. It depends on nothing: a process that answers need not be restarted.
func (s *Service) ServeLive(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, []byte(`{"status":"alive"}`))
}

// ServeReady is GET /readyz: 200 or 503 as Config.Ready says, with its reasons.
func (s *Service) ServeReady(w http.ResponseWriter, _ *http.Request) { s.writeReasons(w, false) }

// ServeReadyDetails is GET /readyz for operators.
func (s *Service) ServeReadyDetails(w http.ResponseWriter, _ *http.Request) {
	s.writeReasons(w, true)
}

func (s *Service) writeReasons(w http.ResponseWriter, details bool) {
	ready, reasons := s.ready(details)
	status, body := http.StatusOK, []byte(`{"status":"ready","reasons":[`)
	if !ready {
		status, body = http.StatusServiceUnavailable, []byte(`{"status":"not ready","reasons":[`)
	}
	for i, reason := range reasons {
		if i > 0 {
			body = append(body, ',')
		}
		body = pyjson.AppendString(body, []byte(reason))
	}
	writeJSON(w, status, append(body, "]}"...))
}

func (s *Service) ready(details bool) (bool, []string) {
	if s.cfg.Ready == nil {
		return true, nil
	}
	return s.cfg.Ready(details)
}

// modelInfo is the answer of GET /model.
type modelInfo struct {
	Version     string          `json:"model_version"`
	TrainedFrom calendar.Date   `json:"trained_from"`
	TrainedTo   calendar.Date   `json:"trained_to"`
	Features    []string        `json:"features"`
	AsOf        calendar.Date   `json:"as_of"`    // of the newest price
	AgeDays     int             `json:"age_days"` // sessions that have closed since then
	Tickers     int             `json:"tickers"`
	Rows        int             `json:"rows"`
	Scores      json.RawMessage `json:"scores,omitempty"`
	Calibration any             `json:"calibration"` // *calibrate.Report or noReport
}

// ServeModel is GET /model: the model, its prices, and its test results.
func (s *Service) ServeModel(w http.ResponseWriter, r *http.Request) {
	st, err := s.current()
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	m, mk := st.model, st.market
	var scores json.RawMessage
	if s.cfg.Scores != nil {
		scores = s.cfg.Scores(m.Version())
	}
	s.sendList(w, r, modelInfo{
		Version:     m.Version(),
		TrainedFrom: m.TrainedFrom(),
		TrainedTo:   m.TrainedTo(),
		Features:    m.FeatureNames(),
		AsOf:        mk.AsOf(),
		AgeDays:     mk.Age(s.cfg.Now()),
		Tickers:     len(mk.Tickers()),
		Rows:        mk.Panel().Rows(),
		Scores:      scores,
		Calibration: st.judged.Load().info(),
	}, 0)
}

// Bounds of the lists that a GET returns.
const (
	maxPage     = 1000
	defaultPage = 100
)

// rowBytes is room for a row of a list in JSON, which has some 60 bytes unless a name is long.
const rowBytes = 80

type tickerInfo struct {
	Ticker   string        `json:"ticker"`
	Calendar string        `json:"calendar"`
	AsOf     calendar.Date `json:"as_of"`
	Close    float64       `json:"close"`
}

type tickerPage struct {
	Tickers []tickerInfo `json:"tickers"`
	Total   int          `json:"total"` // of all pages
	Limit   int64        `json:"limit"`
	Offset  int64        `json:"offset"`
}

type tickerHistory struct {
	tickerInfo
	Closes      []closeOn        `json:"closes"`      // oldest first
	Calibration []calibrate.Hits `json:"calibration"` // empty if it is not known
}

type closeOn struct {
	Date  calendar.Date `json:"date"`
	Close float64       `json:"close"`
}

// ServeTickers is GET /tickers?q=&limit=&offset=: the listed tickers by name. With q first those
// that begin with it, then those that contain it.
func (s *Service) ServeTickers(w http.ResponseWriter, r *http.Request) {
	q := newQuery(r)
	limit := q.integer("limit", defaultPage, 1, maxPage)
	offset := q.integer("offset", 0, 0, 1<<30)
	st, err := s.stateFor(q)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	search, _ := q.value("q")
	found := matching(st.market.Tickers(), string(search))
	page := tickerPage{Tickers: []tickerInfo{}, Total: len(found), Limit: limit, Offset: offset}
	rows := found[min(int(offset), len(found)):min(int(offset+limit), len(found))]
	room := len(rows) * rowBytes
	if err := grow(s.hold(w), room); err != nil {
		s.refuse(w, r, err)
		return
	}
	for _, t := range rows {
		page.Tickers = append(page.Tickers, infoOf(t))
	}
	s.sendList(w, r, page, room)
}

// ServeTickerCloses is GET /tickers/{ticker}?limit=: its last closes, 1000 at most.
func (s *Service) ServeTickerCloses(w http.ResponseWriter, r *http.Request) {
	q := newQuery(r)
	ticker := q.ticker()
	limit := q.integer("limit", defaultPage, 1, maxPage)
	st, t, err := s.find(q, ticker)
	if err != nil {
		s.refuse(w, r, err)
		return
	}
	h := tickerHistory{infoOf(t), nil, append([]calibrate.Hits{}, st.hitsOf(t)...)}
	first := max(0, t.Series.Len()-int(limit))
	room := (t.Series.Len() - first) * rowBytes
	if err := grow(s.hold(w), room); err != nil {
		s.refuse(w, r, err)
		return
	}
	for i := first; i < t.Series.Len(); i++ {
		h.Closes = append(h.Closes, closeOn{t.Series.Dates[i], t.Series.Level(i)})
	}
	s.sendList(w, r, h, room)
}

// matching returns the tickers whose names begin with search, then those that contain it. Neither
// case nor punctuation counts: brkb, BRK.B and BRK/B find BRK-B.
func matching(all []market.Ticker, search string) []*market.Ticker {
	bare := letters(search)
	if bare == "" { // nothing, or only punctuation
		bare = strings.ToUpper(search)
	}
	var first, rest []*market.Ticker
	for i := range all {
		name := strings.ToUpper(all[i].Name)
		at := strings.Index(name, bare)
		if at < 0 {
			at = strings.Index(letters(name), bare)
		}
		switch {
		case at == 0:
			first = append(first, &all[i])
		case at > 0:
			rest = append(rest, &all[i])
		}
	}
	return append(first, rest...)
}

// letters is a name in upper case without punctuation and blanks.
func letters(name string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsNumber(r) {
			return unicode.ToUpper(r)
		}
		return -1
	}, name)
}

func infoOf(t *market.Ticker) tickerInfo {
	return tickerInfo{t.Name, t.Calendar.Name(), t.AsOf, t.Close}
}

// writeValue sends an answer that is asked for too rarely to be encoded by hand.
func (s *Service) writeValue(w http.ResponseWriter, r *http.Request, status int, v any) {
	if body, ok := s.encoded(w, r, v, 0); ok {
		writeJSON(w, status, body)
	}
}

// sendList sends an answer that may be long and for which room is counted already.
func (s *Service) sendList(w http.ResponseWriter, r *http.Request, v any, room int) {
	if body, ok := s.encoded(w, r, v, room); ok {
		s.Send(w, r, "application/json", body)
	}
}

// encoded encodes an answer and counts it. If it cannot, it answers with the error.
func (s *Service) encoded(w http.ResponseWriter, r *http.Request, v any, room int) ([]byte, bool) {
	body, err := json.Marshal(v)
	if err == nil {
		err = grow(s.hold(w), cap(body)-room)
	}
	if err != nil {
		s.refuse(w, r, err)
	}
	return body, err == nil
}
