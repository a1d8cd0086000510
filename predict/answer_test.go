package predict_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"

	"tickercast/model/calendar"
	"tickercast/predict"
	"tickercast/predict/internal/metrics"
)

func TestRows(t *testing.T) {
	s := newService(t)
	rows := forecast(t, s, `{"ticker":"aapl","days_ahead":30,"confidence_interval":0.9}`)
	if len(rows) != 30 {
		t.Fatalf("got %d rows, want 30", len(rows))
	}
	m, market := s.Current()
	day := market.AsOf()
	for i, r := range rows {
		day = calendar.Default().Next(day, 1)
		if r.Ticker != "AAPL" || r.Date != day.String() || r.Version != m.Version() {
			t.Errorf("row %d: got %s %s %s, want AAPL %s %s", i, r.Ticker, r.Date, r.Version, day,
				m.Version())
		}
		if !(0 < r.Lower && r.Lower < r.Price && r.Price < r.Upper) {
			t.Errorf("row %d: got %v %v %v, want them to rise", i, r.Lower, r.Price, r.Upper)
		}
	}
}

func TestKeysInOrder(t *testing.T) {
	s := newService(t)
	r, _ := predict.Decode([]byte(`{"ticker":"A","levels":[0.8]}`))
	answer, err := s.Answer(t.Context(), &r)
	if err != nil {
		t.Fatal(err)
	}
	rest := string(answer)
	for _, key := range []string{"ticker", "date", "predicted_price", "confidence_lower",
		"confidence_upper", "model_version", "intervals", "confidence", "lower", "upper"} {
		_, after, ok := strings.Cut(rest, `"`+key+`":`)
		if !ok {
			t.Fatalf("no %q in its place in %s", key, answer)
		}
		rest = after
	}
}

// TestConfidenceIsPartOfTheKey: two requests that differ only there get different bounds, cached or
// not.
func TestConfidenceIsPartOfTheKey(t *testing.T) {
	s := newService(t)
	for range 2 {
		narrow := forecast(t, s, `{"ticker":"A","confidence_interval":0.8}`)[0]
		wide := forecast(t, s, `{"ticker":"A","confidence_interval":0.99}`)[0]
		if !(wide.Lower < narrow.Lower && narrow.Upper < wide.Upper) || wide.Price != narrow.Price {
			t.Errorf("got 80%% %+v and 99%% %+v, want one inside the other", narrow, wide)
		}
	}
	if st := s.CacheStats(); st.Loads != 2 {
		t.Errorf("got %d loads, want 2", st.Loads)
	}
}

func TestLevels(t *testing.T) {
	s := newService(t)
	rows := forecast(t, s,
		`{"ticker":"A","days_ahead":3,"confidence_interval":0.9,"levels":[0.99,0.8,0.9]}`)
	plain := forecast(t, s, `{"ticker":"A","days_ahead":3,"confidence_interval":0.9}`)
	for i, r := range rows {
		if len(r.Intervals) != 3 || r.Intervals[0].Confidence != 0.99 ||
			r.Intervals[1].Confidence != 0.8 {
			t.Fatalf("row %d: got %+v, want the levels in the order asked for", i, r.Intervals)
		}
		wide, narrow, same := r.Intervals[0], r.Intervals[1], r.Intervals[2]
		if !(wide.Lower < narrow.Lower && narrow.Lower < r.Price && r.Price < narrow.Upper &&
			narrow.Upper < wide.Upper) {
			t.Errorf("row %d: got %+v round %v, want them nested", i, r.Intervals, r.Price)
		}
		if same.Lower != r.Lower || same.Upper != r.Upper || r.Lower != plain[i].Lower ||
			r.Price != plain[i].Price {
			t.Errorf("row %d: got %+v, want the same bounds as without levels %+v", i, r, plain[i])
		}
	}
}

func history(n int, f func(i int) float64) string {
	closes := make([]float64, n)
	for i := range closes {
		closes[i] = f(i)
	}
	b, _ := json.Marshal(closes)
	return string(b)
}

func TestHistory(t *testing.T) {
	s := newService(t)
	walk := history(60, func(i int) float64 { return 50 + math.Sin(float64(i*i)) })
	rows := forecast(t, s,
		`{"ticker":"my fund","days_ahead":2,"as_of":"2024-03-28","history":`+walk+`}`)
	// 2024-03-29 was Good Friday.
	if rows[0].Date != "2024-04-01" || rows[1].Date != "2024-04-02" || rows[0].Ticker != "my fund" {
		t.Errorf("got %+v, want my fund on 2024-04-01 and 02", rows)
	}
	// The clock says Saturday, 7 March 2026: the last close was Friday's.
	if got := forecast(t, s, `{"ticker":"x","history":`+walk+`}`)[0].Date; got != "2026-03-09" {
		t.Errorf("without as_of: got %s, want 2026-03-09", got)
	}
	if st := s.CacheStats(); st.Entries != 0 {
		t.Errorf("got %d answers kept, want none", st.Entries)
	}
}

