// Package predict answers forecast requests over HTTP. It decodes and validates a request, finds
// the answer in a cache or computes it, and encodes it. The wire contract is that of a FastAPI
// service with Pydantic models, to the byte.
//
// The core is pure: [Decode] turns bytes into a [Request] or an [Error], a [Service] turns a
// Request into bytes, and the handlers only carry bytes. The package is not a server: it has no
// listener, no routes and no authentication. It does not forecast either; package model does.
package predict

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"tickercast/cache"
	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict/internal/limits"
	"tickercast/predict/internal/metrics"
)

// Config sets the limits and seams of a Service. The zero value is usable.
type Config struct {
	CacheEntries int           // most answers kept; 0 means the cache's default, 16384
	CacheBytes   int64         // most bytes of answers kept; 0 means 64 MiB
	TTL          time.Duration // age at which an answer is computed again; 0 means one hour

	MaxBody      int64 // bytes of a request's body; 0 means 64 KiB
	MaxBatchBody int64 // bytes of the body of a batch or inference; 0 means 4 MiB
	MaxItems     int   // requests in a batch or inference; 0 means 1000

	// Hold returns what counts the memory that a request makes the server hold: its body, the tree
	// of that, and its answer. A request that it refuses gets a 503. It is called with the
	// ResponseWriter of the handler, whose end gives all back. Nil counts nothing.
	Hold func(w http.ResponseWriter) *limits.Hold

	// Memory counts what the server holds for all requests together: the markets of earlier days. A
	// request for a day that it has no room for gets a 503. Nil counts nothing.
	Memory *limits.Limiter

	// Timeout is how long a batch or inference may take once its body is read; beyond it gets a
	// 504. 0 means no limit.
	Timeout time.Duration

	// Slot waits for a place among the costly calls: batches, inferences, and long single requests
	// that are not in the usual form. release gives it back; the client gets the error. It is
	// called when the body is read, with its size. Nil admits everything.
	Slot func(ctx context.Context, size int) (release func(), err error)

	// Overloaded reports whether a batch or inference would get no slot. It is called before the
	// body is read, since a refusal is cheapest then, with its size as far as that is known. Nil
	// means never.
	Overloaded func(size int) bool

	// Charge takes a batch or inference from its client's rate by its number of items, of which one
	// was taken before. The client gets the error. w is that of the request. It is called when the
	// items are counted, before one is answered. Nil charges nothing.
	Charge func(w http.ResponseWriter, items int) error

	// RedactInput leaves out of errors what the client sent.
	RedactInput bool

	// Ready reports whether requests should be sent here, with reasons for either answer. Only with
	// details may they name paths and contents of files. Nil means always.
	Ready func(details bool) (ready bool, reasons []string)

	// Failed is called for every error that a client sees as a 500. Nil ignores them.
	Failed func(Failure)

	// LeftOut is called once for each ticker that is asked for but that the market has left out.
	// Nil ignores them.
	LeftOut func(market.Refusal)

	// Answered is called before a 200 with forecasts is written, with what they are made from. Nil
	// ignores it.
	Answered func(http.ResponseWriter, Record)

	// Scores returns a JSON object for GET /model with the test results of a version of the model,
	// or nil if there are none. Nil knows of none.
	Scores func(version string) json.RawMessage

	ModelName string            // in the Open Inference Protocol; empty means tickercast
	Version   string            // of the server, for GET /v2
	Metrics   *metrics.Registry // where forecasts are counted; nil means nowhere
	Now       func() time.Time  // dates a history that has no date; nil means time.Now
}

// Service answers requests for forecasts. Until the first Swap it has no data and answers them with
// a 503. It is safe for concurrent use.
type Service struct {
	cfg   Config
	state atomic.Pointer[state] // nil until the first Swap
	cache *cache.Cache[key, stored]
	swap  sync.Mutex // held while state is replaced

	lookups   *metrics.Counter // the hits are these without the misses, so a hit counts only once
	computing *metrics.Histogram

	singles bodyPool // of single requests
	batches bodyPool // of batches and inferences
	outputs bodyPool // of their answers
	gzip    *compressor
}

// key holds everything that the answer to a request for a listed ticker depends on. It has no
// padding and no float, so it is hashed as one block of memory, which makes a hit a fifth cheaper.
type key struct {
	generation, ticker uint32
	days               uint32
	asOf               calendar.Date // 0: the end of the market
	confidence         uint64        // the float's bits; equal positive floats have equal bits
}

func (st *state) key(t *market.Ticker, days int, confidence float64) key {
	return key{st.generation, uint32(t.Index), uint32(days), 0, math.Float64bits(confidence)}
}

