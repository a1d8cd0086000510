package ratelimit_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/internal/ratelimit"
)

func mustNew(t testing.TB, cfg ratelimit.Config) *ratelimit.Limiter[string] {
	t.Helper()
	l, err := ratelimit.New[string](cfg)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func perSecond(n int) ratelimit.Rate { return ratelimit.Rate{Requests: n, Period: time.Second} }

func TestBurstThenRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := mustNew(t, ratelimit.Config{Rate: perSecond(10), Burst: 3})
		takeBurst := func() {
			t.Helper()
			for _, wait := range []time.Duration{0, 0, 100 * time.Millisecond} {
				if d, want := l.Take("a"), (ratelimit.Decision{OK: true, Wait: wait}); d != want {
					t.Fatalf("in the burst: %+v, want %+v", d, want)
				}
			}
		}
		takeBurst()
		d := l.Take("a")
		if want := (ratelimit.Decision{OK: false, Wait: 100 * time.Millisecond}); d != want {
			t.Errorf("after the burst: %+v, want %+v", d, want)
		}
		if d := l.Take("b"); !d.OK {
			t.Error("another client is refused")
		}
		time.Sleep(d.Wait - 1)
		if d := l.Take("a"); d.OK || d.Wait != 1 {
			t.Errorf("a nanosecond early: %+v, want a refusal and a wait of 1ns", d)
		}
		time.Sleep(time.Nanosecond) // refusals have cost nothing
		if d := l.Take("a"); !d.OK {
			t.Errorf("after the wait: %+v, want OK", d)
		}
		time.Sleep(time.Hour)
		takeBurst()
		if l.Take("a").OK {
			t.Error("after an hour: more than the burst")
		}
	})
}

// TestAgainstCounting compares with a bucket that is kept as a number of tokens, at random times.
func TestAgainstCounting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, burst = 8, 5 // an interval of 125 ms is exact in float64
		l := mustNew(t, ratelimit.Config{Rate: perSecond(rate), Burst: burst})
		rnd := rand.New(rand.NewPCG(1, 2))
		tokens, last := float64(burst), time.Now()
		for i := range 20_000 {
			// an eighth of an interval
			time.Sleep(time.Duration(rnd.IntN(20)) * 15625 * time.Microsecond)
			now := time.Now()
			tokens = min(burst, tokens+now.Sub(last).Seconds()*rate)
			last = now
			want := tokens >= 1
			if want {
				tokens--
			}
			wait := time.Duration(max(0, 1-tokens) / rate * float64(time.Second))
			if d, want := l.Take("a"), (ratelimit.Decision{OK: want, Wait: wait}); d != want {
				t.Fatalf("request %d: %+v, want %+v with %v tokens left", i, d, want, tokens)
			}
		}
	})
}

// TestTakeMore compares likewise, with requests of many tokens that replace the one that each took
// before.
func TestTakeMore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const rate, burst = 8, 5
		l := mustNew(t, ratelimit.Config{Rate: perSecond(rate), Burst: burst})
		rnd := rand.New(rand.NewPCG(3, 4))
		tokens, last, refused, debts := float64(burst), time.Now(), 0, 0
		for i := range 20_000 {
			time.Sleep(time.Duration(rnd.IntN(90)) * 15625 * time.Microsecond)
			now := time.Now()
			tokens = min(burst, tokens+now.Sub(last).Seconds()*rate)
			last = now
			if !l.Take("a").OK {
				if tokens >= 1 {
					t.Fatalf("request %d: refused with %v tokens left", i, tokens)
				}
				continue
			}
			n := 1 + rnd.IntN(2*burst)
			wait := min(float64(n), burst) - tokens
			want := wait <= 0
			if want {
				tokens -= float64(n)
				wait = max(0, 1-tokens)
				if tokens < 0 {
					debts++
				}
			} else {
				refused++
			}
			d := l.TakeMore("a", n, 1)
			if want := (ratelimit.Decision{OK: want,
				Wait: time.Duration(wait / rate * float64(time.Second))}); d != want {
				t.Fatalf("request %d for %d: %+v, want %+v, %v left", i, n, d, want, tokens)
			}
		}
		if refused < 100 || debts < 100 {
			t.Errorf("%d refusals and %d debts prove little", refused, debts)
		}
	})
}

