package cache

import (
	"context"
	"errors"
	"math"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

var errNoReturn = errors.New("did not return")

// crowd starts n callers of load for key, all of which wait for the same flight when it returns,
// and returns a function that waits for their results.
func crowd(ctx context.Context, c *Cache[string, int], n int,
	load func(context.Context) (int, error)) (wait func() ([]int, []error)) {
	values, errs := make([]int, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = errNoReturn
			values[i], errs[i] = c.Load(ctx, "key", load)
		})
	}
	synctest.Wait()
	return func() ([]int, []error) { wg.Wait(); return values, errs }
}

// wantAll fails t unless all callers of a crowd get want.
func wantAll(t *testing.T, wait func() ([]int, []error), want int) {
	t.Helper()
	values, errs := wait()
	for i := range values {
		if values[i] != want || errs[i] != nil {
			t.Fatalf("caller %d of %d: got %d, %v, want %d, nil", i, len(values), values[i],
				errs[i], want)
		}
	}
}

// slow returns a load function for v that takes d.
func slow(v int, d time.Duration) func(context.Context) (int, error) {
	return func(context.Context) (int, error) { time.Sleep(d); return v, nil }
}

func TestOneLoadForManyCallers(t *testing.T) {
	callers := 10_000
	if raceEnabled {
		callers = 2_000
	}
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
		var loads atomic.Int64
		wantAll(t, crowd(t.Context(), c, callers, func(context.Context) (int, error) {
			time.Sleep(time.Second)
			return int(loads.Add(1)), nil
		}), 1)
		st := c.Stats()
		if st.Loads != 1 || st.Joins != uint64(callers-1) || st.Hits(uint64(callers)) != 0 {
			t.Errorf("Stats: got %+v, want 1 load, %d joins, no hit", st, callers-1)
		}
		check(t, c)
	})
}

// TestLoadThatFails covers the ways not to return a value. In each, everyone gets the error,
// nothing is kept and the next load runs.
func TestLoadThatFails(t *testing.T) {
	boom := errors.New("boom")
	for _, tt := range []struct {
		name string
		fail func() (int, error)
		want string // of the error
		is   error
	}{
		{"error", func() (int, error) { return 7, boom }, "boom", boom},
		{"panic", func() (int, error) { panic("x") }, "cache: load panicked: x", nil},
		{"panic of an error", func() (int, error) { panic(boom) }, "cache: load panicked: boom",
			boom},
		{"nil panic", func() (int, error) { panic(nil) }, "panic called with nil argument", nil},
		{"panic in Cost", func() (int, error) { return -1, nil }, "load panicked: cost", nil},
		{"Goexit", func() (int, error) { runtime.Goexit(); return 7, nil }, errGoexit.Error(),
			errGoexit},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				cost := func(_ string, v int) int64 {
					if v < 0 {
						panic("cost")
					}
					return 0
				}
				c := mustNew(t, Config[string, int]{Capacity: 10, Cost: cost}, 1)
				ended := 0
				values, errs := crowd(t.Context(), c, 20, func(context.Context) (int, error) {
					time.Sleep(time.Second)
					return tt.fail()
				})()
				for i, err := range errs {
					switch {
					case err == errNoReturn:
						ended++
					case values[i] != 0 || err == nil || !strings.Contains(err.Error(), tt.want) ||
						tt.is != nil && !errors.Is(err, tt.is):
						t.Errorf("caller %d: got %d, %v, want 0, %s", i, values[i], err, tt.want)
					}
				}
				if want := map[bool]int{true: 1}[tt.is == errGoexit]; ended != want {
					t.Errorf("%d callers did not return, want %d", ended, want)
				}
				if st := c.Stats(); st.Loads != 1 || st.Entries != 0 {
					t.Errorf("Stats: got %+v, want 1 load, no entry", st)
				}
				if v, err := c.Load(t.Context(), "key", value(1)); v != 1 || err != nil {
					t.Errorf("next Load: got %d, %v, want 1, nil", v, err)
				}
				check(t, c)
			})
		})
	}
}

