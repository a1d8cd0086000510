package admission

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func mustNew(t testing.TB, cfg Config) *Gate {
	t.Helper()
	g, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// check compares the gate's state with its queue; nobody may be coming or going.
func (g *Gate) check(t *testing.T, running, waiting int) {
	t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	if s := g.Stats(); s.Running != running || s.Waiting != waiting || len(g.queue) != waiting {
		t.Errorf("%d running, %d waiting, %d in the queue; want %d and %d", s.Running, s.Waiting,
			len(g.queue), running, waiting)
	}
}

// enter enters in a goroutine of its own and returns where its outcome will be.
func enter(ctx context.Context, g *Gate) chan error {
	outcome := make(chan error, 1)
	go func() { outcome <- g.Enter(ctx) }()
	synctest.Wait()
	return outcome
}

func want(t *testing.T, outcome chan error, err error) {
	t.Helper()
	select {
	case got := <-outcome:
		if !errors.Is(got, err) {
			t.Errorf("outcome %v, want %v", got, err)
		}
	default:
		t.Errorf("no outcome, want %v", err)
	}
}

func TestOldestFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		g := mustNew(t, Config{Running: 1, Waiting: 2})
		want(t, enter(ctx, g), nil)
		first, second := enter(ctx, g), enter(ctx, g)
		want(t, enter(ctx, g), ErrOverload) // the queue is full, and those in it came before
		g.check(t, 1, 2)
		g.Leave()
		synctest.Wait()
		want(t, first, nil)
		g.check(t, 1, 1)
		g.Leave()
		synctest.Wait()
		want(t, second, nil)
		g.Leave()
		g.check(t, 0, 0)
		want(t, enter(ctx, g), nil)
	})
}

func TestNobodyWaitsForLong(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := mustNew(t, Config{Running: 1})
		want(t, enter(t.Context(), g), nil)
		start := time.Now()
		if err := g.Enter(t.Context()); !errors.Is(err, ErrOverload) ||
			time.Since(start) != 100*time.Millisecond {
			t.Errorf("refused by %v after %v, want after 100ms", err, time.Since(start))
		}
		g.check(t, 1, 0)
	})
}

func TestOverload(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := t.Context()
		g := mustNew(t, Config{Running: 1, Waiting: 3})
		want(t, enter(ctx, g), nil)
		// The queue is never empty: each that is let in leaves another behind.
		waiting := enter(ctx, g)
		for range 4 {
			time.Sleep(20 * time.Millisecond)
			next := enter(ctx, g)
			g.Leave()
			synctest.Wait()
			want(t, waiting, nil)
			waiting = next
		}
		time.Sleep(20 * time.Millisecond)
		// Now it has stood for 100 ms: a newcomer is served before those who wait.
		second, third := enter(ctx, g), enter(ctx, g)
		g.check(t, 1, 3)
		fourth := enter(ctx, g) // one too many: the oldest has to go
		want(t, waiting, ErrOverload)
		g.check(t, 1, 3)
		g.Leave()
		synctest.Wait()
		want(t, fourth, nil)
		time.Sleep(4 * time.Millisecond)
		g.Leave()
		synctest.Wait()
		want(t, third, nil)
		time.Sleep(time.Millisecond) // and nobody waits for more than 5 ms
		synctest.Wait()
		want(t, second, ErrOverload)
		g.check(t, 1, 0)
		// The queue was empty: order is as before.
		first, second := enter(ctx, g), enter(ctx, g)
		g.Leave()
		synctest.Wait()
		want(t, first, nil)
		g.Leave()
		synctest.Wait()
		want(t, second, nil)
	})
}

func TestContextEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := mustNew(t, Config{Running: 1})
		want(t, enter(t.Context(), g), nil)
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		waiting := enter(ctx, g)
		time.Sleep(time.Millisecond)
		synctest.Wait()
		want(t, waiting, context.DeadlineExceeded)
		want(t, enter(ctx, g), context.DeadlineExceeded) // nothing starts after its deadline
		g.check(t, 1, 0)
		if s := g.Stats(); s.Refused != 0 || s.Waited != 1 {
			t.Errorf("%+v, want one that waited and none refused", s)
		}
		g.Leave()
		g.check(t, 0, 0)
	})
}

// TestBoundsHold has many goroutines come, wait, give up and leave at random.
func TestBoundsHold(t *testing.T) {
	const running, waiting, rounds = 3, 5, 400
	g := mustNew(t, Config{Running: running, Waiting: waiting, Target: 50 * time.Microsecond,
		Interval: 500 * time.Microsecond})
	var inside, most, entered, refused atomic.Int64
	var wg sync.WaitGroup
	for i := range 16 {
		wg.Go(func() {
			rnd := rand.New(rand.NewPCG(uint64(i), 1))
			for range rounds {
				ctx, cancel := t.Context(), func() {}
				if rnd.IntN(4) == 0 {
					ctx, cancel = context.WithTimeout(ctx,
						time.Duration(rnd.IntN(200))*time.Microsecond)
				}
				err := g.Enter(ctx)
				cancel()
				if err != nil {
					refused.Add(1)
					continue
				}
				now := inside.Add(1)
				for m := most.Load(); now > m && !most.CompareAndSwap(m, now); m = most.Load() {
				}
				for range rnd.IntN(2000) {
					entered.Load()
				}
				entered.Add(1)
				inside.Add(-1)
				g.Leave()
			}
		})
	}
	wg.Wait()
	g.check(t, 0, 0)
	if most.Load() > running {
		t.Errorf("%d inside at once, want at most %d", most.Load(), running)
	}
	if got := entered.Load() + refused.Load(); got != 16*rounds {
		t.Errorf("%d outcomes, want %d", got, 16*rounds)
	}
	t.Logf("%d entered, %d refused, %+v", entered.Load(), refused.Load(), g.Stats())
}

func TestEnterDoesNotAllocate(t *testing.T) {
	g := mustNew(t, Config{Running: 1})
	if n := testing.AllocsPerRun(100, func() { g.Enter(t.Context()); g.Leave() }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestConfig(t *testing.T) {
	for _, cfg := range []Config{{Running: -1}, {Waiting: -1}, {Target: -1},
		{Target: time.Second, Interval: time.Millisecond}} {
		if _, err := New(cfg); err == nil {
			t.Errorf("New(%+v) gives no error", cfg)
		}
	}
}

func BenchmarkUncontended(b *testing.B) {
	g := mustNew(b, Config{})
	ctx := b.Context()
	b.ReportAllocs()
	for b.Loop() {
		g.Enter(ctx)
		g.Leave()
	}
}
