package cache

import (
	"container/list"
	"context"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
)

// The benchmarks look keys up in an order drawn beforehand, each goroutine from a place of its own,
// so that neither drawing nor a shared index is measured. In the hit benchmarks all keys fit;
// values are pointers to 4 KB. Beside the cache stand the bare sync.Map (no bounds, no TTL, no
// eviction) and the obvious LRU under one mutex.

const benchSeq = 1 << 16

// lookuper is what the benchmarks compare: get reports a hit, add loads a key.
type lookuper[K comparable] struct {
	name string
	get  func(K) bool
	add  func(K)
}

func lookupers[K comparable](b *testing.B, capacity int) []lookuper[K] {
	ctx := b.Context()
	page := make([]byte, 4096)
	c, err := New(Config[K, []byte]{Capacity: capacity, MaxBytes: 1 << 30, Cost: byteCost[K]})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(c.Close)
	var m sync.Map
	l := &lru[K, []byte]{capacity: capacity, at: make(map[K]*list.Element)}
	load := func(context.Context) ([]byte, error) { return page, nil }
	return []lookuper[K]{
		{"cache", func(k K) bool { _, ok := c.Get(k); return ok },
			func(k K) { _, _ = c.Load(ctx, k, load) }},
		{"syncmap", func(k K) bool { _, ok := m.Load(k); return ok },
			func(k K) { m.Store(k, page) }},
		{"mutexlru", func(k K) bool { _, ok := l.get(k); return ok }, func(k K) { l.put(k, page) }},
	}
}

// benchHits measures look-ups of seq, a power of two of indices into keys, all of which are there.
func benchHits[K comparable](b *testing.B, keys []K, seq []uint32) {
	for _, l := range lookupers[K](b, 2*len(keys)) {
		for _, k := range keys {
			l.add(k)
		}
		b.Run(l.name, func(b *testing.B) {
			b.ReportAllocs()
			var start atomic.Uint32
			b.RunParallel(func(pb *testing.PB) {
				for i := start.Add(12345); pb.Next(); i++ {
					if !l.get(keys[seq[i%uint32(len(seq))]]) {
						b.Error("got a miss, want hits alone")
						return
					}
				}
			})
		})
	}
}

// packedKey is answerKey without padding or floating point, which lets the runtime hash and compare
// it as one piece of memory.
type packedKey struct {
	generation, ticker uint32
	days, confidence   uint64 // confidence as math.Float64bits
}

func packedKeyOf(i int) packedKey {
	k := answerKeyOf(i)
	return packedKey{k.generation, k.ticker, uint64(k.days), math.Float64bits(k.confidence)}
}

func zipfSeq() []uint32 {
	return workloads(benchSeq)[2].seq(rand.New(rand.NewPCG(8, 8)), benchSeq)
}

func BenchmarkHitHot(b *testing.B) {
	b.Run("answer", func(b *testing.B) { benchHits(b, keysOf(1, answerKeyOf), make([]uint32, 1)) })
	b.Run("string", func(b *testing.B) { benchHits(b, keysOf(1, stringKeyOf), make([]uint32, 1)) })
	b.Run("packed", func(b *testing.B) { benchHits(b, keysOf(1, packedKeyOf), make([]uint32, 1)) })
}

func BenchmarkHitZipf(b *testing.B) {
	seq := zipfSeq()
	b.Run("answer", func(b *testing.B) { benchHits(b, keysOf(numKeys, answerKeyOf), seq) })
	b.Run("string", func(b *testing.B) { benchHits(b, keysOf(numKeys, stringKeyOf), seq) })
	b.Run("packed", func(b *testing.B) { benchHits(b, keysOf(numKeys, packedKeyOf), seq) })
}

// BenchmarkMixed looks up zipf keys that are mostly there and, in 5 or 25 of 100 cases, a key never
// seen, which is then added at an old one's cost.
func BenchmarkMixed(b *testing.B) {
	b.Run("95-5", func(b *testing.B) { benchMixed(b, 5) })
	b.Run("75-25", func(b *testing.B) { benchMixed(b, 25) })
	b.Run("0-100", func(b *testing.B) { benchMixed(b, 100) })
}

func benchMixed(b *testing.B, percent uint32) {
	seq := zipfSeq()
	keys := keysOf(numKeys, answerKeyOf)
	for _, l := range lookupers[answerKey](b, 4096) {
		if l.name == "syncmap" {
			continue // it would grow for ever
		}
		for _, k := range keys {
			l.add(k)
		}
		b.Run(l.name, func(b *testing.B) {
			b.ReportAllocs()
			var goroutine atomic.Uint32
			b.RunParallel(func(pb *testing.PB) {
				g := goroutine.Add(1)
				for i := g * 12345; pb.Next(); i++ {
					k := keys[seq[i%benchSeq]]
					if i*2654435769>>16%100 < percent {
						k = answerKey{g + 1, i, 0, 0}
					}
					if !l.get(k) {
						l.add(k)
					}
				}
			})
		})
	}
}
