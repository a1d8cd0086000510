package limits

import (
	"errors"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// ErrFull is the refusal of a Limiter.
var ErrFull = errors.New("clients make the server hold as much as it can")

const (
	// FreeBytes of each Hold are not counted, so that small requests cost nothing here and go on
	// when the limiter is full. A Plan counts them with the connection.
	FreeBytes = 16 << 10

	// Patience is how long a holder may go without progress once the limiter is full.
	Patience = 10 * time.Second

	countStep = 4 << 10 // what is counted at a time: buffers grow in small pieces

	// sweepInterval keeps a flood of refusals from looking through all holders each time.
	sweepInterval = 250 * time.Millisecond
)

// A Limiter bounds the bytes that clients make the server hold: bodies that are still arriving,
// heads, parsed trees, answers that are not written yet, streams. Each asks before its buffer
// grows. When the limiter is full the newcomer is refused, and holders that make no progress are
// stopped. When it is half full, no client may hold more than a quarter.
//
// It counts and allocates nothing. It is safe for concurrent use.
type Limiter struct {
	total int64 // 0: no bound

	refused, stopped atomic.Uint64
	epoch            time.Time

	mu      sync.Mutex // guards what follows
	used    int64
	clients map[netip.Addr]int64 // their parts of used, none of them zero
	first   *Hold                // of those with a part of used
	swept   time.Time
	resumed sync.Cond // a hold is no longer being stopped
}

// A Holder is the request or the connection that a Hold counts for.
type Holder interface {
	// Client is who made it, or the zero Addr if that is unknown and nothing is charged to a
	// client.
	Client() netip.Addr
	// Stop makes it give up what it holds, soon and without an answer. It must not wait for another
	// method of a Limiter or a Hold.
	Stop()
}

// A Hold is what one Holder holds. The zero Hold counts nothing and is never refused, and neither
// does a nil one. Only one goroutine may use a Hold at a time.
type Hold struct {
	limiter *Limiter
	holder  Holder
	free    int64
	size    int64 // in all
	touched bool  // something of it has been counted, or was not because there was no room
	refused bool  // it has been refused since

	// The limiter guards these.
	client     netip.Addr
	counted    int64        // of size
	progress   atomic.Int64 // the last, since epoch
	stopping   bool         // its Holder is being stopped at this moment
	told       bool         // its Holder has been stopped
	prev, next *Hold
}

// NewLimiter returns a Limiter of so many bytes; 0 means no bound.
func NewLimiter(total int64) *Limiter {
	l := &Limiter{total: total, epoch: time.Now(), clients: map[netip.Addr]int64{}}
	l.resumed.L = &l.mu
	return l
}

// Open makes h, which must hold nothing, count for a holder. free of its bytes are not counted.
func (l *Limiter) Open(h *Hold, holder Holder, free int64) {
	h.limiter, h.holder, h.free = l, holder, free
}

// Grow asks for n more bytes. The error is ErrFull, and then nothing has changed.
func (h *Hold) Grow(n int) error {
	if h == nil || h.limiter == nil {
		return nil
	}
	if err := h.count(h.size + int64(n)); err != nil {
		return err
	}
	h.size += int64(n)
	return nil
}

// Shrink gives n bytes back.
func (h *Hold) Shrink(n int) {
	if h == nil || h.limiter == nil {
		return
	}
	h.size -= int64(n)
	h.count(h.size)
}

// Size is how many bytes are held.
func (h *Hold) Size() int64 { return h.size }

// Progress notes that bytes have come or gone.
func (h *Hold) Progress() {
	if h != nil && h.touched {
		h.progress.Store(int64(time.Since(h.limiter.epoch)))
	}
}

// Release gives all back. The Holder is not stopped any more when it returns.
func (h *Hold) Release() {
	if h == nil || h.limiter == nil {
		return
	}
	h.size = 0
	if !h.touched {
		return
	}
	h.touched, h.refused = false, false
	l := h.limiter
	l.mu.Lock()
	defer l.mu.Unlock()
	l.addLocked(h, -h.counted)
	for h.stopping {
		l.resumed.Wait()
	}
	h.told = false
}

// count makes the counted part of h that of a size. Only a larger size can be refused.
func (h *Hold) count(size int64) error {
	counted := (max(size-h.free, 0) + countStep - 1) / countStep * countStep
	// No other goroutine writes h.counted.
	if counted == h.counted {
		return nil
	}
	h.touched = true
	l := h.limiter
	if h.counted == 0 {
		h.client = network(h.holder.Client())
	}
	h.Progress()
	l.mu.Lock()
	more := counted - h.counted
	if more <= 0 || l.fitsLocked(h.client, more) {
		l.addLocked(h, more)
		l.mu.Unlock()
		return nil
	}
	stalled := l.stalledLocked(time.Now())
	l.mu.Unlock()
	if !h.refused {
		h.refused = true
		l.refused.Add(1)
	}
	l.stop(stalled)
	return ErrFull
}

func (l *Limiter) fitsLocked(client netip.Addr, more int64) bool {
	used := l.used + more
	return l.total == 0 || used <= l.total &&
		(used <= l.total/2 || !client.IsValid() || l.clients[client]+more <= l.total/4)
}

// addLocked changes what h counts.
func (l *Limiter) addLocked(h *Hold, more int64) {
	if more == 0 {
		return
	}
	if h.counted == 0 {
		if h.next = l.first; h.next != nil {
			h.next.prev = h
		}
		l.first = h
	}
	h.counted += more
	l.used += more
	if h.client.IsValid() {
		if l.clients[h.client] += more; l.clients[h.client] == 0 {
			delete(l.clients, h.client)
		}
	}
	if h.counted > 0 {
		return
	}
	if h.prev == nil {
		l.first = h.next
	} else {
		h.prev.next = h.next
	}
	if h.next != nil {
		h.next.prev = h.prev
	}
	h.prev, h.next = nil, nil
}

// stalledLocked returns the holders without progress, for stop, if it is time to look for them.
func (l *Limiter) stalledLocked(now time.Time) (stalled []*Hold) {
	if now.Sub(l.swept) < sweepInterval {
		return nil
	}
	l.swept = now
	for h := l.first; h != nil; h = h.next {
		if !h.told && now.Sub(l.epoch)-time.Duration(h.progress.Load()) >= Patience {
			h.told, h.stopping = true, true
			stalled = append(stalled, h)
		}
	}
	return stalled
}

// stop stops holders without the lock: to end a connection may take more locks.
func (l *Limiter) stop(stalled []*Hold) {
	for _, h := range stalled {
		h.holder.Stop()
		l.stopped.Add(1)
		l.mu.Lock()
		h.stopping = false
		l.mu.Unlock()
		l.resumed.Broadcast()
	}
}

// network is what counts as one client: of an IPv6 address only the upper half, since a client
// usually has all 2^64 of them.
func network(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is6() {
		p, _ := a.Prefix(64) // of an address with a zone it drops the zone
		return p.Addr()
	}
	return a
}

// Total is the bound, or 0.
func (l *Limiter) Total() int64 { return l.total }

// Used is what is counted now.
func (l *Limiter) Used() int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.used
}

// Refused is how many requests and connections were refused something.
func (l *Limiter) Refused() uint64 { return l.refused.Load() }

// Stopped is how many holders were stopped for want of progress.
func (l *Limiter) Stopped() uint64 { return l.stopped.Load() }
