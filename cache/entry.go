package cache

import (
	"sync/atomic"
	"time"
)

// An entry is not changed once it is in the map, but for visited and, under the shard's lock, its
// place in the policy. So it needs no lock to be read, and a reader that still holds one after its
// eviction does no harm.
type entry[V any] struct {
	visited atomic.Bool // hit since the policy last looked
	tag     uint32      // bits of the key's hash that did not choose the shard
	born    int64       // when its load began, on the cache's clock
	expires int64       // not served then or later
	cost    int64       // bytes, overhead included
	key     any         // a K: the very interface that the map holds, not a second copy
	value   V

	queue        *queue[V]
	older, newer *entry[V] // neighbours in queue
}

// hit reports whether e may be served at now, and marks it if so. It writes only where the mark is
// clear: a hot entry's cache line stays shared.
func (e *entry[V]) hit(now int64) bool {
	if e.expired(now) {
		return false
	}
	if !e.visited.Load() {
		e.visited.Store(true)
	}
	return true
}

func (e *entry[V]) expired(now int64) bool { return now >= e.expires }

func (e *entry[V]) item(now int64) Item[V] {
	return Item[V]{Value: e.value, Age: time.Duration(now - e.born),
		Left: time.Duration(e.expires - now)}
}

// A queue is a list of entries, oldest first.
type queue[V any] struct {
	oldest, newest *entry[V]
	n              int
}

// push adds e, which is in no queue, as the newest.
func (q *queue[V]) push(e *entry[V]) {
	e.queue = q
	e.older = q.newest
	if q.newest != nil {
		q.newest.newer = e
	} else {
		q.oldest = e
	}
	q.newest = e
	q.n++
}

// remove takes e out of the queue that it is in.
func (e *entry[V]) remove() {
	q := e.queue
	if e.older != nil {
		e.older.newer = e.newer
	} else {
		q.oldest = e.newer
	}
	if e.newer != nil {
		e.newer.older = e.older
	} else {
		q.newest = e.older
	}
	e.queue, e.older, e.newer = nil, nil, nil
	q.n--
}
