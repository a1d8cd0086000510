//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"reflect"

	"tickercast/bench"
)

func ask(ctx context.Context, addr string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, "POST", "http://"+addr+"/predict",
		bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
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

// table is the file that the Python services read: quantiles by ticker and day.
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

func (t *table) add(rows []row) {
	if t.Tickers == nil {
		t.Tickers = make(map[string][]day)
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

// learn asks tickercast for what the others have to know: the forecasts of a month, for the Python
// services to serve, and the answers that they have to give.
func (k *kitchen) learn(ctx context.Context, addr string) error {
	t := table{Confidences: bench.Confidences()}
	for _, ticker := range bench.Tickers() {
		for _, c := range t.Confidences {
			body := fmt.Appendf(nil, `{"ticker":%q,"days_ahead":30,"confidence_interval":%v}`,
				ticker, c)
			status, answer, err := ask(ctx, addr, body)
			if err != nil {
				return err
			}
			var rows []row
			if err := json.Unmarshal(answer, &rows); status != 200 || err != nil ||
				len(rows) != 30 {
				return fmt.Errorf("%s is answered with %d %.200s", body, status, answer)
			}
			t.add(rows)
		}
	}
	b, err := json.Marshal(t)
	if err != nil {
		return err
	}
	if err := os.WriteFile(k.table, b, 0o644); err != nil {
		return err
	}
	k.answers = make(map[string][]byte)
	total := 0
	for _, body := range bench.HitBodies() {
		status, answer, err := ask(ctx, addr, body)
		if err != nil {
			return err
		}
		if status != 200 {
			return fmt.Errorf("%s is answered with %d %.200s", body, status, answer)
		}
		k.answers[string(body)] = answer
		total += len(answer)
	}
	k.answerBytes = total / len(k.answers)
	return nil
}

// check asks c for all that the Hit mix asks for and compares the answers with tickercast's: the
// same JSON is required, and exact says whether the bytes are the same too. Of a canned reply it
// wants the size. Whoever forecasts must also refuse what is no request.
func (k *kitchen) check(ctx context.Context, c *contender) (exact bool, err error) {
	exact = true
	for _, body := range bench.HitBodies() {
		want := k.answers[string(body)]
		status, got, err := ask(ctx, c.addr, body)
		if err != nil {
			return false, err
		}
		if c.canned {
			if status != 200 || len(got) != k.answerBytes {
				return false, fmt.Errorf("replies with status %d and %d bytes, want 200 and %d",
					status, len(got), k.answerBytes)
			}
			continue
		}
		if status != 200 || !sameJSON(got, want) {
			return false, fmt.Errorf("%s is answered with %d %.200s, want 200 %.200s", body, status,
				got, want)
		}
		exact = exact && bytes.Equal(got, want)
	}
	if c.canned {
		return false, nil
	}
	for body, want := range map[string]int{
		`{"ticker":"ZZZZQ"}`:                          404,
		`{"ticker":"AAAAAAAAAAAAAAAAAAAA"}`:           422,
		`{"ticker":"AAPL","days_ahead":31}`:           422,
		`{"ticker":"AAPL","confidence_interval":0.5}`: 422,
		`{"days_ahead":1}`:                            422,
	} {
		status, answer, err := ask(ctx, c.addr, []byte(body))
		if err != nil {
			return false, err
		}
		// BentoML says 400 where the contract says 422: its own framing, and no less work.
		if status != want && !(want == 422 && status == 400) {
			return false, fmt.Errorf("%s is answered with %d %.200s, want %d", body, status, answer,
				want)
		}
	}
	return exact, nil
}

func sameJSON(a, b []byte) bool {
	var x, y any
	return json.Unmarshal(a, &x) == nil && json.Unmarshal(b, &y) == nil && reflect.DeepEqual(x, y)
}
