package cache

import (
	"cmp"
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

	minShardEntries = 256
	maxShards       = 64 // each eviction looks at all
)

// Config says how much a cache may hold and for how long. The zero value is usable.
type Config[K comparable, V any] struct {
	// Capacity is the largest number of entries; 0 means 16384.
	Capacity int

	// MaxBytes bounds the sum of all entries' bytes; 0 means no bound. An entry counts as its Cost
	// plus the overhead of the cache. A value over an eighth of MaxBytes is returned but not kept.
	// MaxBytes needs Cost.
	MaxBytes int64

	// Cost returns the bytes that a key and its value hold beyond their own size in an entry:
	// len(v) for a []byte. It is called once per load.
	Cost func(K, V) int64

	// TTL is the age at which an entry is no longer served; 0 means one hour. Each entry lives up
	// to 5 % shorter, at random, so that entries loaded together do not expire together. A hit
	// extends nothing.
	TTL time.Duration
}

// Cache maps keys to values. It is safe for concurrent use.
type Cache[K comparable, V any] struct {
	shards   []shard[K, V] // a power of two of them
	seed     maphash.Seed
	start    time.Time
	ttl      int64
	cost     func(K, V) int64
	overhead int64
	sweeper  *sweeper
	room     room
}

// New returns an empty cache, or an error that names the field at fault.
func New[K comparable, V any](cfg Config[K, V]) (*Cache[K, V], error) {
	cfg.Capacity = cmp.Or(cfg.Capacity, defaultCapacity)
	cfg.TTL = cmp.Or(cfg.TTL, defaultTTL)
	return newCache(cfg, numShards(cfg.Capacity))
}

// numShards returns a power of two: about four shards per processor, so that two inserts seldom
// wait for the same lock.
func numShards(capacity int) int {
	n := 1
	for n < min(4*runtime.GOMAXPROCS(0), maxShards) && capacity/(2*n) >= minShardEntries {
		n *= 2
	}
	return n
}

// newCache is New without defaults and with a given number of shards, a power of two.
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
		start:    time.Now(),
		ttl:      int64(cfg.TTL),
		cost:     cfg.Cost,
		overhead: overhead,
		room:     room{maxEntries: int64(cfg.Capacity), maxBytes: cfg.MaxBytes},
	}
	for i := range c.shards {
		c.shards[i].init()
	}
	c.sweeper = newSweeper(c.sweep)
	return c, nil
}

// now returns the nanoseconds since New. Reading only the monotonic clock costs less than half of
// time.Now.
func (c *Cache[K, V]) now() int64 { return int64(time.Since(c.start)) }

func (c *Cache[K, V]) shard(k K) *shard[K, V] {
	return &c.shards[maphash.Comparable(c.seed, k)&uint64(len(c.shards)-1)]
}

// An Item is a value and its age.
type Item[V any] struct {
	Value V
	Age   time.Duration // since its load began
	Left  time.Duration // until the cache stops serving it; 0 if it was not kept
	Hit   bool          // it was in the cache
}

// Get returns the value of k if it is in the cache. Otherwise nothing happens, and the look-up does
// not count as a miss.
func (c *Cache[K, V]) Get(k K) (v V, ok bool) {
	s := c.shard(k)
	if e := s.find(k); e != nil && c.use(e, c.now()) {
		return e.value, true
	}
	return v, false
}

// Load is [Cache.LoadItem] without the age.
func (c *Cache[K, V]) Load(ctx context.Context, k K,
	load func(context.Context) (V, error)) (V, error) {
	s := c.shard(k)
	if e := s.find(k); e != nil && c.use(e, c.now()) {
		return e.value, nil
	}
	it, err := c.loadMissing(ctx, s, k, load)
	return it.Value, err
}

// LoadItem returns the value of k and loads it if it is missing. Of all callers that miss k
// together, one calls its load and the others wait for the result.
//
// A waiter whose ctx ends leaves with ctx.Err(). A caller whose ctx has ended does not begin to
// load. A load, once begun, runs to its end on its caller's goroutine, under a context with the
// values of ctx but not its end: the others need the result when the first client leaves. A load
// that may take long sets a deadline of its own. A load must not load its own key.
//
// All who wait get the error of a failed load, and nothing is kept. A panic or [runtime.Goexit] in
// load is an error as well.
func (c *Cache[K, V]) LoadItem(ctx context.Context, k K,
	load func(context.Context) (V, error)) (Item[V], error) {
	s := c.shard(k)
	if e := s.find(k); e != nil {
		if now := c.now(); c.use(e, now) {
			return e.hit(now), nil
		}
	}
	return c.loadMissing(ctx, s, k, load)
}

// Purge removes all entries. Loads under way answer those who wait for them already, but no later
// caller, and their results are not kept.
//
// Purge gives memory back. It does not know what data a load uses that begins afterwards: where old
// and new answers must not mix, K needs a generation number.
func (c *Cache[K, V]) Purge() {
	for i := range c.shards {
		c.purge(&c.shards[i])
	}
}

// Close stops the sweep of expired entries and removes all entries. The cache stays usable; an
// expired entry then keeps its memory until a load or an eviction meets it.
func (c *Cache[K, V]) Close() {
	c.sweeper.close()
	c.Purge()
}

// Stats is what a cache holds and has done. Each shard is read at a moment of its own, so sums of
// counters are no snapshot. Entries and Bytes count an entry that is just being inserted.
//
// Hits are not counted: all processors would write that counter. A caller that counts its requests
// anyway gets them from [Stats.Hits].
type Stats struct {
	Entries int   // held now, expired ones that still take room included
	Bytes   int64 // held now

	Misses      uint64 // look-ups that found nothing
	Loads       uint64 // calls of a load function
	Joins       uint64 // callers that waited for another's load
	Evictions   uint64 // entries removed to make room
	Expirations uint64 // entries removed because of their age
}

// Hits returns how many of the given number of calls of Load and LoadItem found their value in the
// cache, provided that there were no others. While calls are under way it may be off by their
// number.
func (st Stats) Hits(lookups uint64) uint64 {
	return lookups - min(lookups, st.Misses)
}

// Stats returns the cache's figures.
func (c *Cache[K, V]) Stats() Stats {
	sum := Stats{Entries: int(c.room.entries.Load()), Bytes: c.room.bytes.Load()}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		st := s.stats
		s.mu.Unlock()
		sum.Misses += st.Misses
		sum.Loads += st.Loads
		sum.Joins += st.Joins
		sum.Evictions += st.Evictions
		sum.Expirations += st.Expirations
	}
	return sum
}
