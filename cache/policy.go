package cache

import "math/bits"

// A policy chooses what a shard evicts. It is second chance over two queues whose sizes adapt: the
// idea of ARC (Megiddo and Modha, FAST 2003) in the clock form of CAR (Bansal and Modha, FAST
// 2004), with unit steps and with narrower memory than theirs, both chosen by simulation
// (hitratio_test.go).
//
// A hit only marks its entry. A new entry waits in recent; one that is found marked when it comes
// to the old end gets its second chance in frequent. So a scan, or keys that are used once, pass
// through recent and leave frequent alone. target is how many entries recent keeps: keys that come
// back soon after they left recent raise it, those that come back after they left frequent lower
// it. With target at its ends the policy is close to LRU, which moving popularity wants, or close
// to LFU, which a fixed one wants.
type policy[V any] struct {
	recent, frequent queue[V]
	target           int

	ghosts  []ghost // of evicted keys, by tag; a later one overwrites
	evicted [2]uint32
}

// A ghost remembers that a key was evicted, and which eviction of its queue it was.
type ghost struct {
	tag uint32 // its lowest bit says which queue: fromRecent or fromFrequent
	seq uint32 // 0: no ghost
}

const (
	fromRecent = iota
	fromFrequent
)

func (p *policy[V]) len() int { return p.recent.n + p.frequent.n }

// add gives the new entry e its place.
func (p *policy[V]) add(e *entry[V]) {
	from, ok := p.recall(e.tag)
	switch {
	case !ok:
		p.recent.push(e)
		return
	case from == fromRecent:
		p.target = min(p.keep()+1, p.len())
	default:
		p.target = max(p.keep()-1, 0)
	}
	p.frequent.push(e)
}

// victim returns the entry to evict; there must be one. Hits may set marks as fast as it clears
// them, so after a full round it takes what it looks at.
func (p *policy[V]) victim(now int64) *entry[V] {
	for range p.len() {
		e := p.candidate()
		if e.expired(now) || !e.visited.Load() {
			return e
		}
		e.visited.Store(false)
		e.remove()
		p.frequent.push(e)
	}
	return p.candidate()
}

// keep is the length that recent should have: target, but at least an eighth of all, or keys that
// only became popular could not stay to be seen twice.
func (p *policy[V]) keep() int { return max(p.target, p.len()/8) }

func (p *policy[V]) candidate() *entry[V] {
	if p.frequent.n == 0 || p.recent.n > 0 && p.recent.n >= p.keep() {
		return p.recent.oldest
	}
	return p.frequent.oldest
}

// remember makes e, which is about to be evicted, a ghost.
func (p *policy[V]) remember(e *entry[V]) {
	// There are about as many ghosts as entries. The table comes with the first eviction, so a
	// cache that never fills has none, and it starts empty when it must grow.
	if n := p.len(); len(p.ghosts) < n {
		p.ghosts = make([]ghost, 1<<bits.Len(uint(n-1)))
	}
	from := uint32(fromRecent)
	if e.queue == &p.frequent {
		from = fromFrequent
	}
	p.evicted[from]++
	*p.ghost(e.tag) = ghost{tag: e.tag&^1 | from, seq: p.evicted[from]}
}

// recall reports whether the key of tag was evicted a short while ago, and from which queue. Short
// means: as many evictions from recent as half the length of frequent, or from frequent as the
// length of recent. So the longer a queue is already, the less makes it longer.
func (p *policy[V]) recall(tag uint32) (from uint32, ok bool) {
	if p.ghosts == nil {
		return 0, false
	}
	g := p.ghost(tag)
	if g.seq == 0 || (g.tag^tag)&^1 != 0 {
		return 0, false
	}
	from = g.tag & 1
	age := int(p.evicted[from] - g.seq)
	if from == fromRecent {
		return from, age < p.frequent.n/2
	}
	return from, age < p.recent.n
}

func (p *policy[V]) ghost(tag uint32) *ghost {
	return &p.ghosts[(tag>>1)&uint32(len(p.ghosts)-1)]
}
