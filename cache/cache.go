package cache

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"runtime"
	"time"
)

const (
	defaultCapacity = 1 << 14
	defaultTTL      = time.Hour
	maxTTL          = 100 * 365 * 24 * time.Hour // keeps clock + TTL far from overflow

	// A shard smaller than this evicts noticeably worse than one big cache would.
	minShardEntries = 256
	minShardBytes   = 512 << 10
)

// Config says how large a cache may grow and how long it keeps an answer. The zero value is usable.
type Config[K comparable, V any] struct {
	// Capacity is the largest number of entries ever held; 0 means 16384.
	Capacity int

	// MaxBytes bounds the sum of all entries' bytes, where an entry counts as Cost plus the cache's
	// own overhead; 0 means no bound. It needs Cost. A value over an eighth of its shard's part is
	// returned but not kept.
	MaxBytes int64

	// Cost returns the bytes that key and value hold beyond their own size in an entry: len(v) for
	// a []byte. nil means none. It is called once a load.
	Cost func(K, V) int64

	// TTL is the age at which an entry is no longer served; 0 means one hour. Each entry lives 0 to
	// 5 % shorter, at random, so that entries loaded together do not expire together. A hit extends
	// nothing.
	TTL time.Duration

	// Now returns the time; nil means the monotonic clock. A Now that goes backwards makes entries
	// live longer.
	Now func() time.Time
}

// Cache maps keys to values. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	shards   []shard[K, V] // a power of two of them
	seed     maphash.Seed
	now      func() int64 // nanoseconds since New
	ttl      int64
	cost     func(K, V) int64
	overhead int64
	sweeper  sweeper
}

// New returns an empty cache, or an error that names the field at fault.
func New[K comparable, V any](cfg Config[K, V]) (*Cache[K, V], error) {
	if cfg.Capacity == 0 {
		cfg.Capacity = defaultCapacity
	}
	if cfg.TTL == 0 {
		cfg.TTL = defaultTTL
	}
	return newCache(cfg, numShards(cfg.Capacity, cfg.MaxBytes))
}

// numShards returns the largest power of two that leaves no shard too small, up to four shards a
// processor, which keeps the odds of two inserts meeting on one lock low.
func numShards(capacity int, maxBytes int64) int {
	n := 1
	for n < 4*runtime.GOMAXPROCS(0) &&
		capacity/(2*n) >= minShardEntries &&
		(maxBytes == 0 || maxBytes/int64(2*n) >= minShardBytes) {
		n *= 2
	}
	return n
}

// newCache is New for a cfg without defaults left open and a given number of shards, a power of
// two.
func newCache[K comparable, V any](cfg Config[K, V], shards int) (*Cache[K, V], error) {
	overhead := entryOverhead[K, V]()
	switch {
	case cfg.Capacity < 0:
		return nil, fmt.Errorf("cache: Capacity is %d, must not be negative", cfg.Capacity)
	case cfg.TTL < 0 || cfg.TTL > maxTTL:
		return nil, fmt.Errorf("cache: TTL is %v, must be between 0 and %v", cfg.TTL, maxTTL)
	case cfg.MaxBytes < 0:
		return nil, fmt.Errorf("cache: MaxBytes is %d, must not be negative", cfg.MaxBytes)
	case cfg.MaxBytes > 0 && cfg.Cost == nil:
		return nil, errors.New("cache: MaxBytes needs Cost")
	case cfg.MaxBytes > 0 && cfg.MaxBytes/maxShare <= overhead:
		return nil, fmt.Errorf("cache: MaxBytes is %d, too small for any entry", cfg.MaxBytes)
	}
	c := &Cache[K, V]{
		shards:   make([]shard[K, V], shards),
		seed:     maphash.MakeSeed(),
		now:      monotonic(cfg.Now),
		ttl:      int64(cfg.TTL),
		cost:     cfg.Cost,
		overhead: overhead,
	}
	for i := range c.shards {
		c.shards[i].init(part(cfg.Capacity, shards, i), part(cfg.MaxBytes, int64(shards), int64(i)))
	}
	c.sweeper.sweep = c.sweep
	return c, nil
}

// part is the i-th of n parts of total: they differ by at most one and their sum is total.
func part[T int | int64](total, n, i T) T {
	p := total / n
	if i < total%n {
		p++
	}
	return p
}

// monotonic turns now into nanoseconds since this call. Without now it reads the monotonic clock
// alone, which costs less than half of time.Now.
func monotonic(now func() time.Time) func() int64 {
	if now == nil {
		start := time.Now()
		return func() int64 { return int64(time.Since(start)) }
	}
	start := now()
	return func() int64 { return int64(now().Sub(start)) }
}

// shard returns the shard of k and the bits of its hash that did not choose it.
func (c *Cache[K, V]) shard(k K) (*shard[K, V], uint32) {
	h := maphash.Comparable(c.seed, k)
	return &c.shards[h&uint64(len(c.shards)-1)], uint32(h >> 32)
}

// An Item is a value and its age.
type Item[V any] struct {
	Value V
	Age   time.Duration // since its load began
	Left  time.Duration // until the cache stops serving it; 0 if it was not kept
}

// Get returns the value of k if it is there and younger than its TTL. A hit takes no lock and
// allocates nothing.
func (c *Cache[K, V]) Get(k K) (v V, ok bool) {
	s, _ := c.shard(k)
	if e := s.find(k); e != nil && e.hit(c.now()) {
		return e.value, true
	}
	s.missed.Add(1)
	return v, false
}

// Load is [Cache.LoadItem] without the age.
func (c *Cache[K, V]) Load(ctx context.Context, k K, load func(context.Context) (V, error)) (V,
	error) {
	s, tag := c.shard(k)
	if e := s.find(k); e != nil && e.hit(c.now()) {
		return e.value, nil
	}
	it, err := c.loadMissing(ctx, s, tag, k, load)
	return it.Value, err
}

// LoadItem returns the value of k, loading it if it is missing: of all callers that miss k
// together, one calls its load and the others wait for that.
//
// A waiter leaves early, with ctx.Err(), when its own ctx ends, and none begins to load after that.
// The caller that loads stays to the end: load runs on its goroutine, under a context with the
// values of ctx but not its end, so its client's leaving fails nobody. A load that may take long
// sets a deadline of its own. It must not load its own key.
//
// An error of load goes to all who wait for it and is not kept; a panic in load becomes a
// [*PanicError], and [runtime.Goexit] in it an error for the others.
func (c *Cache[K, V]) LoadItem(ctx context.Context, k K,
	load func(context.Context) (V, error)) (Item[V], error) {
	s, tag := c.shard(k)
	if e := s.find(k); e != nil {
		if now := c.now(); e.hit(now) {
			return e.item(now), nil
		}
	}
	return c.loadMissing(ctx, s, tag, k, load)
}

// Purge forgets all entries. Loads under way still answer those who wait for them, but nobody who
// comes later, and they are not kept.
//
// Purge gives memory back; it cannot tell what a load that begins afterwards closes over. Where old
// and new answers must not mix, put a generation in K.
func (c *Cache[K, V]) Purge() {
	for i := range c.shards {
		c.shards[i].purge()
	}
}

// Close stops the sweep of expired entries and forgets all entries. The cache stays usable; expired
// entries then wait for a load or an eviction to go.
func (c *Cache[K, V]) Close() {
	c.sweeper.close()
	c.Purge()
}
