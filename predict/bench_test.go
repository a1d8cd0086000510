package predict_test

import (
	"bytes"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"testing"

	"tickercast/predict"
)

func BenchmarkDecode(b *testing.B) {
	walk := history(250, func(i int) float64 { return 100 + math.Sin(float64(i*i)) })
	for name, body := range map[string]string{
		"plain":   `{"ticker":"AAPL","days_ahead":5,"confidence_interval":0.95}`,
		"odd":     `{"ticker":"AAPL","days_ahead":"5","confidence_interval":0.95}`,
		"wrong":   `{"ticker":"","days_ahead":0,"confidence_interval":2}`,
		"history": `{"ticker":"x","history":` + walk + `}`,
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				predict.Decode([]byte(body))
			}
		})
	}
}

func BenchmarkAnswer(b *testing.B) {
	for _, days := range []int{1, 5, 30} {
		body := fmt.Appendf(nil, `{"ticker":"AAPL","days_ahead":%d}`, days)
		b.Run(fmt.Sprintf("hit/days=%d", days), func(b *testing.B) {
			s := newService(b)
			b.ReportAllocs()
			for b.Loop() {
				answerFast(s, body)
			}
		})
		b.Run(fmt.Sprintf("miss/days=%d", days), func(b *testing.B) {
			s := newService(b)
			b.ReportAllocs()
			i := 0
			for b.Loop() {
				// Each confidence is a new key.
				i++
				answerFast(s, fmt.Appendf(body[:0:0],
					`{"ticker":"AAPL","days_ahead":%d,"confidence_interval":0.9%09d}`, days,
					i%90000000))
			}
		})
	}
}

// discard is a ResponseWriter that costs nothing.
type discard struct{ header http.Header }

func (d discard) Header() http.Header         { return d.header }
func (d discard) Write(b []byte) (int, error) { return len(b), nil }
func (d discard) WriteHeader(int)             {}

// BenchmarkHandler measures the handler without a connection, and for comparison one that always
// answers the same bytes.
func BenchmarkHandler(b *testing.B) {
	body := []byte(`{"ticker":"AAPL","days_ahead":5}`)
	s := newService(b)
	answer, _ := answerFast(s, body)
	bare := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/json")
		w.Write(answer)
	})
	for name, h := range map[string]http.Handler{"hit": http.HandlerFunc(s.ServePredict),
		"routed": handlerOf(s), "bare": bare} {
		b.Run(name, func(b *testing.B) {
			r := httptest.NewRequest("POST", "/predict", nil)
			r.Header.Set("Content-Type", "application/json")
			r.ContentLength = int64(len(body))
			reader := bytes.NewReader(body)
			r.Body = io.NopCloser(reader)
			w := discard{http.Header{}}
			b.ReportAllocs()
			for b.Loop() {
				reader.Reset(body)
				h.ServeHTTP(w, r)
			}
		})
	}
}