// TestLeaderLeaves: the load goes on when its first caller's context ends, and sees the values of
// that context.
func TestLeaderLeaves(t *testing.T) {
	type ctxKey struct{}
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
		leaderCtx, leave := context.WithCancel(context.WithValue(t.Context(), ctxKey{}, 42))
		load := func(ctx context.Context) (int, error) {
			time.Sleep(time.Second)
			return ctx.Value(ctxKey{}).(int), ctx.Err()
		}
		leader := crowd(leaderCtx, c, 1, load)
		others := crowd(t.Context(), c, 20, load)
		leave()
		wantAll(t, leader, 42)
		wantAll(t, others, 42)
		if st := c.Stats(); st.Loads != 1 {
			t.Errorf("got %d loads, want 1", st.Loads)
		}
	})
}

func TestWaiterLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
		load := slow(1, time.Hour/2)
		leader := crowd(t.Context(), c, 1, load)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Load(ctx, "key", load); err != context.DeadlineExceeded ||
			time.Since(start) != time.Second {
			t.Errorf("waiter: got %v after %v, want its deadline after 1s", err, time.Since(start))
		}
		wantAll(t, leader, 1)
		// With a context that has ended it gets what is there, but begins no load.
		if v, err := c.Load(ctx, "key", load); v != 1 || err != nil {
			t.Errorf("hit after the deadline: got %d, %v, want 1, nil", v, err)
		}
		if _, err := c.Load(ctx, "other", load); err != context.DeadlineExceeded {
			t.Errorf("miss after the deadline: got %v, want %v", err, context.DeadlineExceeded)
		}
		if st := c.Stats(); st.Loads != 1 || st.Joins != 1 || st.Misses != 3 {
			t.Errorf("Stats: got %+v, want 1 load, 1 join, 3 misses", st)
		}
	})
}

// TestPurgeDuringLoad: callers that wait already get the old answer, later callers do not, and the
// old answer is not kept, whichever load ends first.
func TestPurgeDuringLoad(t *testing.T) {
	for _, newTakes := range []time.Duration{time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
			before := crowd(t.Context(), c, 10, slow(1, 30*time.Second))
			c.Purge()
			after := crowd(t.Context(), c, 10, slow(2, newTakes))
			wantAll(t, before, 1)
			wantAll(t, after, 2)
			if st := c.Stats(); st.Loads != 2 || st.Joins != 18 {
				t.Errorf("Stats: got %+v, want 2 loads, 18 joins", st)
			}
			if v, ok := get(c, "key"); v != 2 || !ok {
				t.Errorf("then: got %d, %t, want 2, true", v, ok)
			}
			check(t, c)
		})
	}
}

// TestKeyThatIsNotItself: a NaN in a key must not leave entries or flights that nothing can find or
// delete.
func TestKeyThatIsNotItself(t *testing.T) {
	type key struct {
		ticker     uint32
		confidence float64
	}
	c := mustNew(t, Config[key, int]{Capacity: 10}, 1)
	for i := range 100 {
		if v, err := c.Load(t.Context(), key{1, math.NaN()}, value(i)); v != i || err != nil {
			t.Fatalf("Load %d: got %d, %v, want its own value", i, v, err)
		}
	}
	if n, flights := c.Stats().Entries, len(c.shards[0].flights); n != 0 || flights != 0 {
		t.Errorf("got %d entries, %d flights, want none", n, flights)
	}
	// Zeros of both signs are equal, so they are one key.
	if _, err := c.Load(t.Context(), key{1, 0}, value(7)); err != nil {
		t.Fatal(err)
	}
	if v, ok := get(c, key{1, math.Copysign(0, -1)}); v != 7 || !ok {
		t.Errorf("-0: got %d, %t, want 7, true", v, ok)
	}
	check(t, c)
}
