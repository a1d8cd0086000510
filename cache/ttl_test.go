package cache

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

func TestExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
		load := func(v int) Item[int] {
			it, err := c.LoadItem(t.Context(), "a", value(v))
			if err != nil {
				t.Fatal(err)
			}
			return it
		}
		first := load(1)
		if first.Hit || first.Age != 0 || first.Left > time.Hour || first.Left < 57*time.Minute {
			t.Fatalf("fresh item: got %+v, want age 0 and 57 to 60 minutes left", first)
		}
		time.Sleep(first.Left - 1)
		if it, want := load(2), (Item[int]{1, first.Left - 1, 1, true}); it != want {
			t.Errorf("a nanosecond before its end: got %+v, want %+v", it, want)
		}
		time.Sleep(time.Nanosecond)
		if it := load(3); it.Hit || it.Value != 3 || it.Age != 0 {
			t.Errorf("at its end: got %+v, want value 3, age 0", it)
		}
		if st := c.Stats(); st.Entries != 1 || st.Expirations != 1 || st.Evictions != 0 {
			t.Errorf("Stats: got %+v, want 1 entry, 1 expiration, no eviction", st)
		}
		check(t, c)
	})
}

// TestAgeCountsFromTheBeginningOfTheLoad: an answer is as old as what it was computed from, for the
// caller that loads, for those who wait and for hits.
func TestAgeCountsFromTheBeginningOfTheLoad(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
		items := make(chan Item[int], 3)
		get := func() {
			it, err := c.LoadItem(t.Context(), "a", slow(1, time.Minute))
			if err != nil {
				t.Error(err)
			}
			items <- it
		}
		go get()
		time.Sleep(30 * time.Second)
		get()
		get()
		for range 3 {
			if it := <-items; it.Age != time.Minute || it.Age+it.Left > time.Hour {
				t.Errorf("got %+v, want age 1m and at most 1h altogether", it)
			}
		}
	})
}

func TestLoadLongerThanTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[string, int]{Capacity: 10}, 1)
		it, err := c.LoadItem(t.Context(), "a", slow(1, time.Hour))
		if want := (Item[int]{1, time.Hour, 0, false}); it != want || err != nil {
			t.Errorf("got %+v, %v, want %+v, nil", it, err, want)
		}
		if n := c.Stats().Entries; n != 0 {
			t.Errorf("got %d entries, want none", n)
		}
	})
}

// TestLivesAreSpread: entries loaded together end over the last 5 % of the TTL, none after it.
func TestLivesAreSpread(t *testing.T) {
	const n = 10_000
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[int, int]{Capacity: n}, 1)
		fill(t, c, n)
		start := time.Now()
		for _, tt := range []struct {
			after    time.Duration
			min, max int
		}{
			{57*time.Minute - 1, n, n},
			{57*time.Minute + 45*time.Second, n * 72 / 100, n * 78 / 100},
			{58*time.Minute + 30*time.Second, n * 47 / 100, n * 53 / 100},
			{time.Hour, 0, 0},
		} {
			time.Sleep(time.Until(start.Add(tt.after)))
			alive := 0
			for k := range n {
				if _, ok := get(c, k); ok {
					alive++
				}
			}
			if alive < tt.min || alive > tt.max {
				t.Errorf("after %v: got %d of %d alive, want %d to %d", tt.after, alive, n, tt.min,
					tt.max)
			}
		}
	})
}

// TestSweep: without traffic expired entries go within two minutes, and an empty cache has no timer
// under way. After Close they stay until a load meets them.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[int, int]{Capacity: 1000}, 4)
		after := func(d time.Duration, entries int, expirations uint64) {
			t.Helper()
			time.Sleep(d)
			synctest.Wait()
			if st := c.Stats(); st.Entries != entries || st.Expirations != expirations {
				t.Errorf("got %+v, want %d entries, %d expirations", st, entries, expirations)
			}
			check(t, c)
		}
		for i := range uint64(2) {
			fill(t, c, 500)
			after(56*time.Minute, 500, 500*i)
			after(6*time.Minute, 0, 500*i+500)
			time.Sleep(2 * sweepEvery)
			if c.sweeper.armed.Load() {
				t.Error("the sweeper of an empty cache is armed")
			}
		}
		c.Close()
		fill(t, c, 500)
		after(3*time.Hour, 500, 1000)
		fill(t, c, 500)
		after(0, 500, 1500)
	})
}

// TestSweepAgain: what is inserted during a sweep is swept a minute later. After close, nothing is.
func TestSweepAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sweeps atomic.Int32
		var w *sweeper
		w = newSweeper(func() (left bool) {
			if sweeps.Add(1) == 1 {
				w.arm()
			}
			return false
		})
		w.arm()
		time.Sleep(5 * sweepEvery)
		if n := sweeps.Load(); n != 2 {
			t.Errorf("got %d sweeps, want 2", n)
		}
		w.arm()
		w.close()
		time.Sleep(5 * sweepEvery)
		if n := sweeps.Load(); n != 2 {
			t.Errorf("got %d sweeps, want none after close", n-2)
		}
	})
}

// TestExpiredGoFirst: an expired entry gets no second chance, and does not count as evicted.
func TestExpiredGoFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[int, int]{Capacity: 4}, 1)
		c.sweeper.close()
		fill(t, c, 1)
		time.Sleep(50 * time.Minute)
		fill(t, c, 2)
		fill(t, c, 4) // the hit of 0 marks it: 1 came after it
		time.Sleep(10 * time.Minute)
		if _, err := c.Load(t.Context(), 5, value(5)); err != nil {
			t.Error(err)
		}
		if st := c.Stats(); st.Expirations != 1 || st.Evictions != 0 {
			t.Errorf("got %+v, want 1 expiration, no eviction", st)
		}
	})
}
