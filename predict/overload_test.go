package predict_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict"
)

// TestCostly refuses calls that ask for much, before the body is read where possible, and no
// others.
func TestCostly(t *testing.T) {
	overloaded, full, asked, inside := false, false, 0, 0
	h := newHandler(t, func(cfg *predict.Config) {
		cfg.Overloaded = func(int) bool { asked++; return overloaded }
		cfg.Slot = func(context.Context, int) (func(), error) {
			if full {
				return nil, predict.ErrOverload()
			}
			inside++
			return func() { inside-- }, nil
		}
	})
	history := `{"ticker":"X","days_ahead":5.0,"history":[` + strings.TrimSuffix(strings.Repeat("100,101,", 200),
		",") + `]}`
	calls := []struct{ path, body, refusal string }{
		{"/predict/batch", `{"requests":[{"ticker":"AAPL"}]}`, `{"detail":"Service Unavailable"}`},
		{inferPath, `{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":["AAPL"]}]}` +
			strings.Repeat(" ", 256), `{"error":"Service Unavailable"}`},
		{"/predict", history, `{"detail":"Service Unavailable"}`},
	}
	for _, step := range []struct {
		overloaded, full bool
		want             int
	}{{false, false, 200}, {true, false, 503}, {false, true, 503}, {false, false, 200}} {
		overloaded, full = step.overloaded, step.full
		for _, c := range calls {
			asked = 0
			want, times := step.want, 1
			if c.path == "/predict" { // only the body tells that it is costly
				if times = 0; !full {
					want = 200
				}
			}
			w := call(h, "POST", c.path, c.body)
			if w.Code != want || inside != 0 || asked != times {
				t.Errorf("%s, %+v: %d %s, %d still inside, asked %d times; want none, %d", c.path,
					step, w.Code, w.Body, inside, asked, times)
			}
			if h := w.Header(); w.Code == 503 && (w.Body.String() != c.refusal ||
				h.Get("Retry-After") != "1" || h.Get("Connection") != "" ||
				h.Get("Content-Type") != "application/json") {
				t.Errorf("%s: refused with %v %s; want Retry-After, and the connection kept",
					c.path, h, w.Body)
			}
		}
	}
	overloaded, full = true, true
	if w := call(h, "POST", "/predict", `{"ticker":"AAPL","days_ahead":7}`); w.Code != 200 {
		t.Errorf("a short request: status %d, want 200", w.Code)
	}
	usual := strings.Replace(history, "5.0", "5", 1)
	if w := call(h, "POST", "/predict", usual); w.Code != 200 {
		t.Errorf("a history in the usual form: status %d, want 200", w.Code)
	}
	if w := call(h, "POST", inferPath, strings.TrimSpace(calls[1].body)); w.Code != 200 {
		t.Errorf("a short inference: status %d, want 200", w.Code)
	}
	if asked != 0 {
		t.Errorf("a cheap request asked for a slot")
	}
}

// TestTimeout ends a batch between two of its items, each of which takes 400 ms.
func TestTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := false
		s := newService(t, func(cfg *predict.Config) {
			cfg.Timeout = time.Second
			now := cfg.Now
			cfg.Now = func() time.Time { // asked for by a history without a date
				if slow {
					time.Sleep(400 * time.Millisecond)
				}
				return now()
			}
		})
		defer s.Close()
		h := handlerOf(s)
		batchOf := func(n int) string {
			item := `{"ticker":"X","history":[` + strings.TrimSuffix(strings.Repeat("100,101,", 20),
				",") + `]},`
			return `{"requests":[` + strings.TrimSuffix(strings.Repeat(item, n), ",") + `]}`
		}
		slow = true
		if w := call(h, "POST", "/predict/batch", batchOf(2)); w.Code != 200 ||
			!strings.HasPrefix(w.Body.String(), `{"results":[{"predictions":`) {
			t.Errorf("in time: %d %.100s, want 200", w.Code, w.Body)
		}
		start := time.Now()
		w := call(h, "POST", "/predict/batch", batchOf(4))
		if w.Code != 504 || w.Body.String() != `{"detail":"Gateway Timeout"}` {
			t.Errorf("too slow: %d %s, want a 504", w.Code, w.Body)
		}
		if took := time.Since(start); took > 1200*time.Millisecond {
			t.Errorf("answered after %v: an item began after its time", took)
		}
	})
}

// TestSlotGetsTheTimeLeft: a batch waits for its slot no longer than it may take, and a history,
// whose client may have closed its sending side, without a limit.
func TestSlotGetsTheTimeLeft(t *testing.T) {
	var limited []bool
	h := newHandler(t, func(cfg *predict.Config) {
		cfg.Timeout = time.Minute
		cfg.Slot = func(ctx context.Context, _ int) (func(), error) {
			_, ok := ctx.Deadline()
			limited = append(limited, ok)
			return nil, context.DeadlineExceeded
		}
	})
	for path, body := range map[string]string{"/predict/batch": "{}",
		"/predict": `{"ticker":"` + strings.Repeat("x", 2000) + `"}`} {
		limited = nil
		if w := call(h, "POST", path, body); w.Code != 504 {
			t.Errorf("%s: status %d, want 504", path, w.Code)
		}
		if want := path == "/predict/batch"; len(limited) != 1 || limited[0] != want {
			t.Errorf("%s: got %v, want one call with a deadline: %v", path, limited, want)
		}
	}
}