func TestTakeMoreDoesNotOverflow(t *testing.T) {
	l := mustNew(t, ratelimit.Config{Rate: ratelimit.Rate{Requests: 1, Period: time.Hour}})
	if d := l.TakeMore("a", 1<<62, 0); !d.OK || d.Wait <= 0 {
		t.Errorf("the first: %+v", d)
	}
	if d := l.TakeMore("a", 1<<62, 0); d.OK || d.Wait <= 0 {
		t.Errorf("the second: %+v", d)
	}
}

func TestClientsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const clients = 640
		l := mustNew(t, ratelimit.Config{Rate: perSecond(1), Burst: 1, Clients: clients})
		l.Take("persistent")
		for i := range 100_000 {
			l.Take(fmt.Sprint(i))
			// Nine others cannot fill a shard of ten, so this one is never the least recent.
			if i%9 == 0 {
				if d := l.Take("persistent"); d.OK {
					t.Fatalf("forgotten after %d other clients", i)
				}
			}
		}
		if n := l.Clients(); n > clients {
			t.Errorf("%d clients remembered, want at most %d", n, clients)
		}
	})
}

func TestConcurrentTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // where no time passes
		const burst = 1000
		l := mustNew(t, ratelimit.Config{Rate: perSecond(1), Burst: burst})
		var ok atomic.Int64
		var wg sync.WaitGroup
		for range 8 {
			wg.Go(func() {
				for range burst {
					if l.Take("a").OK {
						ok.Add(1)
					}
				}
			})
		}
		wg.Wait()
		if got := ok.Load(); got != burst {
			t.Errorf("%d requests let through, want %d", got, burst)
		}
	})
}

func TestClockGoesBack(t *testing.T) {
	now := time.Unix(1e9, 0)
	l := mustNew(t, ratelimit.Config{Rate: perSecond(1), Burst: 2,
		Now: func() time.Time { return now }})
	l.Take("a")
	now = now.Add(-time.Hour)
	if d := l.Take("b"); !d.OK {
		t.Errorf("a new client after the clock went back: %+v, want OK", d)
	}
	now = now.Add(time.Hour + time.Second)
	if d := l.Take("a"); !d.OK {
		t.Errorf("when the clock is right again: %+v, want OK", d)
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []ratelimit.Config{
		{}, {Rate: perSecond(-1)}, {Rate: perSecond(1), Burst: -1},
		{Rate: perSecond(1), Clients: -1},
		{Rate: ratelimit.Rate{Requests: 1, Period: time.Hour}, Burst: 1 << 40},
	} {
		if _, err := ratelimit.New[string](cfg); err == nil {
			t.Errorf("New(%+v) gives no error", cfg)
		}
	}
	l := mustNew(t, ratelimit.Config{Rate: ratelimit.Rate{Requests: 100, Period: time.Minute}})
	n := 0
	for l.Take("a").OK {
		n++
	}
	if n != 100 {
		t.Errorf("without Burst: %d requests at once, want those of one period", n)
	}
}

func TestParseRate(t *testing.T) {
	for s, want := range map[string]ratelimit.Rate{
		"5": perSecond(5), "5/s": perSecond(5), "100/m": {Requests: 100, Period: time.Minute},
		"1/h": {Requests: 1, Period: time.Hour}, "1000000000": perSecond(1e9),
	} {
		got, err := ratelimit.ParseRate(s)
		if err != nil || got != want {
			t.Errorf("ParseRate(%q) = %v, %v; want %v", s, got, err, want)
		}
		if again, err := ratelimit.ParseRate(got.String()); err != nil || again != got {
			t.Errorf("ParseRate(%q) = %v, %v; want %v", got.String(), again, err, got)
		}
	}
	for _, s := range []string{"", "0", "-1", "1.5", "5/", "5/d", "/s", "s", "5/s/s", "5 /s",
		"1000000001", "99999999999999999999"} {
		if got, err := ratelimit.ParseRate(s); err == nil {
			t.Errorf("ParseRate(%q) = %v, want an error", s, got)
		}
	}
}

func BenchmarkTake(b *testing.B) {
	l := mustNew(b, ratelimit.Config{Rate: perSecond(1e9)})
	names := make([]string, 1000)
	for i := range names {
		names[i] = fmt.Sprint("client-", i)
	}
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		l.Take(names[i%len(names)])
		i++
	}
}
