package fastlane_test

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/memnet"
)

func TestPanicIsLeftToNetHTTP(t *testing.T) {
	const bad = `{"bad":1}`
	for name, cfg := range map[string]fastlane.Config{
		"Answer": {Routes: routes(func(r *fastlane.Request) (fastlane.Response, bool) {
			if string(r.Body) == bad {
				panic("oh")
			}
			return answer(r)
		})},
		"Draining": {Routes: routes(answer), Draining: panicsAt(2)},
	} {
		t.Run(name, func(t *testing.T) {
			ln := memnet.Listen()
			var fault atomic.Value
			cfg.Listener, cfg.Fault = ln, func(err error) { fault.Store(err.Error()) }
			l := serve(t, cfg)
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
				"answering a request: panic: oh\n") || l.Stats().HandedOver != 1 {
				t.Errorf("got fault %q, %d connections handed over", got, l.Stats().HandedOver)
			}
		})
	}
}

// panicsAt returns a Config.Draining that panics the n-th time.
func panicsAt(n int) func() bool {
	return func() bool {
		if n--; n == 0 {
			panic("oh")
		}
		return false
	}
}

// flaky fails to accept a number of times.
type flaky struct {
	*memnet.Listener
	fails int
}

func (f *flaky) Accept() (net.Conn, error) {
	if f.fails > 0 {
		f.fails--
		return nil, errors.New("too many open files")
	}
	return f.Listener.Accept()
}

func TestAcceptTriesAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &flaky{memnet.Listen(), 4}
		srv := newServer(handler())
		faults := 0
		l := fastlane.New(fastlane.Config{Listener: ln, Routes: routes(answer), Server: srv,
			Fault: func(err error) { faults++ }})
		go srv.Serve(l)
		begin := time.Now()
		c := dial(t, ln.Listener)
		c.send(post(apple))
		c.Close()
		if got, want := time.Since(begin), 75*time.Millisecond; got != want || faults != 1 {
			t.Errorf("accepted after %v and %d faults in the log, want %v and 1", got, faults, want)
		}
		l.Close()
		srv.Close()
	})
}

// TestRequest checks what Answer sees of requests, and that the replies carry the ids it saw:
// those of the clients, or new ones.
func TestRequest(t *testing.T) {
	type seen struct{ id, trace, key string }
	var got []seen
	ln, made := memnet.Listen(), 0
	l := serve(t, fastlane.Config{
		Listener: ln,
		Routes: routes(func(r *fastlane.Request) (fastlane.Response, bool) {
			got = append(got, seen{string(r.ID()), string(r.Trace()), string(r.APIKey())})
			first, second := r.Elapsed(), r.Elapsed()
			if r.Remote() == nil || first < 0 || second < first || second > time.Minute {
				t.Errorf("from %v, elapsed %v, then %v", r.Remote(), first, second)
			}
			return answer(r)
		}),
		RequestID: func(b []byte) []byte {
			made++
			return fmt.Appendf(b, "new-%d", made)
		},
		ValidID:    func(id []byte) bool { return true },
		ValidTrace: func(trace []byte) bool { return true },
	})
	c := dial(t, ln)
	defer c.Close()
	with := func(headers string) string {
		return strings.Replace(post(apple), "\r\n\r\n", "\r\n"+headers+"\r\n\r\n", 1)
	}
	c.Write([]byte(post(apple) + with("X-Request-Id: mine\r\nTraceparent: t1") +
		with("X-Request-Id:  yours \r\nX-Api-Key: k") + with("Traceparent: t2") +
		post(`{"big":1}`)))
	want := []seen{{"new-1", "", ""}, {"mine", "t1", ""}, {"yours", "", "k"}, {"new-2", "t2", ""},
		{"new-3", "", ""}}
	for i, w := range want {
		if id := c.answer().Header.Get("X-Request-Id"); id != w.id {
			t.Errorf("answer %d: id %q, want %q", i, id, w.id)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if s := l.Stats(); s.HandedOver != 0 {
		t.Errorf("%d connections handed over, want none", s.HandedOver)
	}
}

// TestElapsed measures the time of an answer, and of each pipelined request on its own.
func TestElapsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen()
		var got []time.Duration
		_, stop := start(t, fastlane.Config{Listener: ln,
			Routes: routes(func(r *fastlane.Request) (fastlane.Response, bool) {
				time.Sleep(time.Duration(1+len(got)) * time.Second)
				got = append(got, r.Elapsed())
				return answer(r)
			})})
		c := dial(t, ln)
		c.Write([]byte(post(apple) + post(apple)))
		c.answer()
		c.answer()
		if want := []time.Duration{time.Second, 2 * time.Second}; !slices.Equal(got, want) {
			t.Errorf("got %v, want %v", got, want)
		}
		c.Close()
		stop()
	})
}

// TestResponse checks replies that are not a plain 200.
func TestResponse(t *testing.T) {
	for name, tt := range map[string]struct {
		resp fastlane.Response
		want string
	}{
		"a header with a 200": {fastlane.Response{Header: http.Header{"A": {"1", "2"}}},
			"200 OK\r\nA: 1\r\nA: 2\r\nB: config\r\nX-Request-Id: id\r\nDate: now\r\n" +
				"Content-Length: 2\r\n\r\n{}"},
		"a status without a header": {fastlane.Response{Status: 429},
			"429 Too Many Requests\r\nB: config\r\nX-Request-Id: id\r\nDate: now\r\n" +
				"Content-Length: 2\r\n\r\n{}"},
		"headers around the lane's own": {fastlane.Response{Status: 503, Header: http.Header{
			"Y": {"y"}, "Retry-After": {"1"}, "B": {"b"}, "X-Request-Id": {"no"},
			"Content-Length": {"no"}, "Connection": {"close"}}},
			"503 Service Unavailable\r\nB: b\r\nConnection: close\r\nRetry-After: 1\r\n" +
				"X-Request-Id: id\r\nY: y\r\nDate: now\r\nContent-Length: 2\r\n\r\n{}"},
	} {
		t.Run(name, func(t *testing.T) {
			tt.resp.Body = []byte("{}")
			ln := memnet.Listen()
			serve(t, fastlane.Config{Listener: ln, Header: http.Header{"B": {"config"}},
				RequestID: func(b []byte) []byte { return append(b, "id"...) },
				Routes: routes(func(*fastlane.Request) (fastlane.Response, bool) {
					return tt.resp, true
				})})
			if got := string(talk(t, ln, []byte(post(apple)), 0)); got != "HTTP/1.1 "+tt.want {
				t.Errorf("got  %q\nwant %q", got, "HTTP/1.1 "+tt.want)
			}
		})
	}
}
