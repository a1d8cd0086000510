package cache

import (
	"context"
	"errors"
	"math"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// crowd starts n callers of load for key, all waiting for the same flight when it returns, and
// returns a function that waits for them and gives their results.
func crowd(ctx context.Context, c *Cache[string, int], n int,
	load func(context.Context) (int, error)) (wait func() ([]int, []error)) {
	values, errs := make([]int, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			errs[i] = errors.New("did not return")
			values[i], errs[i] = c.Load(ctx, "key", load)
		})
	}
	synctest.Wait()
	return func() ([]int, []error) { wg.Wait(); return values, errs }
}

func TestOneLoadForManyCallers(t *testing.T) {
	callers := 10_000
	if raceEnabled {
		callers = 2_000
	}
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
		var loads atomic.Int64
		values, errs := crowd(t.Context(), c, callers, func(context.Context) (int, error) {
			time.Sleep(time.Second)
			return int(loads.Add(1)), nil
		})()
		for i := range values {
			if values[i] != 1 || errs[i] != nil {
				t.Fatalf("caller %d: got %d, %v, want 1, nil", i, values[i], errs[i])
			}
		}
		st := c.Stats()
		if st.Loads != 1 || st.Joins != uint64(callers-1) || st.Hits(uint64(callers)) != 0 {
			t.Errorf("Stats: got %+v, want 1 load, %d joins, no hit", st, callers-1)
		}
		check(t, c)
	})
}

// TestLoadThatFails covers the three ways not to return a value. Whatever it is, everyone gets an
// error, nothing is kept and the next load runs.
func TestLoadThatFails(t *testing.T) {
	boom := errors.New("boom")
	tests := []struct {
		name   string
		fail   func() (int, error)
		leader error // what the caller that loads gets
		others error
	}{
		{"error", func() (int, error) { return 7, boom }, boom, boom},
		{"panic", func() (int, error) { panic(boom) }, boom, boom},
		{"nil panic", func() (int, error) { panic(nil) }, new(runtime.PanicNilError),
			new(runtime.PanicNilError)},
		{"Goexit", func() (int, error) { runtime.Goexit(); return 7, nil }, nil, errGoexit},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
				leader := 0
				values, errs := crowd(t.Context(), c, 20, func(context.Context) (int, error) {
					time.Sleep(time.Second)
					return tt.fail()
				})()
				for i := range errs {
					if errs[i] != nil && errs[i].Error() == "did not return" {
						leader++
						if tt.leader != nil {
							t.Errorf("caller %d did not return", i)
						}
						continue
					}
					if values[i] != 0 || !sameError(errs[i], tt.others) {
						t.Errorf("caller %d: got %d, %v, want 0, %v", i, values[i], errs[i],
							tt.others)
					}
				}
				if tt.leader == nil && leader != 1 {
					t.Errorf("got %d callers ended by Goexit, want the one that loads", leader)
				}
				if st := c.Stats(); st.Failures != 1 || st.Entries != 0 {
					t.Errorf("Stats: got %+v, want 1 failure, no entry", st)
				}
				if v, err := c.Load(t.Context(), "key", value(1)); v != 1 || err != nil {
					t.Errorf("next Load: got %d, %v, want 1, nil", v, err)
				}
				check(t, c)
			})
		})
	}
}

func sameError(got, want error) bool {
	if _, ok := want.(*runtime.PanicNilError); ok {
		var e *runtime.PanicNilError
		return errors.As(got, &e)
	}
	return errors.Is(got, want)
}

