package cache

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"
)

// model is what can be said of a cache without knowing its policy: each answer is the last that was
// loaded for its key since the last purge, and is younger than the TTL; nothing leaves a cache that
// has room; the figures add up. It drives a cache in a synctest bubble and checks after each step.
type model struct {
	t testing.TB
	c *Cache[uint8, uint64]

	loaded  map[uint8]loaded // kept since the last purge
	serial  uint64           // of loads: no two values are equal
	lookups uint64
	kept    uint64 // loads whose values were kept
	purged  uint64 // entries removed by purges
}

type loaded struct {
	value uint64
	at    time.Time
}

const modelSize = 4096 // bytes of a cache that is to be tight

func modelCost(k uint8, _ uint64) int64 {
	if k == math.MaxUint8 {
		return math.MaxInt64
	}
	return int64(k)*3 - 20 // the smallest are negative, which counts as 0
}

func newModel(t testing.TB, capacity, shards int, maxBytes int64) *model {
	c := mustNew(t, Config[uint8, uint64]{
		Capacity: capacity,
		MaxBytes: maxBytes,
		Cost:     modelCost,
	}, shards)
	return &model{t: t, c: c, loaded: make(map[uint8]loaded)}
}

// step does one operation on key k.
func (m *model) step(op, k uint8) {
	m.t.Helper()
	switch op % 16 {
	default:
		m.load(k, nil)
	case 11:
		m.load(k, errors.New("no answer"))
	case 12, 13:
		time.Sleep(time.Duration(k) * time.Second * 8)
		synctest.Wait() // for the sweep
	case 14:
		m.c.sweep()
		for _, e := range m.c.held() {
			if e.expired(m.c.now()) {
				m.t.Fatalf("key %v is still there after a sweep", e.key)
			}
		}
	case 15:
		if k%8 == 0 { // else the cache never fills
			m.purged += uint64(m.c.Stats().Entries)
			m.c.Purge()
			clear(m.loaded)
		}
	}
	m.check()
}

func (m *model) load(k uint8, fail error) {
	m.t.Helper()
	m.lookups++
	called := false
	it, err := m.c.LoadItem(m.t.Context(), k, func(context.Context) (uint64, error) {
		called = true
		m.serial++
		return m.serial, fail
	})
	was, ok := m.loaded[k]
	age := time.Since(was.at)
	switch {
	case !called:
		if !ok || err != nil || it.Value != was.value || it.Age != age || it.Left <= 0 ||
			it.Age+it.Left > defaultTTL {
			m.t.Fatalf("key %d: got a hit of %+v, %v, want %+v and age %v, if anything", k, it, err,
				was, age)
		}
		return
	case err != fail || fail == nil && it.Value != m.serial:
		m.t.Fatalf("key %d: got %d, %v, want %d, %v", k, it.Value, err, m.serial, fail)
	case ok && m.c.Stats().Evictions == 0 && age < defaultTTL-defaultTTL/jitterShare:
		m.t.Fatalf("key %d, loaded %v ago: got a miss although nothing was ever evicted", k, age)
	case fail != nil:
		return
	}
	limit := m.c.room.maxBytes
	tooLarge := limit > 0 && modelCost(k, 0) > limit/maxShare-m.c.overhead
	if kept := it.Left > 0; kept == tooLarge {
		m.t.Fatalf("key %d: kept %t, want %t", k, kept, !tooLarge)
	}
	delete(m.loaded, k)
	if !tooLarge {
		m.kept++
		m.loaded[k] = loaded{m.serial, time.Now()}
	}
}

func (m *model) check() {
	m.t.Helper()
	check(m.t, m.c)
	st := m.c.Stats()
	if n := len(m.c.held()); n != st.Entries {
		m.t.Fatalf("got %d entries, counted are %d", n, st.Entries)
	}
	if gone := st.Evictions + st.Expirations + m.purged; m.kept-gone != uint64(st.Entries) {
		m.t.Fatalf("got %d entries, want %d kept less %d gone: %+v", st.Entries, m.kept, gone, st)
	}
	if st.Loads != m.serial || st.Misses != m.serial || st.Hits(m.lookups) != m.lookups-m.serial {
		m.t.Fatalf("got %+v, want %d loads and misses", st, m.serial)
	}
}

func TestRandomOperations(t *testing.T) {
	steps := 20_000
	if raceEnabled || testing.Short() {
		steps = 3_000
	}
	for _, tt := range []struct {
		capacity, shards int
		maxBytes         int64
	}{
		{1, 1, 0}, {3, 1, 0}, {20, 1, 0}, {1000, 1, modelSize * 2}, {20, 1, modelSize * 2},
		{67, 4, 0}, {1000, 4, 4 * modelSize}, {1000, 2, 0},
	} {
		t.Run(fmt.Sprint(tt), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				m := newModel(t, tt.capacity, tt.shards, tt.maxBytes)
				r := rand.New(rand.NewPCG(3, uint64(tt.capacity)))
				for range steps {
					k := uint8(r.ExpFloat64() * 40) // some keys are asked more
					m.step(uint8(r.Uint32()), k)
				}
				if st := m.c.Stats(); st.Evictions == 0 && (tt.capacity < 1000 || tt.maxBytes > 0) {
					t.Errorf("got no eviction in %d steps: %+v", steps, st)
				}
			})
		})
	}
}
