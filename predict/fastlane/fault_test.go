package fastlane_test

import (
	"bufio"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/fastlane"
)

func TestMaxConns(t *testing.T) {
	bothWays(t, fastlane.Config{MaxConns: 2},
		func(t *testing.T, ln *memListener, l *fastlane.Lane) {
			plain, foreign := dial(t, ln), dial(t, ln)
			plain.send(post(apple))
			foreign.send("GET /health HTTP/1.1\r\nHost: a\r\n\r\n")
			dial(t, ln).ended()
			dial(t, ln).ended()
			if got := l.Stats(); got.Open != 2 || got.Rejected != 2 || got.Accepted != 4 {
				t.Errorf("got %+v, want 2 open, 2 rejected, 4 accepted", got)
			}
			for _, c := range []client{plain, foreign} {
				c.Close()
				synctest.Wait()
				again := dial(t, ln)
				again.send(post(apple))
				defer again.Close()
			}
			if got := l.Stats(); got.Open != 2 || got.Rejected != 2 {
				t.Errorf("got %+v, want 2 open, 2 rejected", got)
			}
		})
}

func TestPanicIsLeftToNetHTTP(t *testing.T) {
	const bad = `{"bad":1}`
	for name, cfg := range map[string]fastlane.Config{
		"Answer": {Answer: plainly(func(body []byte) ([]byte, bool) {
			if string(body) == bad {
				panic("oh")
			}
			return answer(body)
		})},
		"Observe": {Answer: plainly(answer), Observe: func(e fastlane.Exchange) {
			if e.Request == len(post(bad)) {
				panic("oh")
			}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			ln := newMemListener()
			var fault atomic.Value
			cfg.Listener, cfg.Fault = ln, func(err error) { fault.Store(err.Error()) }
			start(t, cfg)
			c := dial(t, ln)
			defer c.Close()
			c.Write([]byte(post(apple) + post(bad) + post(apple)))
			for i := range 3 {
				if got := c.answer().StatusCode; got != http.StatusOK {
					t.Errorf("answer %d: got status %d", i, got)
				}
			}
			c.CloseWrite()
			c.ended()
			if got, _ := fault.Load().(string); !strings.HasPrefix(got,
				"answering a request: panic: oh\n") {
				t.Errorf("got fault %q", got)
			}
		})
	}
}

// flaky fails to accept before it accepts.
type flaky struct {
	*memListener
	fails int
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.fails > 0 {
		f.fails--
		return nil, errors.New("too many open files")
	}
	return f.memListener.Accept()
}

func TestAcceptTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &flaky{newMemListener(), 4}
		srv := newServer(handler())
		faults := 0
		l := fastlane.New(fastlane.Config{Listener: ln, Answer: plainly(answer), Server: srv,
			Fault: func(err error) { faults++ }})
		go srv.Serve(l)
		begin := time.Now()
		c := dial(t, ln.memListener)
		c.send(post(apple))
		c.Close()
		if got, want := time.Since(begin), 75*time.Millisecond; got != want || faults != 4 {
			t.Errorf("accepted after %v and %d faults, want %v and 4", got, faults, want)
		}
		l.Close()
		srv.Close()
	})
}

// A connection that the system has taken before the listener closes has had its request sent, for
// all its client knows.
func TestShutdownEmptiesBacklog(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	gate := &gated{TCPListener: ln.(*net.TCPListener), open: make(chan struct{})}
	srv := newServer(handler())
	l := fastlane.New(fastlane.Config{Listener: gate, Answer: plainly(answer), Server: srv})
	served := make(chan error, 1)
	go func() { served <- srv.Serve(l) }()
	var conns []net.Conn
	for range 20 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := c.Write([]byte(post(apple))); err != nil {
			t.Fatal(err)
		}
		conns = append(conns, c)
	}
	done := make(chan error, 1)
	go func() { done <- l.Shutdown(t.Context()) }()
	for i, c := range conns {
		r, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil || r.StatusCode != http.StatusOK || !r.Close {
			t.Errorf("connection %d: got %+v, %v", i, r, err)
		}
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
	<-served
	srv.Close()
}

// gated is a listener that accepts nothing until it is given a deadline.
type gated struct {
	*net.TCPListener
	open chan struct{}
	once sync.Once
}

func (g *gated) Accept() (net.Conn, error) {
	<-g.open
	return g.TCPListener.Accept()
}

func (g *gated) SetDeadline(t time.Time) error {
	defer g.once.Do(func() { close(g.open) })
	return g.TCPListener.SetDeadline(t)
}

func TestObserve(t *testing.T) {
	ln := newMemListener()
	var got []fastlane.Exchange
	n := 0
	start(t, fastlane.Config{
		Listener:  ln,
		Answer:    plainly(answer),
		RequestID: func(b []byte) []byte { n++; return append(b, "id-"+string(rune('0'+n))...) },
		Observe: func(e fastlane.Exchange) {
			e.ID = append([]byte(nil), e.ID...)
			got = append(got, e)
		},
	})
	c := dial(t, ln)
	defer c.Close()
	c.Write([]byte(post(apple) + post(`{"big":1}`)))
	for i, body := range []string{apple, `{"big":1}`} {
		r := c.answer()
		a, _ := answer([]byte(body))
		e := got[i]
		if id := r.Header.Get("X-Request-Id"); id != string(e.ID) ||
			id != "id-"+string(rune('1'+i)) {
			t.Errorf("answer %d: id %q sent and %q observed", i, id, e.ID)
		}
		if e.Body != len(a) || e.Request != len(post(body)) || e.Duration < 0 ||
			e.Duration > time.Minute || e.Remote == nil {
			t.Errorf("answer %d: got %+v", i, e)
		}
	}
}

// TestNamedRequests sends back the names that clients give to their requests, and makes some for
// the others.
func TestNamedRequests(t *testing.T) {
	ln := newMemListener()
	var ids, traces []string
	l := start(t, fastlane.Config{
		Listener:   ln,
		Answer:     plainly(answer),
		RequestID:  func(b []byte) []byte { return append(b, "made"...) },
		ValidID:    func(id []byte) bool { return true },
		ValidTrace: func(trace []byte) bool { return true },
		Observe: func(e fastlane.Exchange) {
			ids, traces = append(ids, string(e.ID)),
				append(traces, string(e.Trace))
		},
	})
	c := dial(t, ln)
	defer c.Close()
	named := func(headers string) string {
		return strings.Replace(post(apple), "\r\n\r\n", "\r\n"+headers+"\r\n\r\n", 1)
	}
	c.Write([]byte(post(apple) + named("X-Request-Id: mine\r\nTraceparent: t1") +
		named("X-Request-Id: yours") + named("Traceparent: t2") + post(apple)))
	wantIDs, wantTraces := []string{"made", "mine", "yours", "made", "made"},
		[]string{"", "t1", "", "t2", ""}
	for i, want := range wantIDs {
		if got := c.answer().Header.Get("X-Request-Id"); got != want {
			t.Errorf("answer %d: id %q, want %q", i, got, want)
		}
	}
	if !slices.Equal(ids, wantIDs) || !slices.Equal(traces, wantTraces) {
		t.Errorf("observed %q and %q, want %q and %q", ids, traces, wantIDs, wantTraces)
	}
	if s := l.Stats(); s.HandedOver != 0 {
		t.Errorf("%d connections handed over, want none", s.HandedOver)
	}
}
