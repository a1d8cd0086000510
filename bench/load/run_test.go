package load

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestNoCoordinatedOmission stalls the server for one second of ten. All requests due in that
// second must be late but the last, although only one was in flight.
func TestNoCoordinatedOmission(t *testing.T) {
	delay := func(n int) time.Duration {
		if n == 500 {
			return time.Second
		}
		return time.Millisecond
	}
	cfg := Config{Conns: 1, Rate: 100, Duration: 10 * time.Second}
	simulate(t, delay, cfg, func(t *testing.T, r *Result) {
		if r.Answers != 1000 || r.Failed() != 0 {
			t.Fatalf("%d answers, %d failed; want 1000, 0", r.Answers, r.Failed())
		}
		// The k-th request after the stalled one is due 10k ms into the stall and answered k+1 ms
		// after its end, so it waits 1001-9k ms: over 100 ms for k = 0..99. The 990th of the sorted
		// thousand is k = 10.
		if got := r.Latency.ShareAbove(100 * time.Millisecond); got != 0.1 {
			t.Errorf("share over 100 ms = %v, want 0.1", got)
		}
		if got, want := r.Latency.Quantile(0.99), 910*time.Millisecond; got < want ||
			got > want+time.Millisecond {
			t.Errorf("p99 = %v, want %v", got, want)
		}
		if got := r.Service.ShareAbove(100 * time.Millisecond); got != 0.001 {
			t.Errorf("share of exchanges over 100 ms = %v, want 0.001: only the stalled one", got)
		}
	})
	// A closed loop hides the stall.
	cfg.Rate = 0
	simulate(t, delay, cfg, func(t *testing.T, r *Result) {
		if got := r.Latency.Quantile(0.99); got > 1001*time.Microsecond {
			t.Errorf("closed loop: p99 = %v, want 1ms", got)
		}
	})
}

func TestConnectionsShareTheArrivals(t *testing.T) {
	// One of ten connections stalls; the others take what is due, and only that request is late.
	delay := func(n int) time.Duration {
		if n == 50 {
			return 500 * time.Millisecond
		}
		return time.Millisecond
	}
	simulate(t, delay, Config{Conns: 10, Rate: 100, Duration: 2 * time.Second},
		func(t *testing.T, r *Result) {
			if got := r.Latency.ShareAbove(2 * time.Millisecond); got != 1.0/200 {
				t.Errorf("share over 2 ms = %v, want 1 in 200", got)
			}
		})
}

func TestClosedLoop(t *testing.T) {
	delay := func(int) time.Duration { return 10 * time.Millisecond }
	simulate(t, delay, Config{Conns: 4, Duration: time.Second}, func(t *testing.T, r *Result) {
		if r.Answers != 400 || r.PerSecond != 400 || r.Mode != "closed" {
			t.Errorf("%d answers, %v a second, %s; want 400, 400, closed", r.Answers, r.PerSecond,
				r.Mode)
		}
	})
	simulate(t, delay, Config{Conns: 4, Duration: time.Hour, Count: 101},
		func(t *testing.T, r *Result) {
			if r.Answers != 101 || r.Seconds != 0.26 {
				t.Errorf("%d answers in %v s, want 101 in 0.26 s", r.Answers, r.Seconds)
			}
		})
}

func TestWarmupIsNotCounted(t *testing.T) {
	delay := func(n int) time.Duration {
		if n <= 100 {
			return 9 * time.Millisecond
		}
		return time.Millisecond
	}
	cfg := Config{Conns: 1, Rate: 100, Warmup: time.Second, Duration: time.Second}
	simulate(t, delay, cfg, func(t *testing.T, r *Result) {
		if r.Answers != 100 || r.Latency.Max() != time.Millisecond || r.Seconds > 1 {
			t.Errorf("%d answers in %v s, slowest %v; want 100 in 1 s, 1ms", r.Answers, r.Seconds,
				r.Latency.Max())
		}
	})
}

func TestOpenLoopCount(t *testing.T) {
	delay := func(int) time.Duration { return time.Millisecond }
	simulate(t, delay, Config{Conns: 2, Rate: 100, Duration: time.Hour, Count: 17},
		func(t *testing.T, r *Result) {
			if r.Answers != 17 {
				t.Errorf("%d answers, want 17", r.Answers)
			}
		})
}

func TestReconnect(t *testing.T) {
	delay := func(n int) time.Duration {
		if n%10 == 0 {
			return -1
		}
		return time.Millisecond
	}
	simulate(t, delay, Config{Conns: 1, Rate: 100, Duration: time.Second},
		func(t *testing.T, r *Result) {
			// The tenth connection is lost with the last request.
			if r.Answers != 90 || r.Errors["closed"] != 10 || r.Reconnects != 9 ||
				r.Failed() != 10 {
				t.Errorf("%d answers, errors %v, %d reconnects; want 90, 10 closed, 9", r.Answers,
					r.Errors, r.Reconnects)
			}
		})
}

