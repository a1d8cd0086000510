package docs_test

import (
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
	"unicode"

	"tickercast/docs"
)

// A stage is a server for the studio. Its closes and forecasts are arithmetic, and a test can slow
// it down, break it, ask for a key, or give it other prices.
type stage struct {
	*httptest.Server

	mu      sync.Mutex // guards what follows
	tickers map[string]listed
	version string
	age     int
	key     string
	refuse  func(w http.ResponseWriter) bool // answers in place of the API if it returns true
	hold    map[string]chan struct{}         // answers for "TICKER days" wait until it is closed
	asked   []question
}

// listed is a ticker: its closes are around a price, on the weekdays up to a day.
type listed struct {
	price float64
	end   string
}

type question struct {
	Ticker     string
	Days       int       `json:"days_ahead"`
	Confidence float64   `json:"confidence_interval"`
	AsOf       string    `json:"as_of"`
	History    []float64 `json:"history"`
	Levels     []float64 `json:"levels"`
}

const today = "2026-11-26"

func newStage(t *testing.T) *stage {
	t.Helper()
	s := &stage{version: "one", age: 1, hold: map[string]chan struct{}{},
		tickers: map[string]listed{"AAPL": {264.35, today}, "MSFT": {399.6, today},
			"NVDA": {187.98, today}, "BRK-B": {499.07, today}, "MSI": {420, today},
			"OLD": {80, "2026-09-30"}, "ONE": {1.03, today}, "BIG": {123456.7, today},
			"A,B": {50, today}, "LONGTICKER": {12, today}}}
	site := docs.New(docs.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", site.Page)
	mux.HandleFunc("GET /docs/{asset}", site.Asset)
	mux.HandleFunc("GET /openapi.json", site.OpenAPI)
	api := http.NewServeMux()
	api.HandleFunc("POST /predict", s.predict)
	api.HandleFunc("GET /tickers", s.list)
	api.HandleFunc("GET /tickers/{ticker}", s.closes)
	api.HandleFunc("GET /model", s.model)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		refuse, key := s.refuse, s.key
		s.mu.Unlock()
		sent := r.Header.Get("Authorization")
		switch {
		case refuse != nil && refuse(w):
		case key != "" && sent == "":
			writeJSON(w, 401, map[string]any{"detail": "Not authenticated"})
		case key != "" && sent != "Bearer "+key:
			writeJSON(w, 401, map[string]any{"detail": "Invalid API key"})
		default:
			api.ServeHTTP(w, r)
		}
	})
	s.Server = httptest.NewServer(mux)
	t.Cleanup(s.Close)
	return s
}

// set changes the stage under its lock.
func (s *stage) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// questions lists the forecasts that were asked for.
func (s *stage) questions() []question {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.asked)
}

// find is lax about case and dots, as the server is.
func (s *stage) find(name string) (string, listed, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name = strings.ReplaceAll(strings.ToUpper(name), ".", "-")
	t, ok := s.tickers[name]
	return name, t, ok
}

func date(s string) time.Time {
	d, err := time.Parse(time.DateOnly, s)
	if err != nil {
		panic(err)
	}
	return d
}

// weekdaysFrom lists n weekdays after a day, or before it if step is -1.
func weekdaysFrom(day time.Time, n, step int) (days []string) {
	for len(days) < n {
		day = day.AddDate(0, 0, step)
		if day.Weekday() != time.Saturday && day.Weekday() != time.Sunday {
			days = append(days, day.Format(time.DateOnly))
		}
	}
	return days
}

type dayClose struct {
	Date  string  `json:"date"`
	Close float64 `json:"close"`
}

// history has 300 closes. Each depends on its day only.
func (t listed) history() (closes []dayClose) {
	for _, day := range weekdaysFrom(date(t.end).AddDate(0, 0, 1), 300, -1) {
		n := float64(date(day).Unix() / 86400)
		closes = append(closes, dayClose{day, round(t.price * (1 + 0.04*math.Sin(n/9) +
			0.015*math.Sin(n*1.7)))})
	}
	slices.Reverse(closes)
	return closes
}

