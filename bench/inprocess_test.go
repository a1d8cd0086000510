package bench

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime"
	"slices"
	"testing"
	"time"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict"
	"tickercast/predict/fastlane"
)

func newService(tb testing.TB) *predict.Service {
	tb.Helper()
	m, err := model.Embedded()
	if err != nil {
		tb.Fatal(err)
	}
	panel, err := market.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	mk, err := market.New(tb.Context(), panel, nil)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := predict.New(predict.Config{CacheEntries: 4096})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	if err := s.Swap(tb.Context(), calibrate.Fixed(m), mk); err != nil {
		tb.Fatal(err)
	}
	return s
}

// newWarmService has all answers to Hit in its cache.
func newWarmService(tb testing.TB) *predict.Service {
	s := newService(tb)
	for _, body := range HitBodies() {
		if _, ok := fastAnswer(s, body); !ok {
			tb.Fatalf("%s is not answered", body)
		}
	}
	return s
}

// handler is the endpoint as a ServeMux calls it, without what a server puts in front.
func handler(s *predict.Service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /predict", s.ServePredict)
	return mux
}

// fastAnswer returns the answer that the fast lane sends for a body.
func fastAnswer(s *predict.Service, body []byte) (answer []byte, ok bool) {
	p, r := predict.Plain{Body: body}, s.PlainPredict()
	ok = r.Decode(&p) && r.Answer(&p) == nil
	return p.Answer, ok
}

// newHTTPServer sets all timeouts, as the real server does.
func newHTTPServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute}
}

func overHTTP(h http.Handler) func(net.Listener) {
	return func(l net.Listener) { newHTTPServer(h).Serve(l) }
}

func overLane(s *predict.Service) func(net.Listener) {
	plain := s.PlainPredict()
	routes := []fastlane.Route{{Method: "POST", Path: "/predict",
		Answer: func(r *fastlane.Request) (fastlane.Response, bool) {
			p := r.Scratch.(*predict.Plain)
			p.Body = r.Body
			ok := plain.Decode(p) && plain.Answer(p) == nil
			return fastlane.Response{Body: p.Answer}, ok
		}}}
	return func(l net.Listener) {
		srv := newHTTPServer(handler(s))
		lane := fastlane.New(fastlane.Config{Listener: l, Server: srv, Routes: routes,
			NewScratch: func() any { return new(predict.Plain) }})
		srv.Serve(lane)
		lane.Close()
	}
}

const host = "127.0.0.1:8080" // in requests

// A block is the number of requests that are timed together: one or two milliseconds of work. In a
// shorter one the CPU caches that other tasks emptied would count; few longer ones would be
// undisturbed.
const (
	block         = 500  // net/http
	laneBlock     = 5000 // the fast lane
	laneMissBlock = 1000
)

// besideReference times a server in blocks, each followed by one of the reference, and reports its
// CPU time as a multiple of the reference's. Other load on the machine can only add to it, so it
// uses one thread, CPU time and the lower quartile.
func besideReference(b *testing.B, serve func(net.Listener), workload func(string) Workload,
	size int) {
	b.Helper()
	besideCanned(b, serve, workload, size, Hit, AnswerBytes)
}

// besideCanned is besideReference for a reference that gets requests of its own and sends a reply
// of its own size.
func besideCanned(b *testing.B, serve func(net.Listener), workload func(string) Workload, size int,
	asked func(string) Workload, replyBytes int) {
	b.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	reference := overHTTP(Reference(replyBytes))
	next, hit := workload(host)(0), asked(host)(0)
	var own, other []float64
	total := 0
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= size {
		n := min(left, size)
		cpu, calls := exchange(b, serve, n, next)
		own, total = append(own, cpu.Seconds()/float64(n)), total+calls
		b.StopTimer()
		n = min(n, block)
		cpu, _ = exchange(b, reference, n, hit)
		other = append(other, cpu.Seconds()/float64(n))
		b.StartTimer()
	}
	b.StopTimer()
	b.ReportMetric(float64(total)/float64(b.N), "calls/op")
	b.ReportMetric(lowerQuartile(own)/lowerQuartile(other), "x-reference")
}

