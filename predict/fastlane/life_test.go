package fastlane_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/fastlane"
)

// client is a connection with a reader of answers.
type client struct {
	t *testing.T
	*memConn
	r *bufio.Reader
}

func dial(t *testing.T, l *memListener) client {
	t.Helper()
	return dialRoom(t, l, 0)
}

func dialRoom(t *testing.T, l *memListener, room int) client {
	t.Helper()
	c, err := l.dial(room)
	if err != nil {
		t.Fatal(err)
	}
	return client{t, c, bufio.NewReader(c)}
}

// send writes and reads one answer.
func (c client) send(request string) *http.Response {
	c.t.Helper()
	if _, err := c.Write([]byte(request)); err != nil {
		c.t.Fatal(err)
	}
	return c.answer()
}

func (c client) answer() *http.Response {
	c.t.Helper()
	r, err := http.ReadResponse(c.r, nil)
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, r.Body); err != nil {
		c.t.Fatal(err)
	}
	return r
}

// ended waits for the server to close the connection, wants nothing more from it, and returns when
// that was.
func (c client) ended() time.Time {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Errorf("waiting for the end: got %q, %v", rest, err)
	}
	return time.Now()
}

// bothWays runs a test with the lane and without: what it checks holds in both.
func bothWays(t *testing.T, cfg fastlane.Config,
	test func(t *testing.T, ln *memListener, l *fastlane.Lane)) {
	for name, ask := range map[string]func(fastlane.Request) (fastlane.Answer,
		bool){"with the lane": plainly(answer), "without": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg := cfg
				ln := newMemListener()
				cfg.Listener, cfg.Answer, cfg.Server = ln, ask, newServer(handler())
				l := fastlane.New(cfg)
				served := make(chan error, 1)
				go func() { served <- cfg.Server.Serve(l) }()
				test(t, ln, l)
				l.Close()
				cfg.Server.Close()
				<-served
			})
		})
	}
}

func TestTimeouts(t *testing.T) {
	type step struct {
		after time.Duration
		bytes string
	}
	whole := post(apple)
	head, body := whole[:len(whole)-len(apple)], apple
	for _, tt := range []struct {
		name   string
		first  string // answered before
		steps  []step
		status int           // an answer before the end, or 0
		want   time.Duration // from the first byte of the steps, or the answer
	}{
		{"silent", "", nil, 0, 3 * time.Second},
		{"idle", whole, nil, 0, 75 * time.Second},
		{"half a head", "", []step{{time.Second, head[:30]}}, 0, 3 * time.Second},
		{"half a second head", whole, []step{{10 * time.Second, head[:30]}}, 0, 13 * time.Second},
		{"three bytes of a second head", whole, []step{{10 * time.Second, head[:3]}}, 0,
			75 * time.Second},
		{"blank line after a request", whole, []step{{10 * time.Second, "\r\n\r\n"}}, 0,
			13 * time.Second},
		{"half a request line", "", []step{{time.Second, head[:10]}}, http.StatusBadRequest,
			3 * time.Second},
		{"a request line", "", []step{{time.Second, head[:strings.Index(head, "\n")+1]}}, 0,
			3 * time.Second},
		{"a byte a second", "", []step{{time.Second, head[:1]}, {time.Second, head[1:2]},
			{time.Second * 9 / 10, head[2:3]}}, http.StatusBadRequest, 3 * time.Second},
		{"no body", "", []step{{time.Second, head}}, http.StatusRequestTimeout, 5 * time.Second},
		{"half a body", "", []step{{time.Second, head[:30]}, {time.Second, head[30:] + body[:5]}},
			http.StatusRequestTimeout, 5 * time.Second},
		{"no second body", whole, []step{{10 * time.Second, head}}, http.StatusRequestTimeout,
			15 * time.Second},
		{"foreign head, no body", "", []step{{2 * time.Second, "POST /pre"},
			{time.Second / 2,
				"dict HTTP/1.1\r\nHost: a\r\nX-Request-Id: b\r\nContent-Length: 5\r\n\r\n"}},
			http.StatusRequestTimeout, 5 * time.Second},
		{"half a foreign head", "", []step{{2 * time.Second, "POST /pre"},
			{time.Second / 2, "dict HTTP/1.1\r\nHost: a\r\nX-Request-Id: b\r\n"}}, 0,
			3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bothWays(t, fastlane.Config{}, func(t *testing.T, ln *memListener, l *fastlane.Lane) {
				c := dial(t, ln)
				defer c.Close()
				if tt.first != "" {
					c.send(tt.first)
				}
				begin := time.Now()
				for _, s := range tt.steps {
					time.Sleep(s.after)
					c.Write([]byte(s.bytes))
				}
				if tt.status != 0 {
					if got := c.answer().StatusCode; got != tt.status {
						t.Errorf("got status %d, want %d", got, tt.status)
					}
				}
				if got := c.ended().Sub(begin); got < tt.want || got > tt.want+time.Second {
					t.Errorf("closed after %v, want %v to one second more", got, tt.want)
				}
			})
		})
	}
}

// A connection that keeps being used must not be closed by a deadline that was set long ago.
func TestBusyConnectionStays(t *testing.T) {
	bothWays(t, fastlane.Config{}, func(t *testing.T, ln *memListener, l *fastlane.Lane) {
		c := dial(t, ln)
		defer c.Close()
		begin := time.Now()
		for i := range 1000 {
			if got := c.send(post(apple)).StatusCode; got != http.StatusOK {
				t.Fatalf("request %d: got status %d", i, got)
			}
			time.Sleep(time.Duration(i%75) * 990 * time.Millisecond)
		}
		last := time.Now()
		if got := c.ended().Sub(last); got > 76*time.Second {
			t.Errorf("closed %v after the last pause, %v in all", got, last.Sub(begin))
		}
	})
}

