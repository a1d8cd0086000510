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

	"tickercast/bench/load"
	"tickercast/model"
	"tickercast/model/market"
	"tickercast/predict"
	"tickercast/predict/fastlane"
)

func service(tb testing.TB) *predict.Service {
	tb.Helper()
	m, err := model.Embedded()
	if err != nil {
		tb.Fatal(err)
	}
	panel, err := market.Snapshot()
	if err != nil {
		tb.Fatal(err)
	}
	mk, err := market.New(tb.Context(), panel)
	if err != nil {
		tb.Fatal(err)
	}
	s, err := predict.New(predict.Config{Model: m, Market: mk, CacheEntries: 4096})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(s.Close)
	return s
}

// handler is the service behind what every request of the real server passes, but for metrics and
// the draining check, which belong to main.
func handler(s *predict.Service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /predict", s.ServePredict)
	return predict.Recover(predict.Front(mux), func(*http.Request, error) {})
}

// overHTTP serves connections with net/http, as a server does that has all its timeouts set.
func overHTTP(h http.Handler) func(net.Listener) {
	return func(l net.Listener) { timeouts(h).Serve(l) }
}

// tryAnswer is what the fast lane asks for a body.
func tryAnswer(s *predict.Service, body []byte) (answer []byte, ok bool) {
	p, ok := s.Plain(body)
	if !ok {
		return nil, false
	}
	answer, err := s.AnswerPlain(p)
	return answer, err == nil
}

func laneAnswer(s *predict.Service) func(fastlane.Request) (fastlane.Answer, bool) {
	return func(r fastlane.Request) (fastlane.Answer, bool) {
		answer, ok := tryAnswer(s, r.Body)
		return fastlane.Answer{Body: answer}, ok
	}
}

// overLane puts the fast lane before it.
func overLane(s *predict.Service) func(net.Listener) {
	return func(l net.Listener) {
		srv := timeouts(handler(s))
		lane := fastlane.New(fastlane.Config{Listener: l, Server: srv, Answer: laneAnswer(s)})
		srv.Serve(lane)
		lane.Close()
	}
}

func timeouts(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute}
}

// memConn is a connection on which n requests wait, one for each Read that asks for more than what
// is left of the last, and which ends when they are answered. What is measured over it is the
// server alone: no kernel, no client.
type memConn struct {
	n        int // requests not yet read
	want     int // answers to be written
	next     func() []byte
	rest     []byte
	reads    int // each a system call on a real connection, as the writes are
	writes   int
	bad      []byte // the first write that was not a 200
	answered chan struct{}
	closed   chan struct{}
}

func newMemConn(n int, next func() []byte) *memConn {
	return &memConn{n: n, next: next, want: n, answered: make(chan struct{}),
		closed: make(chan struct{})}
}

func (c *memConn) Read(p []byte) (int, error) {
	c.reads++
	if len(c.rest) == 0 {
		if c.n == 0 {
			// Not before: net/http takes the end of the stream for a client that has left and waits
			// no more.
			select {
			case <-c.answered:
			case <-c.closed:
			}
			return 0, io.EOF
		}
		c.n--
		c.rest = c.next()
	}
	n := copy(p, c.rest)
	c.rest = c.rest[n:]
	return n, nil
}

func (c *memConn) Write(p []byte) (int, error) {
	if !bytes.HasPrefix(p, []byte("HTTP/1.1 200 OK\r\n")) && c.bad == nil {
		c.bad = bytes.Clone(p)
	}
	if c.writes++; c.writes == c.want {
		close(c.answered)
	}
	return len(p), nil
}

func (c *memConn) Close() error {
	select {
	case <-c.closed:
	default:
		close(c.closed)
	}
	return nil
}

func (c *memConn) LocalAddr() net.Addr              { return loopback }
func (c *memConn) RemoteAddr() net.Addr             { return loopback }
func (c *memConn) SetDeadline(time.Time) error      { return nil }
func (c *memConn) SetReadDeadline(time.Time) error  { return nil }
func (c *memConn) SetWriteDeadline(time.Time) error { return nil }

var loopback = &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}

// oneConn is a listener with one connection to give, which reports the end of the listener once
// that is closed.
type oneConn struct {
	conn  *memConn
	given bool
}

func (l *oneConn) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return l.conn, nil
	}
	<-l.conn.closed
	return nil, net.ErrClosed
}

func (l *oneConn) Close() error   { return nil }
func (l *oneConn) Addr() net.Addr { return loopback }

// exchange has a server answer n requests on one connection in memory and returns the CPU time and
// the calls that took.
func exchange(tb testing.TB, serve func(net.Listener), n int,
	next func() []byte) (cpu time.Duration, calls int) {
	tb.Helper()
	c := newMemConn(n, next)
	began := load.ProcessCPU()
	serve(&oneConn{conn: c})
	cpu = load.ProcessCPU() - began
	if c.writes != n || c.bad != nil {
		tb.Fatalf("%d writes for %d requests; the first that is no 200: %q", c.writes, n, c.bad)
	}
	return cpu, c.reads + c.writes
}

