// Package ratelimit bounds how many requests each client may make, by a token bucket a client, in
// bounded memory.
//
// It is no protection against overload, which limits what runs at once rather than who asks how
// often, and it is not shared: each copy of a server counts for itself.
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

// Limiter is a token bucket a client, kept as the one time at which it will be full: the bucket of
// a client that is not remembered is full, so one whose bucket has filled up can be forgotten and
// nothing is lost. It is safe for concurrent use.
type Limiter[C comparable] struct {
	interval time.Duration // between requests at the rate
	window   time.Duration // that fills an empty bucket
	burst    int
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
		burst:    cfg.Burst,
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
	OK        bool
	Remaining int           // requests that the client could make at once now
	Full      time.Duration // until its bucket is full
	Wait      time.Duration // until it may make another; 0 if Remaining is above 0
}

// Take takes a token from a client's bucket, if one is there.
func (l *Limiter[C]) Take(client C) Decision {
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
	full := max(b.full, now) + l.interval
	d := Decision{OK: full-now <= l.window}
	if d.OK {
		b.full = full
	}
	d.Full = b.full - now
	d.Remaining = int((l.window - d.Full) / l.interval)
	if d.Remaining == 0 {
		d.Wait = d.Full + l.interval - l.window
	}
	return d
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

// Policy is the value of RateLimit-Policy, and AppendFields appends that of RateLimit after a
// decision: the structured fields of draft-ietf-httpapi-ratelimit-headers-10, where a quota of q
// requests refills in w seconds, r are left of it, and it is full again in t seconds.
func (l *Limiter[C]) Policy() string {
	return `"default";q=` + strconv.Itoa(l.burst) + ";w=" + strconv.FormatInt(Seconds(l.window), 10)
}

// AppendFields is described at Policy.
func (d Decision) AppendFields(b []byte) []byte {
	b = strconv.AppendInt(append(b, `"default";r=`...), int64(d.Remaining), 10)
	return strconv.AppendInt(append(b, ";t="...), Seconds(d.Full), 10)
}

// Seconds rounds up, so that who waits as long as a header says has waited long enough.
func Seconds(d time.Duration) int64 { return int64((d + time.Second - 1) / time.Second) }

// Rate is a number of requests in a period.
type Rate struct {
	Requests int
	Period   time.Duration
}

// ParseRate reads N, N/s, N/m or N/h; N alone is N/s.
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
