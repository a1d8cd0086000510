package fastlane_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"testing"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/metrics"
)

// hit is a client of a server in this process that sends one request and reads its answer, without
// an allocation of its own, so that those counted are the server's.
func hit(t testing.TB, cfg fastlane.Config, request []byte) (once func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if cfg.Listener == nil {
		cfg.Listener = ln
	} else {
		cfg.Listener = portable{ln}
	}
	start(t, cfg)
	c, err := net.Dial("tcp", ln.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })

	if _, err := c.Write(request); err != nil {
		t.Fatal(err)
	}
	r, err := http.ReadResponse(bufio.NewReader(io.TeeReader(c, io.Discard)), nil)
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatalf("got %+v, %v", r, err)
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	return func() {
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		n := 0
		for !bytes.HasSuffix(buf[:n], body) {
			m, err := c.Read(buf[n:])
			if err != nil {
				t.Fatal(err)
			}
			n += m
		}
	}
}

// portable is a listener of connections that are not known to be of TCP, which the lane uses as any
// other.
type portable struct{ net.Listener }

func (p portable) Accept() (net.Conn, error) {
	c, err := p.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return portableConn{c}, nil
}

type portableConn struct{ net.Conn }

func (c portableConn) CloseWrite() error { return c.Conn.(*net.TCPConn).CloseWrite() }

// canned answers anything with one answer, so that nothing but the lane is measured.
func canned() func(fastlane.Request) (fastlane.Answer, bool) {
	a, _ := answer([]byte(apple))
	return func(fastlane.Request) (fastlane.Answer, bool) { return fastlane.Answer{Body: a}, true }
}

// observed is a lane that counts and times what it answers.
func observed() fastlane.Config {
	r := metrics.New()
	n, h := r.Counter("n_total", "N."), r.Histogram("h_seconds", "H.")
	return fastlane.Config{
		Answer:    canned(),
		RequestID: func(b []byte) []byte { return append(b, "0123456789abcdef"...) },
		Draining:  func() bool { return false },
		Observe:   func(e fastlane.Exchange) { n.Inc(); h.Observe(e.Duration) },
	}
}

func TestHitDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	for name, cfg := range map[string]fastlane.Config{"bare": {Answer: canned()},
		"observed": observed(), "portable": {Answer: canned(), Listener: portable{}}} {
		once := hit(t, cfg, []byte(post(apple)))
		// The average is rounded down: a Date a second, or a buffer that the collector has taken
		// from the pool, is not of a hit.
		if got := testing.AllocsPerRun(2000, once); got != 0 {
			t.Errorf("%s: got %v allocations a hit, want 0", name, got)
		}
	}
}

func BenchmarkHit(b *testing.B) {
	for name, cfg := range map[string]fastlane.Config{"bare": {Answer: canned()},
		"observed": observed(), "portable": {Answer: canned(), Listener: portable{}},
		"nethttp": {}} {
		b.Run(name, func(b *testing.B) {
			once := hit(b, cfg, []byte(post(apple)))
			b.ReportAllocs()
			for b.Loop() {
				once()
			}
		})
	}
}
