package predict_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"tickercast/predict"
)

func TestReady(t *testing.T) {
	ready, reasons := true, []string{"prices.csv:7: \"x\" is not a date"}
	h := newHandler(t,
		func(cfg *predict.Config) {
			cfg.Ready = func(bool) (bool, []string) {
				return ready,
					reasons
			}
		})
	if w := call(h, "GET", "/readyz", ""); w.Code != 200 ||
		w.Body.String() != `{"status":"ready","reasons":["prices.csv:7: \"x\" is not a date"]}` {
		t.Errorf("ready: got %d %s", w.Code, w.Body)
	}
	ready, reasons = false, []string{"draining"}
	if w := call(h, "GET", "/readyz", ""); w.Code != 503 ||
		w.Body.String() != `{"status":"not ready","reasons":["draining"]}` {
		t.Errorf("draining: got %d %s", w.Code, w.Body)
	}
}

func TestTickers(t *testing.T) {
	h := newHandler(t)
	for _, tt := range []struct{ path, want string }{
		{"/tickers?limit=2",
			`{"tickers":[{"ticker":"A","calendar":"XNYS","as_of":"2026-02-19","close":100.7853},{"ticker":"AAPL","calendar":"XNYS","as_of":"2026-02-19","close":148.9559}],"total":4,"limit":2,"offset":0}`},
		{"/tickers?limit=2&offset=9", `{"tickers":[],"total":4,"limit":2,"offset":9}`},
		{"/tickers?offset=-1",
			`{"detail":[{"type":"greater_than_equal","loc":["query","offset"],"msg":"Input should be greater than or equal to 0","input":"-1","ctx":{"ge":0}}]}`},
		{"/tickers/aapl?limit=1",
			`{"ticker":"AAPL","calendar":"XNYS","as_of":"2026-02-19","close":148.9559,"closes":[{"date":"2026-02-19","close":148.9559}],"calibration":[]}`},
		{"/tickers/zz", `{"detail":"Unknown ticker 'zz'"}`},
	} {
		if got := call(h, "GET", tt.path, "").Body.String(); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.path, got, tt.want)
		}
	}
	var page struct{ Tickers []struct{ Ticker string } }
	json.Unmarshal(call(h, "GET", "/tickers?q=a", "").Body.Bytes(), &page)
	if got := fmt.Sprint(page.Tickers); got != "[{A} {AAPL} {NVDA}]" {
		t.Errorf("q=a: got %s, want those that begin with it first", got)
	}
	for _, q := range []string{"nv.da", "NV-DA", "nv%20da", "/nvda."} {
		json.Unmarshal(call(h, "GET", "/tickers?q="+q, "").Body.Bytes(), &page)
		if got := fmt.Sprint(page.Tickers); got != "[{NVDA}]" {
			t.Errorf("q=%s: got %s, want NVDA, as punctuation does not count", q, got)
		}
	}
	if got := call(h, "GET", "/tickers?q=.", "").Body.String(); !strings.Contains(got, `"total":0`) {
		t.Errorf("q=.: got %s, want no ticker, as none has a dot", got)
	}
	var closes struct{ Closes []struct{ Date string } }
	json.Unmarshal(call(h, "GET", "/tickers/A", "").Body.Bytes(), &closes)
	if n := len(closes.Closes); n != 74 || closes.Closes[0].Date >= closes.Closes[n-1].Date {
		t.Errorf("got %d closes, want 74, oldest first", n)
	}
}

func TestModel(t *testing.T) {
	s := newService(t, func(cfg *predict.Config) {
		cfg.Scores = func(version string) json.RawMessage {
			return fmt.Appendf(nil, `{"of":%q}`,
				version)
		}
	})
	w := call(handlerOf(s), "GET", "/model", "")
	var got struct {
		Version string `json:"model_version"`
		AsOf    string `json:"as_of"`
		Age     int    `json:"age_days"`
		Tickers int
		Scores  map[string]string
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	m, _ := s.Current()
	// From 19 February to 7 March 2026 there are 11 trading days.
	if got.Version != m.Version() || got.AsOf != "2026-02-19" || got.Age != 11 ||
		got.Tickers != 4 || got.Scores["of"] != m.Version() {
		t.Errorf("got %s", w.Body)
	}
}
