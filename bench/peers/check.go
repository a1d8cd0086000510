//go:build linux

package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"reflect"
	"slices"

	"tickercast/bench"
)

// query is a request on the wire.
type query struct {
	Ticker     string  `json:"ticker"`
	Days       int     `json:"days_ahead"`
	Confidence float64 `json:"confidence_interval"`
}

// row is one day of a forecast on the wire.
type row struct {
	Ticker  string  `json:"ticker"`
	Date    string  `json:"date"`
	Price   float64 `json:"predicted_price"`
	Lower   float64 `json:"confidence_lower"`
	Upper   float64 `json:"confidence_upper"`
	Version string  `json:"model_version"`
}

// table is the file that the Python services read.
type table struct {
	Version     string           `json:"model_version"`
	Confidences []float64        `json:"confidences"`
	Tickers     map[string][]day `json:"tickers"`
}

type day struct {
	Date  string    `json:"date"`
	Price float64   `json:"price"`
	Lower []float64 `json:"lower"` // by confidence
	Upper []float64 `json:"upper"`
}

// add adds the month of a ticker. Confidences must not fall from one call to the next.
func (t *table) add(confidence float64, rows []row) {
	if t.Tickers == nil {
		t.Tickers = make(map[string][]day)
	}
	if !slices.Contains(t.Confidences, confidence) {
		t.Confidences = append(t.Confidences, confidence)
	}
	days := t.Tickers[rows[0].Ticker]
	if days == nil {
		days = make([]day, len(rows))
	}
	for i, r := range rows {
		days[i].Date, days[i].Price = r.Date, r.Price
		days[i].Lower = append(days[i].Lower, r.Lower)
		days[i].Upper = append(days[i].Upper, r.Upper)
	}
	t.Tickers[rows[0].Ticker], t.Version = days, rows[0].Version
}

// learn asks tickercast for what the others need: the forecasts of a month, which the Python
// services serve, and the answers that they must give.
func (s *setup) learn(ctx context.Context, addr string) error {
	s.answers = make(map[string][]byte)
	total := 0
	for _, request := range s.requests("localhost") {
		answer, err := s.send(ctx, addr, request)
		if err != nil {
			return err
		}
		s.answers[string(request)] = answer
		total += len(answer)
	}
	s.answerBytes = total / len(s.answers)

	var months []query
	for _, body := range bench.HitBodies() {
		var q query
		if err := json.Unmarshal(body, &q); err != nil {
			return err
		}
		q.Days = 30
		months = append(months, q)
	}
	var t table
	slices.SortFunc(months, func(a, b query) int { return cmp.Compare(a.Confidence, b.Confidence) })
	for _, q := range months {
		body, err := json.Marshal(q)
		if err != nil {
			return err
		}
		answer, err := s.ask(ctx, addr, body, 200)
		if err != nil {
			return err
		}
		var rows []row
		if err := json.Unmarshal(answer, &rows); err != nil || len(rows) != q.Days {
			return fmt.Errorf("%s is answered with %.200s", body, answer)
		}
		t.add(q.Confidence, rows)
	}
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	return os.WriteFile(s.table, b, 0o644)
}

// check sends c the requests of the road and compares the answers with tickercast's. The JSON must
// be the same; exact reports whether the bytes are too. A canned reply must have the right size,
// and so must the answer of a peer to a history, for which it has no model. On the first road a
// server that forecasts must also refuse what is not valid.
func (s *setup) check(ctx context.Context, c *contender) (exact bool, err error) {
	exact = !c.canned
	for _, request := range s.requests("localhost") {
		got, err := s.send(ctx, c.addr, request)
		if err != nil {
			return false, err
		}
		want := s.answers[string(request)]
		modelled := s.road.Name == "history" && c.name != subject
		switch {
		case c.canned && len(got) != s.cannedBytes():
			return false, fmt.Errorf("replies with %d bytes, want %d", len(got), s.cannedBytes())
		case modelled && !c.canned && countRows(got) != countRows(want):
			return false, fmt.Errorf("%.200s is answered with %.200s", request, got)
		case !modelled && !c.canned && !sameJSON(got, want):
			return false, fmt.Errorf("%.400s is answered with 200 %.200s, want 200 %.200s",
				request, got, want)
		}
		exact = exact && bytes.Equal(got, want)
	}
	if c.canned || s.road.Name != firstRoad {
		return exact, nil
	}
	if _, err := s.ask(ctx, c.addr, []byte(`{"ticker":"ZZZZQ"}`), 404); err != nil {
		return false, err
	}
	for _, invalid := range []string{`{"ticker":"AAAAAAAAAAAAAAAAAAAA"}`, `{"days_ahead":1}`,
		`{"ticker":"AAPL","days_ahead":31}`, `{"ticker":"AAPL","confidence_interval":0.5}`} {
		// BentoML's own validation answers 400 where the contract has 422, after the same work.
		if _, err := s.ask(ctx, c.addr, []byte(invalid), 422, 400); err != nil {
			return false, err
		}
	}
	return exact, nil
}

func countRows(answer []byte) int { return bytes.Count(answer, []byte(`"predicted_price"`)) }

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
