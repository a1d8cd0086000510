package cache

import (
	"context"
	"fmt"
	"runtime"
	"testing"
)

// answerKey is the kind of key that the cache is made for: no pointer, no padding and no floating
// point.
type answerKey struct {
	generation, ticker uint32
	days, confidence   uint64
}

func answerKeyOf(i int) answerKey { return answerKey{1, uint32(i / 30), uint64(i%30 + 1), 95} }

func stringKeyOf(i int) string { return fmt.Sprintf("TICK%d|%d|0.95", i/30, i%30+1) }

func uintKeyOf(i int) uint64 { return uint64(i) << 20 }

func byteCost[K comparable](_ K, v []byte) int64 { return int64(len(v)) }

// loadAll loads the given keys, each with a value of size bytes.
func loadAll[K comparable](t testing.TB, c *Cache[K, []byte], keys []K, size int) {
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
	t.Run("uint64", func(t *testing.T) { testAllocations(t, uintKeyOf) })
}

func testAllocations[K comparable](t *testing.T, of func(int) K) {
	ctx := t.Context()
	c := mustNew(t, Config[K, []byte]{Capacity: 512, MaxBytes: 1 << 20, Cost: byteCost[K]}, 1)
	keys := keysOf(12_000, of)
	loadAll(t, c, keys[:512], 10)
	i := 0
	if n := testing.AllocsPerRun(1000, func() {
		i++
		k := keys[i%512]
		// what the function closes over must not move to the heap for a hit
		_, _ = c.LoadItem(ctx, k, func(context.Context) ([]byte, error) {
			return fmt.Append(nil, k, i), nil
		})
	}); n != 0 {
		t.Errorf("hit: got %v allocations, want 0", n)
	}
	// An entry, its boxed key and its leaf in the map; the flight; the context. Now and then an
	// inner node of the map, which AllocsPerRun rounds down.
	const want = 5
	if n := testing.AllocsPerRun(10_000, func() {
		i++
		_, _ = c.Load(ctx, keys[i], func(context.Context) ([]byte, error) { return nil, nil })
	}); n > want {
		t.Errorf("miss with eviction: got %v allocations, want at most %d", n, want)
	}
	if st := c.Stats(); st.Evictions < 10_000 {
		t.Errorf("got %d evictions, want one per miss", st.Evictions)
	}
}

// TestBytesMatchHeap compares the bytes that the cache counts with the heap's growth: within 10 %,
// and at most 220 bytes per entry beyond key and value.
func TestBytesMatchHeap(t *testing.T) {
	if raceEnabled {
		t.Skip("the race detector changes sizes")
	}
	for _, size := range []int{64, 1024, 4096} {
		testBytes(t, size, 24, answerKeyOf)
		testBytes(t, size, 8, uintKeyOf)
	}
}

func testBytes[K comparable](t *testing.T, size, keySize int, of func(int) K) {
	const n = 16_000
	keys := keysOf(n*5/4, of) // a quarter more than fit, so that it also evicts
	c := mustNew(t, Config[K, []byte]{Capacity: n, Cost: byteCost[K]}, 8)
	before := heap()
	loadAll(t, c, keys, size)
	grown := heap() - before
	runtime.KeepAlive(keys)
	ratio := float64(c.Stats().Bytes) / float64(grown)
	overhead := float64(grown)/n - float64(size+24+keySize)
	row := fmt.Sprintf("keys of %d, values of %d bytes: counted are %.3f of the heap's growth, "+
		"overhead is %.0f bytes per entry", keySize, size, ratio, overhead)
	if t.Log(row); ratio < 0.9 || ratio > 1.1 || overhead > 220 {
		t.Errorf("%s: want 0.9 to 1.1, at most 220", row)
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}