func lowerQuartile(v []float64) float64 {
	slices.Sort(v)
	return v[len(v)/4]
}

// BenchmarkReference is net/http with a canned reply.
func BenchmarkReference(b *testing.B) {
	besideReference(b, overHTTP(Reference(AnswerBytes)), Hit, block)
}

// BenchmarkHit is the service behind net/http, every answer in the cache.
func BenchmarkHit(b *testing.B) {
	besideReference(b, overHTTP(handler(newWarmService(b))), Hit, block)
}

// BenchmarkMiss is the same with no answer in the cache.
func BenchmarkMiss(b *testing.B) {
	besideReference(b, overHTTP(handler(newService(b))), Miss, block)
}

// BenchmarkLaneHit is the service in the fast lane, every answer in the cache.
func BenchmarkLaneHit(b *testing.B) {
	besideReference(b, overLane(newWarmService(b)), Hit, laneBlock)
}

// BenchmarkLaneMiss is the same with no answer in the cache.
func BenchmarkLaneMiss(b *testing.B) {
	besideReference(b, overLane(newService(b)), Miss, laneMissBlock)
}

// BenchmarkHandler calls the handler without a server: the share of a request that is not net/http.
func BenchmarkHandler(b *testing.B) {
	for _, bb := range []struct {
		name     string
		s        *predict.Service
		workload Workload
	}{
		{"hit", newWarmService(b), Hit(host)},
		{"miss", newService(b), Miss(host)},
	} {
		b.Run(bb.name, func(b *testing.B) {
			next, h := bb.workload(0), handler(bb.s)
			body := bytes.NewReader(nil)
			r, err := http.NewRequest("POST", "/predict", nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Body = io.NopCloser(body)
			w := &statusWriter{header: make(http.Header)}
			b.ReportAllocs()
			for b.Loop() {
				_, content, _ := bytes.Cut(next(), []byte("\r\n\r\n"))
				body.Reset(content)
				r.ContentLength = int64(len(content))
				w.status = 0
				h.ServeHTTP(w, r)
				if w.status != http.StatusOK {
					b.Fatalf("status %d", w.status)
				}
			}
		})
	}
}

// statusWriter is a ResponseWriter that keeps only the status.
type statusWriter struct {
	header http.Header
	status int
}

func (w *statusWriter) Header() http.Header    { return w.header }
func (w *statusWriter) WriteHeader(status int) { w.status = status }
func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return len(p), nil
}

// TestAnswersAreOfTheStatedSize compares the sizes that the workload claims with those of answers.
func TestAnswersAreOfTheStatedSize(t *testing.T) {
	s := newService(t)
	total, n := 0, 0
	for _, body := range HitBodies() {
		answer, ok := fastAnswer(s, body)
		if !ok {
			t.Fatalf("%s is not answered", body)
		}
		total, n = total+len(answer), n+1
		if len(answer) < AnswerBytes*93/100 || len(answer) > AnswerBytes*107/100 {
			t.Errorf("%s has an answer of %d bytes, want about %d", body, len(answer), AnswerBytes)
		}
	}
	if mean := total / n; mean < AnswerBytes*98/100 || mean > AnswerBytes*102/100 {
		t.Errorf("answers have %d bytes on average, want %d", mean, AnswerBytes)
	}
	if fmt.Sprint(confidences) != "[0.8 0.9 0.95 0.99]" || len(tickers) != 40 {
		t.Errorf("confidences %v, %d tickers", confidences, len(tickers))
	}
}

// TestMemConnServers has every server answer a number of requests that is no multiple of a block.
func TestMemConnServers(t *testing.T) {
	s := newWarmService(t)
	for name, serve := range map[string]func(net.Listener){
		"reference": overHTTP(Reference(AnswerBytes)), "net/http": overHTTP(handler(s)),
		"lane": overLane(s),
	} {
		t.Run(name, func(t *testing.T) { exchange(t, serve, 777, Hit(host)(0)) })
	}
}
