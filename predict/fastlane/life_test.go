package fastlane_test

import (
	"bufio"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/memnet"
)

// client is a connection with a reader of answers.
type client struct {
	t *testing.T
	*memnet.Conn
	r *bufio.Reader
}

func dial(t *testing.T, l *memnet.Listener) client {
	t.Helper()
	c, err := l.Dial(nil)
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

// ended waits until the server closes the connection, checks that it sends nothing more, and
// returns the time.
func (c client) ended() time.Time {
	c.t.Helper()
	if rest, err := io.ReadAll(c.r); err != nil || len(rest) > 0 {
		c.t.Errorf("waiting for the end: got %q, %v", rest, err)
	}
	return time.Now()
}

// bothWays runs a test with the lane and without: what it checks holds in both.
func bothWays(t *testing.T, cfg fastlane.Config,
	test func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane)) {
	for name, all := range map[string][]fastlane.Route{"with the lane": routes(answer),
		"without": nil} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cfg, ln := cfg, memnet.Listen()
				cfg.Listener, cfg.Routes, cfg.Server = ln, all, newServer(handler())
				l, stop := start(t, cfg)
				test(t, ln, l)
				stop()
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
		{"unsupported head, no body", "", []step{{2 * time.Second, "POST /pre"},
			{time.Second / 2,
				"dict HTTP/1.1\r\nHost: a\r\nX-Request-Id: b\r\nContent-Length: 5\r\n\r\n"}},
			http.StatusRequestTimeout, 5 * time.Second},
		{"half an unsupported head", "", []step{{2 * time.Second, "POST /pre"},
			{time.Second / 2, "dict HTTP/1.1\r\nHost: a\r\nX-Request-Id: b\r\n"}}, 0,
			3 * time.Second},
	} {
		t.Run(tt.name, func(t *testing.T) {
			check := func(t *testing.T, ln *memnet.Listener, _ *fastlane.Lane) {
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
			}
			bothWays(t, fastlane.Config{}, check)
		})
	}
}

// TestBusyConnectionStays: no old deadline closes a connection that is in use.
func TestBusyConnectionStays(t *testing.T) {
	bothWays(t, fastlane.Config{}, func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
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
	bothWays(t, fastlane.Config{}, func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
		c := dial(t, ln)
		defer c.Close()
		begin := time.Now()
		for range 10 { // more than the network holds
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
		func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
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
