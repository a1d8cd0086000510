package predict_test

import (
	"fmt"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
	"tickercast/predict"
)

// testMarket is a market of a few tickers that moved a little each day, up to 2026-02-18.
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
		day = calendar.Next(day, 1)
	}
	path := filepath.Join(t.TempDir(), "test.csv")
	if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
		t.Fatal(err)
	}
	p, err := market.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	m, err := market.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// newService is a service of the embedded model and four tickers; change may set more of its
// Config.
func newService(t testing.TB, change ...func(*predict.Config)) *predict.Service {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	cfg := predict.Config{
		Model:  m,
		Market: testMarket(t, 1, "A", "AAPL", "MSFT", "NVDA"),
		Failed: func(_ *http.Request, err error) { t.Errorf("internal error: %v", err) },
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

// newHandler registers the routes as package main does.
func newHandler(t testing.TB, change ...func(*predict.Config)) http.Handler {
	return handlerOf(newService(t, change...))
}

func handlerOf(s *predict.Service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /predict", s.ServePredict)
	mux.HandleFunc("POST /predict/batch", s.ServeBatch)
	mux.HandleFunc("GET /predict/{ticker}", s.ServeTicker)
	mux.HandleFunc("GET /tickers", s.ServeTickers)
	mux.HandleFunc("GET /tickers/{ticker}", s.ServeTickerCloses)
	mux.HandleFunc("GET /model", s.ServeModel)
	mux.HandleFunc("GET /health", s.ServeHealth)
	mux.HandleFunc("GET /livez", s.ServeLive)
	mux.HandleFunc("GET /readyz", s.ServeReady)
	// another package's; here only its path matters
	mux.HandleFunc("GET /openapi.json", s.ServeHealth)
	return predict.Front(mux)
}
