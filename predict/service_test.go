package predict_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict"
)

// testMarket is a market of tickers that move a little each day.
func testMarket(t testing.TB, scale float64, tickers ...string) *market.Market {
	t.Helper()
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	day := calendar.Of(2025, time.November, 3)
	for i := range 74 {
		for j, ticker := range tickers {
			x := float64(i*7 + j*3)
			fmt.Fprintf(&b, "%s,%s,%.4f\n", day, ticker,
				scale*float64(100+50*j)*(1+0.01*math.Sin(x)+0.003*math.Cos(x*x)))
		}
		day = calendar.Default().Next(day, 1)
	}
	path := filepath.Join(t.TempDir(), "test.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	// Some tests run in the year 2000, and the prices are of later years.
	now := func() time.Time { return day.Time() }
	p, err := market.Open(t.Context(), path, market.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	m, err := market.New(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newService is a service with the embedded model and four tickers. change may set its Config.
func newService(t testing.TB, change ...func(*predict.Config)) *predict.Service {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	s := newEmptyService(t, change...)
	mk := testMarket(t, 1, "A", "AAPL", "MSFT", "NVDA")
	if err := s.Swap(t.Context(), calibrate.Fixed(m), mk); err != nil {
		t.Fatal(err)
	}
	return s
}

// newEmptyService is newService without data.
func newEmptyService(t testing.TB, change ...func(*predict.Config)) *predict.Service {
	t.Helper()
	cfg := predict.Config{
		Failed: func(f predict.Failure) { t.Errorf("internal error: %+v", f) },
		Now:    func() time.Time { return time.Date(2026, time.March, 7, 12, 0, 0, 0, time.UTC) },
	}
	for _, c := range change {
		c(&cfg)
	}
	s, err := predict.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	return s
}

// newHandler has the routes of a server.
func newHandler(t testing.TB, change ...func(*predict.Config)) *http.ServeMux {
	return handlerOf(newService(t, change...))
}

func handlerOf(s *predict.Service) *http.ServeMux {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /predict", s.ServePredict)
	mux.HandleFunc("POST /predict/batch", s.ServeBatch)
	mux.HandleFunc("GET /predict/{ticker}", s.ServeTicker)
	mux.HandleFunc("GET /tickers", s.ServeTickers)
	mux.HandleFunc("GET /tickers/{ticker}", s.ServeTickerCloses)
	mux.HandleFunc("GET /model", s.ServeModel)
	mux.HandleFunc("GET /v2", s.ServeServerMetadata)
	mux.HandleFunc("GET /v2/health/live", s.ServeServerLive)
	mux.HandleFunc("GET /v2/health/ready", s.ServeServerReady)
	mux.HandleFunc("GET /v2/models/{name}", s.ServeModelMetadata)
	mux.HandleFunc("GET /v2/models/{name}/ready", s.ServeModelReady)
	mux.HandleFunc("POST /v2/models/{name}/infer", s.ServeModelInfer)
	const version = "/v2/models/{name}/versions/{version}"
	mux.HandleFunc("GET "+version, s.ServeModelMetadata)
	mux.HandleFunc("GET "+version+"/ready", s.ServeModelReady)
	mux.HandleFunc("POST "+version+"/infer", s.ServeModelInfer)
	mux.HandleFunc("GET /v2/models", s.ServeModels)
	mux.HandleFunc("POST /v2/repository/index", s.ServeIndex)
	mux.HandleFunc("GET /health", s.ServeHealth)
	mux.HandleFunc("GET /livez", s.ServeLive)
	mux.HandleFunc("GET /readyz", s.ServeReady)
	return mux
}

// call sends a request to a handler without a connection. A body is JSON unless headers say
// otherwise.
func call(h http.Handler, method, path, body string,
	headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

type row struct {
	Ticker    string  `json:"ticker"`
	Date      string  `json:"date"`
	Price     float64 `json:"predicted_price"`
	Lower     float64 `json:"confidence_lower"`
	Upper     float64 `json:"confidence_upper"`
	Version   string  `json:"model_version"`
	Intervals []struct{ Confidence, Lower, Upper float64 }
}

// forecast returns the rows of an answer.
func forecast(t testing.TB, s *predict.Service, body string) []row {
	t.Helper()
	r, err := predict.Decode([]byte(body))
	if err != nil {
		t.Fatalf("%.200s: %v", body, err)
	}
	answer, err := s.Answer(t.Context(), &r)
	if err != nil {
		t.Fatalf("%.200s: %v", body, err)
	}
	return rowsOf(t, answer)
}

func rowsOf(t testing.TB, answer []byte) []row {
	t.Helper()
	var rows []row
	dec := json.NewDecoder(bytes.NewReader(answer))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&rows); err != nil {
		t.Fatalf("%v in %s", err, answer)
	}
	return rows
}

// answerFast decodes and answers a request by the fast path.
func answerFast(s *predict.Service, body []byte) (answer []byte, ok bool) {
	p := predict.Plain{Body: body}
	r := s.PlainPredict()
	ok = r.Decode(&p) && r.Answer(&p) == nil
	return p.Answer, ok
}