// TestToldToClose has a server that answers three requests on a connection and then closes it: none
// is lost.
func TestToldToClose(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(map[string]int) // by connection; only one is open at a time
	srv := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if served[r.RemoteAddr]++; served[r.RemoteAddr] == 3 {
			w.Header().Set("Connection", "close")
		}
		io.WriteString(w, "[]")
	})}
	go srv.Serve(l)
	defer srv.Close()
	r, err := Run(t.Context(), Config{Addr: l.Addr().String(), Requests: constant, Conns: 1,
		Count: 10, Duration: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	if r.Answers != 10 || r.Failed() != 0 || r.Closes != 3 || r.Reconnects != 3 {
		t.Errorf("%d answers, errors %v, %d closes, %d reconnects; want 10, none, 3, 3", r.Answers,
			r.Errors, r.Closes, r.Reconnects)
	}
}

func TestTimeout(t *testing.T) {
	delay := func(n int) time.Duration {
		if n == 3 {
			return 5 * time.Second
		}
		return time.Millisecond
	}
	simulate(t, delay, Config{Conns: 1, Rate: 10, Duration: time.Second, Timeout: 2 * time.Second},
		func(t *testing.T, r *Result) {
			if r.Answers != 9 || r.Errors["timeout"] != 1 {
				t.Errorf("%d answers, errors %v; want 9, 1 timeout", r.Answers, r.Errors)
			}
		})
}

func TestCancel(t *testing.T) {
	for _, rate := range []float64{0, 50, 1e5} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			defer cancel()
			s := &fakeServer{delay: func(int) time.Duration { return time.Millisecond }}
			r, err := Run(ctx, Config{Dial: s.dial, Sleep: time.Sleep, Requests: constant, Conns: 2,
				Rate: rate, Duration: time.Hour})
			if err != nil || r.Seconds > 1.2 || r.Answers == 0 {
				t.Errorf("rate %v: %v s, %d answers, error %v; want to stop after a second", rate,
					r.Seconds, r.Answers, err)
			}
		})
	}
}

func TestServerGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &fakeServer{delay: func(int) time.Duration { return -1 }}
		dials := 0
		dial := func(ctx context.Context) (net.Conn, error) {
			if dials++; dials > 1 {
				return nil, errors.New("refused")
			}
			return s.dial(ctx)
		}
		r, err := Run(t.Context(), Config{Dial: dial, Sleep: time.Sleep, Requests: constant,
			Conns: 1, Rate: 10, Duration: time.Second})
		if err != nil || r.Errors["closed"] != 1 || r.Errors["dial"] != 9 || r.Failed() != 10 {
			t.Errorf("errors %v, %v; want 1 closed, 9 dial", r.Errors, err)
		}
		if _, err := Run(t.Context(), Config{Dial: dial, Requests: constant,
			Conns: 3}); err == nil || !strings.Contains(err.Error(),
			"3 of 3 connections: refused") {
			t.Errorf("no server from the start: error %v", err)
		}
	})
}

// TestRealServer runs both loops over TCP against net/http.
func TestRealServer(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if string(body) != "{}" {
			http.Error(w, "what?", http.StatusBadRequest)
			return
		}
		w.Write([]byte("[]"))
	}))
	defer srv.Close()
	cfg := Config{
		Addr: srv.Listener.Addr().String(), Conns: 4, Count: 500, Duration: 20 * time.Second,
		Requests: func(conn int) func() []byte {
			body := "{}"
			if conn == 3 {
				body = "[]"
			}
			return func() []byte { return NewRequest("POST", "/predict", "x", []byte(body)) }
		},
		Check: func(status int, body []byte) error {
			if string(body) != "[]" {
				return errors.New("not a list")
			}
			return nil
		},
	}
	for _, rate := range []float64{0, 2000} {
		cfg.Rate = rate
		r, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		bad := r.Statuses[400]
		if r.Answers != 500 || bad == 0 || r.Statuses[200]+bad != 500 ||
			r.Errors["unexpected"] != bad || r.Failed() != 2*bad {
			t.Errorf("rate %v: %s", rate, r)
		}
		if r.Latency.Min() <= 0 || r.BytesRead < 500*50 ||
			!strings.Contains(r.String(), "status 400") {
			t.Errorf("rate %v: %s", rate, r)
		}
	}
}
