package cache

import (
	"context"
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
		if first.Age != 0 || first.Left > time.Hour || first.Left < 57*time.Minute {
			t.Fatalf("fresh item: got %+v, want age 0 and 57 to 60 minutes left", first)
		}
		time.Sleep(first.Left - 1)
		if it, want := load(2), (Item[int]{1, first.Left - 1, 1}); it != want {
			t.Errorf("a nanosecond before its end: got %+v, want %+v", it, want)
		}
		time.Sleep(time.Nanosecond)
		if v, ok := c.Get("a"); ok {
			t.Errorf("Get at its end: got %d, want nothing", v)
		}
		if it := load(3); it.Value != 3 || it.Age != 0 {
			t.Errorf("Load at its end: got %+v, want value 3, age 0", it)
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
		slow := func(context.Context) (int, error) { time.Sleep(time.Minute); return 1, nil }
		items := make(chan Item[int], 3)
		get := func() {
			it, err := c.LoadItem(t.Context(), "a", slow)
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
		it, err := c.LoadItem(t.Context(), "a",
			func(context.Context) (int, error) { time.Sleep(time.Hour); return 1, nil })
		if want := (Item[int]{1, time.Hour, 0}); it != want || err != nil {
			t.Errorf("got %+v, %v, want %+v, nil", it, err, want)
		}
		if st := c.Stats(); st.Entries != 0 || st.Refused != 1 {
			t.Errorf("Stats: got %+v, want no entry, 1 refused", st)
		}
	})
}

// TestLivesAreSpread: entries loaded together end over the last 5 % of the TTL, none after it.
func TestLivesAreSpread(t *testing.T) {
	const n = 10_000
	now := time.Unix(0, 0)
	c := mustNew(t, Config[int, int]{Capacity: n, Now: func() time.Time { return now }}, 1)
	for k := range n {
		if _, err := c.Load(t.Context(), k, value(k)); err != nil {
			t.Fatal(err)
		}
	}
	alive := func() (alive int) {
		for k := range n {
			if _, ok := c.Get(k); ok {
				alive++
			}
		}
		return alive
	}
	for _, tt := range []struct {
		after    time.Duration
		min, max int
	}{
		{57*time.Minute - 1, n, n},
		{57*time.Minute + 45*time.Second, n * 72 / 100, n * 78 / 100},
		{58*time.Minute + 30*time.Second, n * 47 / 100, n * 53 / 100},
		{time.Hour, 0, 0},
	} {
		now = time.Unix(0, 0).Add(tt.after)
		if got := alive(); got < tt.min || got > tt.max {
			t.Errorf("after %v: got %d of %d alive, want %d to %d", tt.after, got, n, tt.min,
				tt.max)
		}
	}
}

// TestSweep: without traffic expired entries go within two minutes, and an empty cache has no timer
// under way.
func TestSweep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := mustNew(t, Config[int, int]{Capacity: 1000}, 4)
		fill := func() {
			for k := range 500 {
				if _, err := c.Load(t.Context(), k, value(k)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for range 2 {
			fill()
			time.Sleep(56 * time.Minute)
			if n := c.Len(); n != 500 {
				t.Errorf("after 56 minutes: got %d entries, want 500", n)
			}
			time.Sleep(6 * time.Minute)
			if n := c.Len(); n != 0 {
				t.Errorf("after 62 minutes: got %d entries, want 0", n)
			}
			check(t, c)
			time.Sleep(2 * sweepEvery)
			if c.sweeper.armed.Load() {
				t.Error("the sweeper of an empty cache is armed")
			}
		}
		if st := c.Stats(); st.Expirations != 1000 {
			t.Errorf("got %d expirations, want 1000", st.Expirations)
		}
		c.Close()
		fill()
		time.Sleep(3 * time.Hour)
		synctest.Wait()
		if n := c.Len(); n != 500 {
			t.Errorf("closed, after 3 hours: got %d entries, want 500 that nothing has touched", n)
		}
		if _, ok := c.Get(1); ok {
			t.Error("closed, after 3 hours: got a value, want nothing")
		}
		fill()
		if st := c.Stats(); st.Entries != 500 || st.Expirations != 1500 {
			t.Errorf("Stats: got %+v, want 500 entries, 1500 expirations", st)
		}
	})
}

// TestHitRatioUnderTTL: a popularity that fits the cache misses once a key and TTL, as an exact LRU
// with the same TTL would.
func TestHitRatioUnderTTL(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const keys, rounds = 100, 240
		c := mustNew(t, Config[int, int]{Capacity: 1000}, 4)
		for range rounds { // one a minute: four hours
			for k := range keys {
				if _, err := c.Load(t.Context(), k, value(k)); err != nil {
					t.Fatal(err)
				}
			}
			time.Sleep(time.Minute)
		}
		// A life of 57 to 60 minutes ends at the 57th to 60th minute.
		if st := c.Stats(); st.Loads < 4*keys || st.Loads > 5*keys {
			t.Errorf("got %d loads, want 4 to 5 for each of %d keys", st.Loads, keys)
		}
	})
}