// New returns a Service without data.
func New(cfg Config) (*Service, error) {
	cfg.CacheBytes = cmp.Or(cfg.CacheBytes, 64<<20)
	cfg.TTL = cmp.Or(cfg.TTL, time.Hour)
	cfg.MaxBody = cmp.Or(cfg.MaxBody, 64<<10)
	cfg.MaxBatchBody = cmp.Or(cfg.MaxBatchBody, 4<<20)
	cfg.MaxItems = cmp.Or(cfg.MaxItems, 1000)
	cfg.ModelName = cmp.Or(cfg.ModelName, inferModel)
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.New()
	}
	switch {
	case min(cfg.MaxBody, cfg.MaxBatchBody) < 0 ||
		max(cfg.MaxBody, cfg.MaxBatchBody) > math.MaxInt32:
		return nil, fmt.Errorf("predict: MaxBody is %d and MaxBatchBody %d, must be between 0 "+
			"and 2 GiB", cfg.MaxBody, cfg.MaxBatchBody)
	case cfg.MaxItems < 0:
		return nil, fmt.Errorf("predict: MaxItems is %d, must not be negative", cfg.MaxItems)
	case cfg.Timeout < 0:
		return nil, fmt.Errorf("predict: Timeout is %v, must not be negative", cfg.Timeout)
	}
	c, err := cache.New(cache.Config[key, stored]{
		Capacity: cfg.CacheEntries,
		MaxBytes: cfg.CacheBytes,
		Cost:     func(_ key, answer stored) int64 { return int64(cap(answer)) },
		TTL:      cfg.TTL,
	})
	if err != nil {
		return nil, err
	}
	s := &Service{
		cfg:   cfg,
		cache: c,
		lookups: cfg.Metrics.Counter("predictions_total",
			"Requests for the forecast of a listed ticker, each item of a batch one."),
		computing: cfg.Metrics.Histogram("predict_duration_seconds",
			"Time to compute and encode an answer that was not in the cache."),
		singles: bodyPool{limit: cfg.MaxBody, keep: keptBody},
		batches: bodyPool{limit: cfg.MaxBatchBody, keep: keptBody},
		outputs: bodyPool{keep: 512 << 10},
		gzip:    newCompressor(),
	}
	cfg.Metrics.CounterFunc("predict_cache_hits_total", "Answers found in the cache.",
		func() float64 { return float64(c.Stats().Hits(s.lookups.Value())) })
	return s, nil
}

// Close stops the background work of the cache.
func (s *Service) Close() { s.cache.Close() }

// Swap serves another model and market from now on: the model with the step in force at the end of
// the market. On an error the Service goes on as before. Requests in progress keep the data that
// they began with; requests that come later get no answer from old data.
func (s *Service) Swap(ctx context.Context, steps *calibrate.Yearly, mk *market.Market) error {
	s.swap.Lock()
	defer s.swap.Unlock()
	generation := uint32(1)
	if old := s.state.Load(); old != nil {
		generation = old.generation + 1
	}
	st, err := newState(ctx, steps, mk, generation, &s.cfg)
	if err != nil {
		return err
	}
	if old := s.state.Swap(st); old != nil {
		old.past.close()
	}
	s.cache.Purge() // only to free memory: no key of another generation is looked up again
	return nil
}

// Current returns what is served now: nil and nil until the first Swap.
func (s *Service) Current() (*model.Model, *market.Market) {
	st := s.state.Load()
	if st == nil {
		return nil, nil
	}
	return st.model, st.market
}

// Steps returns the model that is served with the steps of all years: nil until the first Swap.
func (s *Service) Steps() *calibrate.Yearly {
	if st := s.state.Load(); st != nil {
		return st.steps
	}
	return nil
}

// current returns the state, or a 503 until there is one.
func (s *Service) current() (*state, error) {
	if st := s.state.Load(); st != nil {
		return st, nil
	}
	return nil, ErrOverload()
}

// CacheStats returns the figures of the cache.
func (s *Service) CacheStats() cache.Stats { return s.cache.Stats() }

// Answer returns the encoded answer to a request. The caller must not change it.
// [Service.PublicError] turns the error into one for the client.
func (s *Service) Answer(ctx context.Context, r *Request) ([]byte, error) {
	st, err := s.current()
	if err != nil {
		return nil, err
	}
	answer, _, err := s.answerFrom(ctx, st, r)
	return answer, err
}

// answerFrom also says what the answer is made from.
func (s *Service) answerFrom(ctx context.Context, st *state, r *Request) (answer []byte,
	from origin, err error) {
	if r.History != nil {
		if err := ctx.Err(); err != nil {
			return nil, from, err
		}
		from.key.asOf = r.asOf(s.cfg.Now())
		answer, err = st.answerHistory(r, from.key.asOf)
		return answer, from, err
	}
	t, ok := st.find(r.Ticker)
	if !ok {
		return nil, from, errUnknownTicker(r.Ticker)
	}
	k, err := st.keyOf(t, r)
	if err != nil {
		return nil, from, r.asOfFault(err)
	}
	var had lookup
	if r.Levels == nil {
		item, failed := s.cached(ctx, st, k)
		answer, had, err = item.Value.answer(), lookupOf(item.Hit), failed
	} else if err = ctx.Err(); err == nil {
		answer, err = st.encode(ctx, k, r)
	}
	return answer, origin{k, had}, r.asOfFault(err)
}

// cached returns the answer for a key from the cache. Requests that miss it together have it
// computed once.
func (s *Service) cached(ctx context.Context, st *state, k key) (cache.Item[stored], error) {
	s.lookups.Inc()
	return s.cache.LoadItem(ctx, k,
		func(ctx context.Context) (stored, error) { return s.compute(ctx, st, k) })
}

func (s *Service) compute(ctx context.Context, st *state, k key) (stored, error) {
	start := time.Now()
	answer, err := st.encode(ctx, k,
		&Request{Days: int(k.days), Confidence: math.Float64frombits(k.confidence)})
	s.computing.Observe(time.Since(start))
	if err != nil {
		return nil, err
	}
	return store(answer), nil
}
