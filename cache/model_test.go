package cache

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"
	"testing"
	"time"
)

// model is what may be said of a cache without knowing its policy: every answer is the last that
// was loaded for its key since the last purge and is younger than the TTL; nothing leaves a cache
// that has room; the counters add up. It drives a cache with a clock of its own and checks after
// each step.
type model struct {
	t   testing.TB
	c   *Cache[uint8, uint64]
	now time.Time

	loaded  map[uint8]loaded // since the last purge
	serial  uint64           // of loads: no two values are equal
	lookups uint64
	purged  int // entries that purges took
}

type loaded struct {
	value uint64
	at    time.Time
}

const (
	modelTTL  = time.Hour
	modelSize = 4096 // bytes for a shard that is to be tight
)

func modelCost(k uint8, _ uint64) int64 {
	if k == math.MaxUint8 {
		return math.MaxInt64
	}
	return int64(k)*3 - 20 // the smallest are negative, which counts as 0
}

func newModel(t testing.TB, capacity, shards int, maxBytes int64) *model {
	m := &model{t: t, now: time.Unix(1e9, 0), loaded: make(map[uint8]loaded)}
	m.c = mustNew(t, Config[uint8, uint64]{
		Capacity: capacity,
		MaxBytes: maxBytes,
		Cost:     modelCost,
		TTL:      modelTTL,
		Now:      func() time.Time { return m.now },
	}, shards)
	return m
}

// step does one operation on key k.
func (m *model) step(op, k uint8) {
	m.t.Helper()
	switch op % 16 {
	default:
		m.load(k, nil)
	case 8, 9, 10:
		m.lookups++
		if v, ok := m.c.Get(k); ok {
			m.hit(k, v)
		} else {
			m.miss(k)
		}
	case 11:
		m.load(k, errors.New("no answer"))
	case 12, 13:
		m.now = m.now.Add(time.Duration(k) * time.Second * 8)
	case 14:
		m.c.sweep()
		for i := range m.c.shards {
			s := &m.c.shards[i]
			for _, q := range []*queue[uint64]{&s.policy.recent, &s.policy.frequent} {
				for e := q.oldest; e != nil; e = e.newer {
					if e.expired(m.c.now()) {
						m.t.Fatalf("key %v is still there after a sweep", e.key)
					}
				}
			}
		}
	case 15:
		if k%8 == 0 { // else the cache never fills
			m.purged += m.c.Len()
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
	switch {
	case !called:
		m.hit(k, it.Value)
		if age := m.now.Sub(m.loaded[k].at); it.Age != age || it.Left <= 0 ||
			it.Age+it.Left > modelTTL {
			m.t.Fatalf("key %d: got %+v, want age %v and at most %v altogether", k, it, age,
				modelTTL)
		}
	case err != fail || fail == nil && it.Value != m.serial:
		m.t.Fatalf("key %d: got %d, %v, want %d, %v", k, it.Value, err, m.serial, fail)
	default:
		m.miss(k)
		if fail == nil {
			m.loaded[k] = loaded{m.serial, m.now}
		}
	}
}

func (m *model) hit(k uint8, v uint64) {
	m.t.Helper()
	want, ok := m.loaded[k]
	if !ok || v != want.value || m.now.Sub(want.at) >= modelTTL {
		m.t.Fatalf("key %d: got a hit of %d, want %+v if anything, now %v", k, v, want, m.now)
	}
}

// miss checks that k had a reason to be missing.
func (m *model) miss(k uint8) {
	m.t.Helper()
	was, ok := m.loaded[k]
	st := m.c.Stats()
	full := st.Evictions > 0
	s, _ := m.c.shard(k)
	tooLarge := s.maxBytes > 0 && modelCost(k, 0) > s.maxBytes/maxShare-m.c.overhead
	if ok && !full && !tooLarge && m.now.Sub(was.at) < modelTTL-modelTTL/jitterShare {
		m.t.Fatalf("key %d, loaded %v ago: got a miss although nothing was ever evicted", k,
			m.now.Sub(was.at))
	}
}

func (m *model) check() {
	m.t.Helper()
	check(m.t, m.c)
	st := m.c.Stats()
	if st.Entries > st.Capacity || st.MaxBytes > 0 && st.Bytes > st.MaxBytes {
		m.t.Fatalf("bounds: got %+v", st)
	}
	kept := st.Loads - st.Failures - st.Refused
	if gone := st.Evictions + st.Expirations + uint64(m.purged); kept-gone != uint64(st.Entries) {
		m.t.Fatalf("got %d entries, want %d kept less %d gone: %+v", st.Entries, kept, gone, st)
	}
	if st.Loads != m.serial || st.Hits(m.lookups) != m.lookups-st.Misses || st.Misses > m.lookups {
		m.t.Fatalf("got %+v, want %d loads, at most %d misses", st, m.serial, m.lookups)
	}
}

func TestRandomOperations(t *testing.T) {
	steps := 20_000
	if raceEnabled {
		steps = 3_000
	}
	for _, tt := range []struct {
		name             string
		capacity, shards int
		maxBytes         int64
	}{
		{"one entry", 1, 1, 0},
		{"three entries", 3, 1, 0},
		{"small", 20, 1, 0},
		{"bytes bind", 1000, 1, modelSize * 2},
		{"both bind", 20, 1, modelSize * 2},
		{"sharded", 67, 4, 0},
		{"sharded, bytes bind", 1000, 4, 4 * modelSize},
		{"fits", 1000, 2, 0},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m := newModel(t, tt.capacity, tt.shards, tt.maxBytes)
			r := rand.New(rand.NewPCG(3, uint64(tt.capacity)))
			for range steps {
				k := uint8(r.ExpFloat64() * 40) // some keys are asked more
				m.step(uint8(r.Uint32()), k)
			}
			if st := m.c.Stats(); tt.capacity < 100 && st.Evictions == 0 {
				t.Errorf("got no eviction in %d steps: %+v", steps, st)
			}
		})
	}
}

// FuzzOperations reads pairs of an operation and a key.
func FuzzOperations(f *testing.F) {
	f.Add(uint8(3), false, []byte("\x00a\x00b\x00c\x00d\x08a\x00a"))
	f.Add(uint8(1), true,
		[]byte("\x00\xff\x00\xc8\x00\x00\x00\x01\x0b\x01\x0c\xff\x0d\xff\x00\x01\x0e\x00\x0f\x00\x00\x01"))
	r := rand.New(rand.NewPCG(1, 1))
	long := make([]byte, 600)
	for i := range long {
		long[i] = uint8(r.ExpFloat64() * 8)
	}
	f.Add(uint8(10), true, long)
	f.Fuzz(func(t *testing.T, capacity uint8, bytesBind bool, ops []byte) {
		maxBytes := int64(0)
		if bytesBind {
			maxBytes = 2 * modelSize
		}
		m := newModel(t, int(capacity)+4, 4>>(capacity%3), maxBytes*4)
		for ; len(ops) >= 2; ops = ops[2:] {
			m.step(ops[0], ops[1])
		}
	})
}
