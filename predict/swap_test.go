package predict_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict"
)

// TestSwap swaps two markets under load: every answer is from one of them, and after Swap none is
// from the one before.
func TestSwap(t *testing.T) {
	m, low, high := lowAndHigh(t)
	s := newEmptyService(t)
	if err := s.Swap(t.Context(), calibrate.Fixed(m), low); err != nil {
		t.Fatal(err)
	}
	body := []byte(`{"ticker":"A","days_ahead":30}`)

	stop := make(chan struct{})
	var readers sync.WaitGroup
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				answer, ok := answerFast(s, body)
				if !ok {
					t.Error("no answer")
					return
				}
				var rows []row
				if err := json.Unmarshal(answer, &rows); err != nil {
					t.Error(err)
					return
				}
				for _, r := range rows {
					if (r.Price > 10000) != (rows[0].Price > 10000) {
						t.Errorf("a mixed answer: %s", answer)
						return
					}
				}
			}
		})
	}
	for i := range 200 {
		next, limit := high, true
		if i%2 == 1 {
			next, limit = low, false
		}
		if err := s.Swap(t.Context(), calibrate.Fixed(m), next); err != nil {
			t.Error(err)
		}
		if got := forecast(t, s, string(body))[0].Price > 10000; got != limit {
			t.Errorf("swap %d: got an answer from the market before", i)
		}
	}
	close(stop)
	readers.Wait()
	if err := s.Swap(t.Context(), nil, low); err == nil {
		t.Error("a swap to no model: got no error")
	}
	if _, got := s.Current(); got != low {
		t.Error("a refused swap changed what is served")
	}
}

// lowAndHigh returns markets with prices for A of about 100 and 100,000.
func lowAndHigh(t *testing.T) (m *model.Model, low, high *market.Market) {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	return m, testMarket(t, 1, "A"), testMarket(t, 1000, "A", "B")
}

// TestSwapDuringRequest: a request that began before a swap gets its answer from the old market,
// and leaves it to no request that began later.
func TestSwapDuringRequest(t *testing.T) {
	const body = `{"ticker":"A"}`
	m, low, high := lowAndHigh(t)
	s := newEmptyService(t)
	if err := s.Swap(t.Context(), calibrate.Fixed(m), low); err != nil {
		t.Fatal(err)
	}
	old := predict.Plain{Body: []byte(body)}
	if !s.PlainPredict().Decode(&old) {
		t.Fatalf("%s is not decoded", body)
	}
	if err := s.Swap(t.Context(), calibrate.Fixed(m), high); err != nil {
		t.Fatal(err)
	}
	if err := s.PlainPredict().Answer(&old); err != nil {
		t.Fatal(err)
	}
	if p := rowsOf(t, old.Answer)[0].Price; p > 1000 {
		t.Errorf("a request from before the swap: got %v, want a price of the old market", p)
	}
	if p := forecast(t, s, body)[0].Price; p < 10000 {
		t.Errorf("a request from after the swap: got %v, want a price of the new market", p)
	}
}

// TestSwapEmptiesTheCache: answers from old data free their memory at once.
func TestSwapEmptiesTheCache(t *testing.T) {
	m, low, high := lowAndHigh(t)
	s := newEmptyService(t)
	if err := s.Swap(t.Context(), calibrate.Fixed(m), low); err != nil {
		t.Fatal(err)
	}
	forecast(t, s, `{"ticker":"A"}`)
	if n := s.CacheStats().Entries; n != 1 {
		t.Fatalf("got %d answers kept, want 1", n)
	}
	if err := s.Swap(t.Context(), calibrate.Fixed(m), high); err != nil {
		t.Fatal(err)
	}
	if st := s.CacheStats(); st.Entries != 0 || st.Bytes != 0 {
		t.Errorf("after a swap: got %d answers of %d bytes kept, want none", st.Entries, st.Bytes)
	}
}

// TestNoData: until the first Swap, what needs data is a 503 and everything else works.
func TestNoData(t *testing.T) {
	s := newEmptyService(t)
	h := handlerOf(s)
	const fast, refusal = `{"ticker":"A"}`, `{"detail":"Service Unavailable"}`
	closes := history(30, func(int) float64 { return 1 })
	check := func() {
		t.Helper()
		for _, c := range []struct{ method, path, body, want string }{
			{"POST", "/predict", fast, refusal},
			{"POST", "/predict", `{"ticker":"A","levels":[0.9]}`, refusal},
			{"POST", "/predict", `{"ticker":"A","history":` + closes + `}`, refusal},
			{"POST", "/predict/batch", `{"requests":[` + fast + `]}`, refusal},
			{"GET", "/predict/A", "", refusal},
			{"GET", "/tickers", "", refusal},
			{"GET", "/tickers/A", "", refusal},
			{"GET", "/model", "", refusal},
			{"POST", inferPath, inferBody(1), `{"error":"Service Unavailable"}`},
		} {
			w := call(h, c.method, c.path, c.body)
			if w.Code != 503 || w.Body.String() != c.want || w.Header().Get("Retry-After") != "1" {
				t.Errorf("%s %s %s: got %d %v %s, want 503, Retry-After 1 and %s", c.method, c.path,
					c.body, w.Code, w.Header(), w.Body, c.want)
			}
		}
		for _, path := range []string{"/health", "/livez", "/readyz", "/v2", "/v2/health/live",
			"/v2/health/ready", "/v2/models/tickercast", "/v2/models/tickercast/ready"} {
			if w := call(h, "GET", path, ""); w.Code != 200 {
				t.Errorf("GET %s: got %d, want 200", path, w.Code)
			}
		}
		for name, r := range map[string]predict.PlainRoute{"predict": s.PlainPredict(),
			"batch": s.PlainBatch()} {
			body := map[string]string{"predict": fast, "batch": `{"requests":[` + fast + `]}`}[name]
			if r.Decode(&predict.Plain{Body: []byte(body)}) {
				t.Errorf("%s: is plain without data", name)
			}
		}
		err := s.PlainTicker().Answer(&predict.Plain{Ticker: []byte("AAPL")})
		if e, ok := errors.AsType[*predict.Error](err); !ok || e.Status != 503 {
			t.Errorf("PlainTicker: got %v, want a 503", err)
		}
		if m, mk := s.Current(); m != nil || mk != nil {
			t.Errorf("Current: got %v and %v, want nil", m, mk)
		}
	}
	check()
	m, low, _ := lowAndHigh(t)
	for _, err := range []error{s.Swap(t.Context(), nil, nil),
		s.Swap(t.Context(), calibrate.Fixed(m), nil), s.Swap(t.Context(), nil, low)} {
		if err == nil {
			t.Error("a swap without data: got no error")
		}
	}
	check()
	if err := s.Swap(t.Context(), calibrate.Fixed(m), low); err != nil {
		t.Fatal(err)
	}
	if w := call(h, "POST", "/predict", fast); w.Code != 200 {
		t.Errorf("with data: got %d %s, want 200", w.Code, w.Body)
	}
	s.Close()
	if w := call(h, "POST", "/predict", fast); w.Code != 200 {
		t.Errorf("after Close: got %d %s, want 200", w.Code, w.Body)
	}
}

func TestNewRefuses(t *testing.T) {
	for name, cfg := range map[string]predict.Config{
		"TTL":          {TTL: -time.Second},
		"Timeout":      {Timeout: -time.Second},
		"MaxBody":      {MaxBody: -1},
		"MaxBatchBody": {MaxBatchBody: 1 << 31},
	} {
		if _, err := predict.New(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want an error that names it", name, err)
		}
	}
}
