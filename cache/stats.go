package cache

// Stats is what a cache holds and has done. Each shard is read at an instant of its own: the bounds
// hold in every Stats, sums of counters are no snapshot.
//
// Hits are not counted: a counter on the hit path is memory that all processors write. A caller
// that counts its requests anyway has them from [Stats.Hits].
type Stats struct {
	Entries  int   // held now, expired ones that still take room included
	Capacity int   // bound of Entries
	Bytes    int64 // held now
	MaxBytes int64 // bound of Bytes; 0: none

	Misses      uint64 // look-ups that found nothing: of Get, and Loads and Joins
	Loads       uint64 // calls of a load function
	Joins       uint64 // callers that waited for another's load
	Failures    uint64 // loads that ended in an error, a panic or Goexit
	Refused     uint64 // loaded values not kept: too large, or expired when loaded
	Evictions   uint64 // entries removed to make room
	Expirations uint64 // entries removed because of their age
}

// Hits returns how many of a number of calls of Get, Load and LoadItem found their value in the
// cache, if those are all the calls there were. While calls are under way it may be off by their
// number.
func (st Stats) Hits(lookups uint64) uint64 {
	return lookups - min(lookups, st.Misses)
}

// counts are a shard's part of Stats.
type counts struct {
	loads, joins, failures, refused, evictions, expirations uint64
}

// Stats returns the cache's figures.
func (c *Cache[K, V]) Stats() Stats {
	var st Stats
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n := s.counts
		st.Entries += s.policy.len()
		st.Capacity += s.maxEntries
		st.Bytes += s.bytes
		st.MaxBytes += s.maxBytes
		s.mu.Unlock()
		st.Misses += s.missed.Load() + n.loads + n.joins
		st.Loads += n.loads
		st.Joins += n.joins
		st.Failures += n.failures
		st.Refused += n.refused
		st.Evictions += n.evictions
		st.Expirations += n.expirations
	}
	return st
}

// Len returns the number of entries held, expired ones that still take room included. It is no
// snapshot: see [Stats].
func (c *Cache[K, V]) Len() int {
	n := 0
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		n += s.policy.len()
		s.mu.Unlock()
	}
	return n
}
