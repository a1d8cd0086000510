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

// hit starts a server and returns a function that sends it a request and reads the answer. The
// function does not allocate, so any allocation is the server's.
func hit(t testing.TB, cfg fastlane.Config, request []byte) (once func()) {
	t.Helper()
	ln := listenTCP(t)
	if cfg.Listener == nil {
		cfg.Listener = ln
	} else {
		cfg.Listener = portable{ln}
	}
	serve(t, cfg)
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

// portable hides that its connections are TCP, so that the lane uses no raw sockets.
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

// canned gives one answer to everything, so that only the lane is measured.
func canned() func(*fastlane.Request) (fastlane.Response, bool) {
	a, _ := predict([]byte(apple))
	return func(*fastlane.Request) (fastlane.Response, bool) {
		return fastlane.Response{Body: a}, true
	}
}

// observed is a lane that counts and times what it answers, and sends request ids.
func observed() fastlane.Config {
	reg := metrics.New()
	n, h := reg.Counter("n_total", "N."), reg.Histogram("h_seconds", "H.")
	answer := canned()
	return fastlane.Config{
		Routes: routes(func(r *fastlane.Request) (fastlane.Response, bool) {
			resp, ok := answer(r)
			n.Inc()
			h.Observe(r.Elapsed())
			return resp, ok
		}),
		RequestID: func(b []byte) []byte { return append(b, "0123456789abcdef"...) },
		Draining:  func() bool { return false },
	}
}

func TestHitDoesNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector makes sync.Pool forget at random")
	}
	for name, cfg := range map[string]fastlane.Config{"bare": {Routes: routes(canned())},
		"observed": observed(), "portable": {Routes: routes(canned()), Listener: portable{}}} {
		once := hit(t, cfg, []byte(post(apple)))
		// The average is rounded down. A new Date each second, or a buffer in place of one that
		// was garbage collected, does not count.
		if got := testing.AllocsPerRun(2000, once); got != 0 {
			t.Errorf("%s: got %v allocations a hit, want 0", name, got)
		}
	}
}

func BenchmarkHit(b *testing.B) {
	for name, cfg := range map[string]fastlane.Config{"bare": {Routes: routes(canned())},
		"observed": observed(), "portable": {Routes: routes(canned()), Listener: portable{}},
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
