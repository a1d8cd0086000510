package cache

import (
	"context"
	"fmt"
	"runtime"
	"testing"
)

// answerKey is the shape of key that the cache is made for.
type answerKey struct {
	generation, ticker uint32
	days               uint8
	confidence         float64
}

func answerKeyOf(i int) answerKey {
	return answerKey{1, uint32(i / 30), uint8(i%30 + 1), 0.95}
}

func stringKeyOf(i int) string { return fmt.Sprintf("TICK%d|%d|0.95", i/30, i%30+1) }

func byteCost[K comparable](_ K, v []byte) int64 { return int64(len(v)) }

// mustLoad fills c with the given keys, each with a value of size bytes.
func mustLoad[K comparable](t testing.TB, c *Cache[K, []byte], keys []K, size int) {
	t.Helper()
	load := func(context.Context) ([]byte, error) { return make([]byte, size), nil }
	for _, k := range keys {
		if _, err := c.Load(t.Context(), k, load); err != nil {
			t.Fatal(err)
		}
	}
}

func keysOf[K any](n int, of func(int) K) []K {
	keys := make([]K, n)
	for i := range keys {
		keys[i] = of(i)
	}
	return keys
}

func TestAllocations(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector allocates")
	}
	t.Run("answer key", func(t *testing.T) { testAllocations(t, answerKeyOf) })
	t.Run("string", func(t *testing.T) { testAllocations(t, stringKeyOf) })
	t.Run("int", func(t *testing.T) { testAllocations(t, func(i int) int { return i + 1000 }) })
}

func testAllocations[K comparable](t *testing.T, of func(int) K) {
	ctx := t.Context()
	c := mustNew(t, Config[K, []byte]{Capacity: 512, MaxBytes: 1 << 20, Cost: byteCost[K]}, 1)
	keys := keysOf(20_000, of)
	mustLoad(t, c, keys[:512], 10)
	i := 0
	next := func() K { i++; return keys[i%512] }
	if n := testing.AllocsPerRun(1000, func() { c.Get(next()) }); n != 0 {
		t.Errorf("Get, hit: got %v allocations, want 0", n)
	}
	if n := testing.AllocsPerRun(1000, func() {
		k := next()
		// what the function closes over must not move to the heap for a hit
		_, _ = c.Load(ctx, k, func(context.Context) ([]byte, error) {
			return fmt.Append(nil, k, i),
				nil
		})
	}); n != 0 {
		t.Errorf("Load, hit: got %v allocations, want 0", n)
	}
	if n := testing.AllocsPerRun(1000, func() {
		_, _ = c.LoadItem(ctx, next(), func(context.Context) ([]byte, error) { return nil, nil })
	}); n != 0 {
		t.Errorf("LoadItem, hit: got %v allocations, want 0", n)
	}
	i = 600
	fresh := func() K { i++; return keys[i] }
	if n := testing.AllocsPerRun(1000, func() { c.Get(fresh()) }); n != 0 {
		t.Errorf("Get, miss: got %v allocations, want 0", n)
	}
	i = 1000
	// An entry, its boxed key and its leaf in the map; the flight; the context. Now and then an
	// inner node of the map, which AllocsPerRun rounds down.
	const want = 5
	if n := testing.AllocsPerRun(10_000, func() {
		_, _ = c.Load(ctx, fresh(), func(context.Context) ([]byte, error) { return nil, nil })
	}); n > want {
		t.Errorf("Load, miss with eviction: got %v allocations, want at most %d", n, want)
	}
	if st := c.Stats(); st.Evictions < 10_000 {
		t.Errorf("got %d evictions, want each miss to evict", st.Evictions)
	}
}

// TestBytesMatchHeap holds the bytes that the cache counts against the heap's growth: within 10 %,
// and no more than 220 bytes an entry beyond key and value.
func TestBytesMatchHeap(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector changes sizes")
	}
	t.Run("answer key", func(t *testing.T) { testBytes(t, 24, answerKeyOf) })
	t.Run("uint64",
		func(t *testing.T) { testBytes(t, 8, func(i int) uint64 { return uint64(i) << 20 }) })
}

func testBytes[K comparable](t *testing.T, keySize int, of func(int) K) {
	for _, size := range []int{64, 1024, 4096} {
		const n = 16_000
		// A quarter more keys than room, so that it also evicts and remembers.
		keys := keysOf(n*5/4, of)
		c := mustNew(t, Config[K, []byte]{Capacity: n, Cost: byteCost[K]}, 8)
		before := heap()
		mustLoad(t, c, keys, size)
		grown := heap() - before
		st := c.Stats()
		if st.Entries != n {
			t.Fatalf("got %d entries, want %d", st.Entries, n)
		}
		overhead := float64(grown)/n - float64(size+24+keySize)
		t.Logf("values of %d bytes: counted %d, heap grew by %d (ratio %.3f), overhead %.0f "+
			"bytes an entry",
			size, st.Bytes, grown, float64(st.Bytes)/float64(grown), overhead)
		if r := float64(st.Bytes) / float64(grown); r < 0.9 || r > 1.1 {
			t.Errorf("values of %d bytes: counted %d bytes, heap grew by %d, want within 10 %%",
				size, st.Bytes, grown)
		}
		if overhead > 220 {
			t.Errorf("values of %d bytes: got an overhead of %.0f bytes an entry, want at most 220",
				size, overhead)
		}
		runtime.KeepAlive(keys)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
