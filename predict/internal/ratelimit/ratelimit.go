// Package ratelimit bounds how many requests each client may make, with a token bucket for each, in
// bounded memory. It also finds the address of a client behind proxies.
//
// It is no protection against overload, for which what runs at once must be limited, and its counts
// are not shared between copies of a server.
package ratelimit

import (
	"container/list"
	"errors"
	"fmt"
	"hash/maphash"
	"math"
	"strconv"
	"strings"
	"sync"
	"time"
)

const (
	defaultClients = 1 << 16
	shards         = 64 // so that clients seldom meet on a lock
)

// Config says how much a client may ask.
type Config struct {
	Rate  Rate // needed
	Burst int  // requests at once after a pause; 0 means those of one period of Rate
	// most clients remembered, rounded up to a multiple of 64; 0 means 65,536, some 15 MB
	Clients int
	Now     func() time.Time // nil means time.Now
}

// Limiter holds a token bucket for each client, as the one time at which it will be full. A client
// that is not remembered has a full bucket, so one whose bucket has filled up can be forgotten. It
// is safe for concurrent use.
type Limiter[C comparable] struct {
	interval time.Duration // between requests at the rate
	window   time.Duration // that fills an empty bucket
	start    time.Time
	now      func() time.Time
	seed     maphash.Seed
	shards   [shards]shard[C]
}

type shard[C comparable] struct {
	mu       sync.Mutex
	capacity int
	clients  map[C]*list.Element // of *bucket[C]
	recent   list.List           // the client that asked last is in front
}

type bucket[C comparable] struct {
	client C
	full   time.Duration // since start, when the bucket will be full
}

// New returns a Limiter, or an error that names the field at fault.
func New[C comparable](cfg Config) (*Limiter[C], error) {
	if cfg.Burst == 0 {
		cfg.Burst = cfg.Rate.Requests
	}
	if cfg.Clients == 0 {
		cfg.Clients = defaultClients
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.Rate.Requests <= 0 || cfg.Rate.Period <= 0:
		return nil, fmt.Errorf("ratelimit: Rate is %v, must be above zero", cfg.Rate)
	case cfg.Burst < 0:
		return nil, fmt.Errorf("ratelimit: Burst is %d, must be above zero", cfg.Burst)
	case cfg.Clients < 0:
		return nil, fmt.Errorf("ratelimit: Clients is %d, must be above zero", cfg.Clients)
	}
	interval := max(cfg.Rate.Period/time.Duration(cfg.Rate.Requests), 1)
	if time.Duration(cfg.Burst) > math.MaxInt64/4/interval {
		return nil, fmt.Errorf("ratelimit: Burst is %d, which takes centuries to fill at %v",
			cfg.Burst, cfg.Rate)
	}
	l := &Limiter[C]{
		interval: interval,
		window:   interval * time.Duration(cfg.Burst),
		start:    cfg.Now(),
		now:      cfg.Now,
		seed:     maphash.MakeSeed(),
	}
	for i := range l.shards {
		l.shards[i] = shard[C]{capacity: (cfg.Clients + shards - 1) / shards,
			clients: map[C]*list.Element{}}
	}
	return l, nil
}

// Decision is the outcome of one request.
type Decision struct {
	OK bool
	// Wait is the time until the client may make another request of one token, or after a refusal
	// the same request again; 0 if it may now.
	Wait time.Duration
}

// Take takes a token from a client's bucket, if one is there.
func (l *Limiter[C]) Take(client C) Decision { return l.TakeMore(client, 1, 0) }

// TakeMore takes n tokens in place of some that were taken before, held, which it gives back first.
// If not all n are there it takes none. More than a bucket holds are taken from a full bucket,
// which is then empty until all of them have come in: so a large request can be made, and costs
// what as many small ones do.
func (l *Limiter[C]) TakeMore(client C, n, held int) Decision {
	s := &l.shards[maphash.Comparable(l.seed, client)%shards]
	s.mu.Lock()
	defer s.mu.Unlock()
	now := l.now().Sub(l.start)
	e, ok := s.clients[client]
	if ok {
		s.recent.MoveToFront(e)
	} else {
		if len(s.clients) >= s.capacity {
			oldest := s.recent.Back()
			delete(s.clients, s.recent.Remove(oldest).(*bucket[C]).client)
		}
		e = s.recent.PushFront(&bucket[C]{client: client, full: now})
		s.clients[client] = e
	}
	b := e.Value.(*bucket[C])
	b.full = max(b.full-l.cost(held), now)
	cost := l.cost(n)
	if lacks := b.full + min(cost, l.window) - l.window - now; lacks > 0 {
		return Decision{Wait: lacks}
	}
	b.full += cost
	return Decision{OK: true, Wait: max(b.full+l.interval-l.window-now, 0)}
}

// cost is the time in which n tokens come in: with a debt of so many, it stays far from overflow.
func (l *Limiter[C]) cost(n int) time.Duration {
	return min(time.Duration(n), math.MaxInt64/4/l.interval) * l.interval
}

// Clients is the number of clients remembered.
func (l *Limiter[C]) Clients() (n int) {
	for i := range l.shards {
		l.shards[i].mu.Lock()
		n += len(l.shards[i].clients)
		l.shards[i].mu.Unlock()
	}
	return n
}

// Seconds rounds up, so that a client which waits as long as a header says waits long enough.
func Seconds(d time.Duration) int { return int((d + time.Second - 1) / time.Second) }

// Rate is a number of requests in a period.
type Rate struct {
	Requests int
	Period   time.Duration
}

// ParseRate reads N, N/s, N/m or N/h; a bare N is N/s.
func ParseRate(s string) (Rate, error) {
	number, unit, _ := strings.Cut(s, "/")
	period, ok := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour}[unit]
	if unit == "" && number == s {
		period, ok = time.Second, true
	}
	n, err := strconv.Atoi(number)
	switch {
	case err != nil || !ok || n <= 0:
		return Rate{}, fmt.Errorf("rate %q is not N, N/s, N/m or N/h with N above zero", s)
	case time.Duration(n) > period:
		return Rate{}, errors.New("more than one request a nanosecond")
	}
	return Rate{n, period}, nil
}

// String is what ParseRate reads.
func (r Rate) String() string {
	switch r.Period {
	case time.Second:
		return fmt.Sprintf("%d/s", r.Requests)
	case time.Minute:
		return fmt.Sprintf("%d/m", r.Requests)
	case time.Hour:
		return fmt.Sprintf("%d/h", r.Requests)
	}
	return fmt.Sprintf("%d/%v", r.Requests, r.Period)
}