func TestSlowReader(t *testing.T) {
	bothWays(t, fastlane.Config{}, func(t *testing.T, ln *memListener, l *fastlane.Lane) {
		c := dialRoom(t, ln, 1000)
		defer c.Close()
		begin := time.Now()
		for range 3 {
			c.Write([]byte(post(`{"big":1}`)))
		}
		time.Sleep(5 * time.Second)
		if got := l.Stats().Open; got != 1 {
			t.Fatalf("after 5 s: got %d connections, want 1", got)
		}
		for l.Stats().Open > 0 {
			time.Sleep(100 * time.Millisecond)
		}
		if got := time.Since(begin); got < 10*time.Second || got > 11*time.Second {
			t.Errorf("closed after %v, want 10 s to 11 s", got)
		}
	})
}

func TestDraining(t *testing.T) {
	var draining atomic.Bool
	bothWays(t, fastlane.Config{Draining: draining.Load},
		func(t *testing.T, ln *memListener, l *fastlane.Lane) {
			draining.Store(false)
			c := dial(t, ln)
			defer c.Close()
			if r := c.send(post(apple)); r.Close {
				t.Error("closing before it drains")
			}
			draining.Store(true)
			time.Sleep(time.Minute)
			// The handler of these tests does not drain, the lane does.
			r := c.send(post(apple) + post(apple))
			if l.Stats().HandedOver == 0 {
				if !r.Close {
					t.Error("draining, and yet no Connection: close")
				}
				c.ended()
			}
		})
}

func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newMemListener()
		srv := newServer(handler())
		l := fastlane.New(fastlane.Config{Listener: ln, Answer: plainly(answer), Server: srv})
		served := make(chan error, 1)
		go func() { served <- srv.Serve(l) }()

		silent, idle, head, body, foreign := dial(t, ln), dial(t, ln), dial(t, ln), dial(t, ln),
			dial(t, ln)
		idle.send(post(apple))
		head.Write([]byte(post(apple)[:40]))
		body.Write([]byte(post(apple)[:len(post(apple))-4]))
		foreign.Write([]byte("POST /predi"))
		synctest.Wait()

		begin := time.Now()
		done := make(chan error, 1)
		go func() { done <- l.Shutdown(t.Context()) }()
		for _, c := range []client{silent, idle} {
			if got := c.ended().Sub(begin); got > 100*time.Millisecond {
				t.Errorf("a connection without a request closed after %v", got)
			}
		}
		if _, err := ln.dial(0); !errors.Is(err, net.ErrClosed) {
			t.Errorf("dialling while it shuts down: got %v", err)
		}
		time.Sleep(time.Second)
		select {
		case err := <-done:
			t.Fatalf("Shutdown returned %v with requests half read", err)
		default:
		}
		for _, c := range []client{head, body} {
			rest := post(apple)[40:]
			if c == body {
				rest = post(apple)[len(post(apple))-4:]
			}
			if r := c.send(rest); r.StatusCode != http.StatusOK || !r.Close {
				t.Errorf("the rest of a request: got status %d, close %v; want 200, true",
					r.StatusCode, r.Close)
			}
			c.ended()
		}
		if r := foreign.send("ct2 HTTP/1.1\r\nHost: a\r\n\r\n"); r.StatusCode != http.StatusNotFound {
			t.Errorf("foreign request: got status %d, want 404", r.StatusCode)
		}
		if err := <-done; err != nil {
			t.Errorf("Shutdown: %v", err)
		}
		if err := <-served; !errors.Is(err, net.ErrClosed) {
			t.Errorf("Serve: got %v, want %v", err, net.ErrClosed)
		}
		if err := srv.Shutdown(t.Context()); err != nil {
			t.Errorf("Server.Shutdown: %v", err)
		}
		foreign.ended()
		if got := l.Stats(); got.Open != 0 || got.InLane != 0 || got.TimedOut != 0 {
			t.Errorf("at the end: got %+v", got)
		}
	})
}

// What a client has sent before the connection was closed to it must be answered, however late the
// server looks.
func TestShutdownAnswersWhatWasSent(t *testing.T) {
	for range 50 {
		synctest.Test(t, func(t *testing.T) {
			ln := newMemListener()
			srv := newServer(handler())
			l := fastlane.New(fastlane.Config{Listener: ln, Answer: plainly(answer), Server: srv})
			go srv.Serve(l)
			c := dial(t, ln)
			c.send(post(apple))
			go l.Shutdown(t.Context())
			if r := c.send(post(apple)); r.StatusCode != http.StatusOK {
				t.Errorf("got status %d", r.StatusCode)
			}
			srv.Shutdown(t.Context())
		})
	}
}

func TestShutdownGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := newMemListener()
		srv := newServer(handler())
		srv.ReadHeaderTimeout = 0
		srv.ReadTimeout = 0
		l := fastlane.New(fastlane.Config{Listener: ln, Answer: plainly(answer), Server: srv})
		go srv.Serve(l)
		c := dial(t, ln)
		c.Write([]byte("POST"))
		synctest.Wait()
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		begin := time.Now()
		if err := l.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
		}
		if got := c.ended().Sub(begin); got != time.Minute {
			t.Errorf("closed after %v, want 1 m", got)
		}
		srv.Close()
	})
}
