package cache

import (
	"context"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

const benchSeq = 1 << 16 // look-ups of a sequence drawn beforehand

// BenchmarkHit looks up keys that are all there, on one goroutine, in turn in the cache and in a
// bare sync.Map (no bounds, no TTL, no eviction). It reports the median of the ratios: a busy
// machine slows both.
func BenchmarkHit(b *testing.B) {
	hot := make([]ask, benchSeq)
	b.Run("hot", func(b *testing.B) { benchHit(b, hot) })
	b.Run("zipf", func(b *testing.B) { benchHit(b, workloads(1)[2].asks(benchSeq, 0)) })
}

func benchHit(b *testing.B, seq []ask) {
	const round = 1 << 12
	keys := keysOf(numKeys, answerKeyOf)
	c := mustNew(b, Config[answerKey, []byte]{Capacity: 2 * numKeys}, 8)
	loadAll(b, c, keys, 0)
	var m sync.Map
	for _, k := range keys {
		m.Store(k, new([]byte))
	}
	ctx := b.Context()
	missing := func(context.Context) ([]byte, error) { return nil, errMiss }
	var ratios []float64
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		part := seq[i*round%benchSeq:][:round]
		start := time.Now()
		for _, a := range part {
			if _, err := c.Load(ctx, keys[a.key], missing); err != nil {
				b.Fatal(err)
			}
		}
		middle := time.Now()
		for _, a := range part {
			if _, ok := m.Load(keys[a.key]); !ok {
				b.Fatal("got a miss in the sync.Map")
			}
		}
		ratios = append(ratios, float64(middle.Sub(start))/float64(time.Since(middle)))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "x-sync.Map")
}

// BenchmarkMiss loads keys never seen before into a full cache, on all processors.
func BenchmarkMiss(b *testing.B) {
	c := mustNew(b, Config[answerKey, []byte]{Capacity: 4096, MaxBytes: 1 << 30,
		Cost: byteCost[answerKey]}, numShards(4096))
	load, ctx := value(make([]byte, 4096)), b.Context()
	b.ReportAllocs()
	var goroutine atomic.Uint32
	b.RunParallel(func(pb *testing.PB) {
		g := goroutine.Add(1)
		for i := uint64(0); pb.Next(); i++ {
			_, _ = c.Load(ctx, answerKey{g, 0, i, 0}, load)
		}
	})
}