func TestPanicErrorTellsWhere(t *testing.T) {
	c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
	_, err := c.Load(t.Context(), "key", func(context.Context) (int, error) { panic("boom") })
	var p *PanicError
	if !errors.As(err, &p) || p.Value != "boom" || len(p.Stack) == 0 || p.Unwrap() != nil {
		t.Fatalf("got %#v, want a PanicError of boom with a stack", err)
	}
	if got, want := err.Error(), "cache: load panicked: boom"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPanickingCostIsAFailedLoad(t *testing.T) {
	c := mustNew(t, Config[string, int]{Capacity: 10,
		Cost: func(string, int) int64 { panic("boom") }}, 1)
	var p *PanicError
	if v, err := c.Load(t.Context(), "key", value(1)); v != 0 || !errors.As(err, &p) {
		t.Errorf("got %d, %v, want 0 and a PanicError", v, err)
	}
	check(t, c)
}

// TestLeaderLeaves: the load goes on without its first caller's context, and keeps that context's
// values.
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
		for _, wait := range []func() ([]int, []error){leader, others} {
			values, errs := wait()
			for i := range values {
				if values[i] != 42 || errs[i] != nil {
					t.Errorf("caller %d: got %d, %v, want 42, nil", i, values[i], errs[i])
				}
			}
		}
		if st := c.Stats(); st.Loads != 1 {
			t.Errorf("got %d loads, want 1", st.Loads)
		}
	})
}

func TestWaiterLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
		load := func(context.Context) (int, error) { time.Sleep(time.Hour / 2); return 1, nil }
		leader := crowd(t.Context(), c, 1, load)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		start := time.Now()
		if _, err := c.Load(ctx, "key", load); err != context.DeadlineExceeded ||
			time.Since(start) != time.Second {
			t.Errorf("waiter: got %v after %v, want its deadline after 1s", err, time.Since(start))
		}
		if values, errs := leader(); values[0] != 1 || errs[0] != nil {
			t.Errorf("leader: got %d, %v, want 1, nil", values[0], errs[0])
		}
		// Its context is over: it may have what is there, but begins nothing.
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

// TestPurgeDuringLoad: who waits gets the old answer, who comes after does not, and the old answer
// is not kept, whichever load ends first.
func TestPurgeDuringLoad(t *testing.T) {
	for _, newTakes := range []time.Duration{time.Second, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
			slow := func(v int, d time.Duration) func(context.Context) (int, error) {
				return func(context.Context) (int, error) { time.Sleep(d); return v, nil }
			}
			before := crowd(t.Context(), c, 10, slow(1, 30*time.Second))
			c.Purge()
			after := crowd(t.Context(), c, 10, slow(2, newTakes))
			for want, wait := range []func() ([]int, []error){before, after} {
				values, errs := wait()
				for i := range values {
					if values[i] != want+1 || errs[i] != nil {
						t.Errorf("got %d, %v, want %d, nil", values[i], errs[i], want+1)
					}
				}
			}
			if v, ok := c.Get("key"); v != 2 || !ok {
				t.Errorf("Get: got %d, %t, want 2, true", v, ok)
			}
			if st := c.Stats(); st.Loads != 2 || st.Joins != 18 {
				t.Errorf("Stats: got %+v, want 2 loads, 18 joins", st)
			}
			check(t, c)
		})
	}
}

// TestKeyThatIsNotItself: a NaN in a key must not leave entries or flights behind that nothing can
// ever find or delete.
func TestKeyThatIsNotItself(t *testing.T) {
	type key struct {
		ticker     uint32
		confidence float64
	}
	c := mustNew(t, Config[key, int]{Capacity: 10}, 1)
	nan := key{1, math.NaN()}
	for i := range 100 {
		if v, err := c.Load(t.Context(), nan, value(i)); v != i || err != nil {
			t.Fatalf("Load %d: got %d, %v, want its own value", i, v, err)
		}
	}
	if v, ok := c.Get(nan); ok {
		t.Errorf("Get: got %d, want nothing", v)
	}
	if n, flights := c.Len(), len(c.shards[0].flights); n != 0 || flights != 0 {
		t.Errorf("got %d entries, %d flights, want none", n, flights)
	}
	// Zeros of both signs are equal, so they are one key.
	if _, err := c.Load(t.Context(), key{1, 0}, value(7)); err != nil {
		t.Fatal(err)
	}
	if v, ok := c.Get(key{1, math.Copysign(0, -1)}); v != 7 || !ok {
		t.Errorf("Get of -0: got %d, %t, want 7, true", v, ok)
	}
	check(t, c)
}