// round keeps six digits, as the server does for small prices.
func round(x float64) float64 {
	scale := math.Pow(10, math.Max(4, 5-math.Floor(math.Log10(x))))
	return math.Round(x*scale) / scale
}

func (s *stage) predict(w http.ResponseWriter, r *http.Request) {
	q := question{Days: 1, Confidence: 0.95}
	if err := json.NewDecoder(r.Body).Decode(&q); err != nil {
		writeJSON(w, 422, map[string]any{"detail": err.Error()})
		return
	}
	s.mu.Lock()
	s.asked = append(s.asked, q)
	wait, version := s.hold[fmt.Sprint(q.Ticker, " ", q.Days)], s.version
	s.mu.Unlock()
	if wait != nil {
		select {
		case <-wait:
		case <-r.Context().Done():
			return
		}
	}
	name, end, last := q.Ticker, today, 0.0
	if q.History != nil {
		last = q.History[len(q.History)-1]
		if q.AsOf != "" {
			end = q.AsOf
		}
	} else {
		var t listed
		var ok bool
		if name, t, ok = s.find(q.Ticker); !ok {
			writeJSON(w, 404, map[string]any{"detail": "Unknown ticker '" + q.Ticker + "'"})
			return
		}
		for _, c := range t.history() {
			if q.AsOf == "" || c.Date <= q.AsOf {
				end, last = c.Date, c.Close
			}
		}
	}
	rows := []any{}
	for i, day := range weekdaysFrom(date(end), q.Days, 1) {
		bound := func(c, sign float64) float64 {
			return round(last * math.Exp(sign*0.012*math.Sqrt(float64(i+1))*math.Sqrt2*
				math.Erfinv(c)))
		}
		row := map[string]any{"ticker": name, "date": day, "model_version": version,
			"predicted_price":  round(last * 1.0001),
			"confidence_lower": bound(q.Confidence, -1), "confidence_upper": bound(q.Confidence, 1)}
		intervals := []any{}
		for _, c := range q.Levels {
			intervals = append(intervals, map[string]any{"confidence": c, "lower": bound(c, -1),
				"upper": bound(c, 1)})
		}
		row["intervals"] = intervals
		rows = append(rows, row)
	}
	writeJSON(w, 200, rows)
}

func (s *stage) closes(w http.ResponseWriter, r *http.Request) {
	name, t, ok := s.find(r.PathValue("ticker"))
	if !ok {
		writeJSON(w, 404, map[string]any{"detail": "Unknown ticker '" + r.PathValue("ticker") + "'"})
		return
	}
	writeJSON(w, 200, map[string]any{"ticker": name, "as_of": t.end, "closes": t.history(),
		"calibration": []any{}})
}

func (s *stage) list(w http.ResponseWriter, r *http.Request) {
	bare := func(s string) string {
		return strings.Map(func(r rune) rune {
			if unicode.IsLetter(r) || unicode.IsDigit(r) {
				return unicode.ToUpper(r)
			}
			return -1
		}, s)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	found := []any{}
	for name, t := range s.tickers {
		if strings.Contains(bare(name), bare(r.FormValue("q"))) {
			found = append(found, map[string]any{"ticker": name, "as_of": t.end, "close": t.price})
		}
	}
	slices.SortFunc(found, func(a, b any) int {
		return strings.Compare(a.(map[string]any)["ticker"].(string),
			b.(map[string]any)["ticker"].(string))
	})
	writeJSON(w, 200, map[string]any{"tickers": found, "total": len(found)})
}

func (s *stage) model(w http.ResponseWriter, _ *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	newest := ""
	for _, t := range s.tickers {
		newest = max(newest, t.end)
	}
	writeJSON(w, 200, map[string]any{"model_version": s.version, "as_of": newest,
		"age_days": s.age, "tickers": len(s.tickers), "rows": 1,
		"calibration": map[string]any{"forecasts": 0, "reason": "off"}})
}