// TestHistoryExtremes: whatever a client sends as prices, the answer is finite and in order.
func TestHistoryExtremes(t *testing.T) {
	s := newService(t)
	for name, f := range map[string]func(i int) float64{
		"constant": func(int) float64 { return 100 },
		"least":    func(int) float64 { return predict.MinClose },
		"most":     func(int) float64 { return predict.MaxClose },
		"from end to end": func(i int) float64 {
			return []float64{predict.MinClose,
				predict.MaxClose}[i%2]
		},
		"to the other": func(i int) float64 {
			return []float64{predict.MaxClose,
				predict.MinClose}[i%2]
		},
		"doubling":    func(i int) float64 { return math.Exp2(float64(i)) },
		"halving":     func(i int) float64 { return math.Exp2(-float64(i)) },
		"one jump":    func(i int) float64 { return []float64{1, 1e9}[i/29] },
		"last bit":    func(i int) float64 { return math.Nextafter(100, float64(i%2)*1000) },
		"penny":       func(i int) float64 { return 0.0001 * float64(1+i%3) },
		"six figures": func(i int) float64 { return 628000 + float64(i%7)*411.5 },
	} {
		body := `{"ticker":"x","days_ahead":30,"levels":[0.8,0.99],"history":` + history(30, f) +
			`}`
		for i, r := range forecast(t, s, body) {
			in, out := r.Intervals[0], r.Intervals[1]
			if !(0 <= out.Lower && out.Lower < r.Price && r.Price < out.Upper &&
				r.Lower < r.Price && r.Price < r.Upper &&
				out.Lower <= r.Lower && r.Lower <= in.Lower && in.Upper <= r.Upper &&
				r.Upper <= out.Upper) {
				t.Errorf("%s, row %d: got %+v, want it in order", name, i, r)
			}
		}
	}
}

func TestUnknownTicker(t *testing.T) {
	s := newService(t)
	r, _ := predict.Decode([]byte(`{"ticker":"ZZZZQ"}`))
	_, err := s.Answer(t.Context(), &r)
	if e, ok := err.(*predict.Error); !ok || e.Status != 404 {
		t.Errorf("got %v, want a 404", err)
	}
	if n := s.CacheStats().Entries; n != 0 {
		t.Errorf("got %d answers kept, want none", n)
	}
}

// TestFastRequest: the fast path gives the answer of the full one, or none.
func TestFastRequest(t *testing.T) {
	s := newService(t)
	for _, tt := range []struct {
		body string
		ok   bool
	}{
		{`{"ticker":"A"}`, true},
		{` {"ticker":"nvda","days_ahead":7,"confidence_interval":0.85}` + "\n", true},
		{`{"ticker":"A"}x`, false},
		{`{"ticker":"A","days_ahead":"7"}`, false},
		{`{"ticker":"ZZ"}`, false},
		{`{"ticker":"A","days_ahead":31}`, false},
		{``, false},
	} {
		for range 2 { // computed, then kept
			answer, ok := answerFast(s, []byte(tt.body))
			if ok != tt.ok {
				t.Fatalf("%s: got %v, want %v", tt.body, ok, tt.ok)
			}
			if !ok {
				continue
			}
			r, err := predict.Decode([]byte(tt.body))
			if err != nil {
				t.Fatal(err)
			}
			if want, _ := s.Answer(t.Context(), &r); !bytes.Equal(answer, want) {
				t.Errorf("%s: got %s, want %s", tt.body, answer, want)
			}
		}
	}
}

func TestMetrics(t *testing.T) {
	reg := metrics.New()
	s := newService(t, func(cfg *predict.Config) { cfg.Metrics = reg })
	h := handlerOf(s)
	for range 3 {
		answerFast(s, []byte(`{"ticker":"A"}`))
		forecast(t, s, `{"ticker":"A","days_ahead":2}`)
		call(h, "GET", "/predict/A", "")
		call(h, "POST", "/predict/batch",
			`{"requests":[{"ticker":"A"},{"ticker":"A","days_ahead":3},{"ticker":"ZZ"}]}`)
	}
	text := string(reg.AppendText(nil))
	for _, want := range []string{"predictions_total 15\n", "predict_cache_hits_total 12\n",
		"predict_duration_seconds_count 3\n"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q in\n%s", want, text)
		}
	}
}

func TestAllocations(t *testing.T) {
	s := newService(t)
	body := []byte(`{"ticker":"AAPL","days_ahead":5,"confidence_interval":0.9}`)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := predict.Decode(body); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Decode: got %v allocations, want none", n)
	}
	for name, r := range map[string]predict.PlainRoute{"predict": s.PlainPredict(),
		"ticker": s.PlainTicker(), "batch": s.PlainBatch(), "health": s.PlainHealth()} {
		p := predict.Plain{Body: body, Ticker: []byte("aapl"), IfNoneMatch: []byte(`W/"a", "b"`),
			Query: []byte("days_ahead=5&confidence_interval=0.95")}
		answerFast(s, body)
		if name == "batch" {
			p.Body = fmt.Appendf(nil, `{"requests":[%s, %s]}`, body, body)
		}
		if n := testing.AllocsPerRun(100, func() {
			if !r.Decode(&p) || r.Answer(&p) != nil || len(p.Answer) == 0 {
				t.Fatalf("%s: no answer", name)
			}
		}); n != 0 {
			t.Errorf("%s, kept: got %v allocations, want none", name, n)
		}
	}
	r, _ := predict.Decode(body)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := s.Answer(t.Context(), &r); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("Answer, kept: got %v allocations, want none", n)
	}
}