// A block is the requests that are timed together: so many that they take one or two milliseconds.
// Much less, and the caches that another task on the machine has emptied are part of the figure;
// much more, and few blocks go undisturbed.
const (
	block         = 500  // net/http
	laneBlock     = 5000 // the fast lane
	laneMissBlock = 1000
)

// besideReference times a server in blocks, each followed by one of the reference, and reports how
// many times the reference's CPU time it takes. One thread and CPU time, since what else runs on
// the machine changes both less than time on the wall; the better quarter, since it only ever adds
// to them.
func besideReference(b *testing.B, serve func(net.Listener), next func() []byte, size int) {
	b.Helper()
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	canned := overHTTP(Reference(AnswerBytes))
	hit := Hit("127.0.0.1:8080")(0)
	var own, other []float64
	total := 0
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; left -= size {
		n := min(left, size)
		cpu, calls := exchange(b, serve, n, next)
		own, total = append(own, cpu.Seconds()/float64(n)), total+calls
		b.StopTimer()
		cpu, _ = exchange(b, canned, min(n, block), hit)
		other = append(other, cpu.Seconds()/float64(min(n, block)))
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

func warmed(tb testing.TB) *predict.Service {
	s := service(tb)
	for _, body := range HitBodies() {
		if _, ok := tryAnswer(s, body); !ok {
			tb.Fatalf("%s is not answered", body)
		}
	}
	return s
}

// BenchmarkReference is net/http with a canned reply, on a connection in memory.
func BenchmarkReference(b *testing.B) {
	besideReference(b, overHTTP(Reference(AnswerBytes)), Hit("127.0.0.1:8080")(0), block)
}

// BenchmarkHit is the service behind net/http, every answer in the cache.
func BenchmarkHit(b *testing.B) {
	besideReference(b, overHTTP(handler(warmed(b))), Hit("127.0.0.1:8080")(0), block)
}

// BenchmarkMiss is the same with no answer in the cache.
func BenchmarkMiss(b *testing.B) {
	besideReference(b, overHTTP(handler(service(b))), Miss("127.0.0.1:8080")(0), block)
}

// BenchmarkLaneHit is the service in the fast lane, every answer in the cache.
func BenchmarkLaneHit(b *testing.B) {
	besideReference(b, overLane(warmed(b)), Hit("127.0.0.1:8080")(0), laneBlock)
}

// BenchmarkLaneMiss is the same with no answer in the cache.
func BenchmarkLaneMiss(b *testing.B) {
	besideReference(b, overLane(service(b)), Miss("127.0.0.1:8080")(0), laneMissBlock)
}

// BenchmarkHandler calls the handler and no server at all: what is ours of a request.
func BenchmarkHandler(b *testing.B) {
	for _, bb := range []struct {
		name string
		s    *predict.Service
		mix  Mix
	}{
		{"hit", warmed(b), Hit("127.0.0.1:8080")},
		{"miss", service(b), Miss("127.0.0.1:8080")},
	} {
		b.Run(bb.name, func(b *testing.B) {
			next, h := bb.mix(0), handler(bb.s)
			body := bytes.NewReader(nil)
			r, err := http.NewRequest("POST", "/predict", nil)
			if err != nil {
				b.Fatal(err)
			}
			r.Header.Set("Content-Type", "application/json")
			r.Body = io.NopCloser(body)
			w := &discard{header: make(http.Header)}
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

// discard is a ResponseWriter that keeps the status alone.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header    { return d.header }
func (d *discard) WriteHeader(status int) { d.status = status }
func (d *discard) Write(p []byte) (int, error) {
	if d.status == 0 {
		d.status = http.StatusOK
	}
	return len(p), nil
}

// TestAnswersAreOfTheStatedSize ties the properties that the workload claims to the answers that it
// gets.
func TestAnswersAreOfTheStatedSize(t *testing.T) {
	s := service(t)
	total, n := 0, 0
	for _, body := range HitBodies() {
		answer, ok := tryAnswer(s, body)
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
	if fmt.Sprint(Confidences()) != "[0.8 0.9 0.95 0.99]" || len(Tickers()) != 40 {
		t.Errorf("confidences %v, %d tickers", Confidences(), len(Tickers()))
	}
}

// TestMemConnServers has every in-memory server answer a stream with a remainder, so that the
// benchmarks measure what they say.
func TestMemConnServers(t *testing.T) {
	s := warmed(t)
	for name, serve := range map[string]func(net.Listener){
		"reference": overHTTP(Reference(AnswerBytes)), "net/http": overHTTP(handler(s)),
		"lane": overLane(s),
	} {
		t.Run(name, func(t *testing.T) {
			exchange(t, serve, 777, Hit("127.0.0.1:8080")(0))
		})
	}
}
