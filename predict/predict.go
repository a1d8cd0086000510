// Package predict answers POST /predict and the routes beside it: it decodes and validates a
// request, finds or computes the forecast, and encodes the answer. The wire contract is that of a
// FastAPI service with Pydantic models, to the byte, minus its faults; see [Decode] and [Error].
//
// The core is pure: Decode turns bytes into a [Request] or an error, a Service turns a Request into
// encoded bytes, and the HTTP handlers only carry bytes. It is not a server: no listener, no
// timeout, no route is set up here, and it forecasts nothing itself; package model does.
package predict

import (
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
	"tickercast/model/market"
	"tickercast/predict/internal/metrics"
)

// Config says what a Service serves and within which limits.
type Config struct {
	Model  *model.Model   // needed
	Market *market.Market // needed

	CacheEntries int           // most answers kept; 0 means the cache's default, 16384
	CacheBytes   int64         // most bytes of answers kept; 0 means 64 MiB
	TTL          time.Duration // age at which an answer is computed again; 0 means one hour

	MaxBody      int64 // bytes of a request's body; 0 means 64 KiB
	MaxBatchBody int64 // bytes of a batch's body; 0 means 1 MiB

	// AnswerBytes bounds the answers to batches and inferences that are being made or sent,
	// together and beyond 64 KiB each; one that would go beyond is a 503, unless it is the only
	// one. 0 means 64 MiB.
	AnswerBytes int64

	// Scores tells for the version of a model how it did where it was tested: a JSON object that
	// GET /model shows as it is, or nil when that is not known. Nil knows of none.
	Scores func(version string) json.RawMessage

	// Version is the server's own, for GET /v2.
	Version string

	// Admit waits until a forecast may be computed and returns what ends that, or the error with
	// which the request is refused. It is asked once for each answer that is not in the cache, for
	// each history, and for each call of the inference protocol; an answer from the cache is never
	// refused. Nil admits everything.
	Admit func(context.Context) (release func(), err error)

	// Costly is Admit for calls that cost a hundred times what refusing them does: batches,
	// inferences, and single requests too long to be plain. It is asked when the body is there;
	// Full says before that whether there would be room. Nil admits everything.
	Costly func() (release func(), err error)
	Full   func() bool

	// Timeout is how long a call may take that asks for many forecasts, once its body is there;
	// then it gets a 504. 0 means as long as it takes. A single forecast takes no longer than Admit
	// lets it wait.
	Timeout time.Duration

	// RedactInput leaves what clients sent out of the errors that they get.
	RedactInput bool

	// Ready reports whether requests should be sent here, and what there is to say about that; nil
	// means always.
	Ready func() (ready bool, reasons []string)

	// Failed is told of every error that a client sees as a 500, and of which request; nil means
	// nobody.
	Failed func(r *http.Request, err error)

	// Metrics is where predictions are counted; nil means nowhere.
	Metrics *metrics.Registry

	// Now tells the date for a history without one; nil means time.Now.
	Now func() time.Time
}

// Service answers requests for forecasts. It is safe for concurrent use.
type Service struct {
	cfg   Config
	world atomic.Pointer[world]
	cache *cache.Cache[key, []byte]
	swap  sync.Mutex // held while world is replaced

	instruments instruments

	bodies  bufferPool // of single requests
	batches bufferPool // of batches and their answers: a thousand one-day answers are 200 KB
	answers budget     // of large answers
}

// key holds everything that the answer to a plain request depends on. It has no padding and no
// float, which hashes as one block of memory: measured in turn, a hit is a fifth cheaper.
type key struct {
	generation, ticker uint32
	days               uint64
	// the bits of the float; it is positive, so equal floats have equal bits
	confidence uint64
}

func keyOf(w *world, t *market.Ticker, days int, confidence float64) key {
	return key{w.generation, uint32(t.Index), uint64(days), math.Float64bits(confidence)}
}

// New returns a Service, after one forecast of every ticker.
func New(cfg Config) (*Service, error) {
	if cfg.CacheBytes == 0 {
		cfg.CacheBytes = 64 << 20
	}
	if cfg.MaxBody == 0 {
		cfg.MaxBody = 64 << 10
	}
	if cfg.MaxBatchBody == 0 {
		cfg.MaxBatchBody = 1 << 20
	}
	if cfg.AnswerBytes == 0 {
		cfg.AnswerBytes = 64 << 20
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	switch {
	case cfg.MaxBody < 0 || cfg.MaxBatchBody < 0 ||
		max(cfg.MaxBody, cfg.MaxBatchBody) > math.MaxInt32:
		return nil, fmt.Errorf("predict: MaxBody is %d and MaxBatchBody %d, must be between 0 "+
			"and 2 GiB", cfg.MaxBody, cfg.MaxBatchBody)
	case cfg.AnswerBytes < 0:
		return nil, fmt.Errorf("predict: AnswerBytes is %d, must not be negative", cfg.AnswerBytes)
	case cfg.Timeout < 0:
		return nil, fmt.Errorf("predict: Timeout is %v, must not be negative", cfg.Timeout)
	}
	w, err := newWorld(cfg.Model, cfg.Market, 1)
	if err != nil {
		return nil, err
	}
	c, err := cache.New(cache.Config[key, []byte]{
		Capacity: cfg.CacheEntries,
		MaxBytes: cfg.CacheBytes,
		Cost:     func(_ key, answer []byte) int64 { return int64(cap(answer)) },
		TTL:      cfg.TTL,
	})
	if err != nil {
		return nil, err
	}
	s := &Service{cfg: cfg, cache: c, bodies: bufferPool{max: 64 << 10},
		batches: bufferPool{max: 512 << 10}}
	s.answers.max = cfg.AnswerBytes
	if cfg.Metrics == nil {
		cfg.Metrics = metrics.New()
	}
	s.instruments = newInstruments(cfg.Metrics, s)
	s.world.Store(w)
	return s, nil
}

// Close stops what the cache runs in the background.
func (s *Service) Close() { s.cache.Close() }

// Swap serves another model and market from now on, or goes on as before and says why. Requests
// under way keep what they began with; no answer of before is given to a request that comes after.
func (s *Service) Swap(m *model.Model, mk *market.Market) error {
	s.swap.Lock()
	defer s.swap.Unlock()
	w, err := newWorld(m, mk, s.world.Load().generation+1)
	if err != nil {
		return err
	}
	s.world.Store(w)
	s.cache.Purge() // the generation in the key keeps old answers out; this gives their memory back
	return nil
}

// Current returns what is served now.
func (s *Service) Current() (*model.Model, *market.Market) {
	w := s.world.Load()
	return w.model, w.market
}

// CacheStats returns the figures of the cache.
func (s *Service) CacheStats() cache.Stats { return s.cache.Stats() }

// Answer returns the encoded answer to a request, which the caller must not change. The error is an
// *Error unless it is ours, or the context's.
func (s *Service) Answer(ctx context.Context, r *Request) ([]byte, error) {
	return s.answerIn(ctx, s.world.Load(), r)
}

func (s *Service) answerIn(ctx context.Context, w *world, r *Request) ([]byte, error) {
	if r.History != nil {
		asOf := r.AsOf
		if !r.HasAsOf {
			asOf = calendar.Floor(calendar.FromTime(s.cfg.Now().UTC()))
		}
		return s.admitted(ctx, func() ([]byte, error) { return w.answerHistory(r, asOf) })
	}
	t, ok := w.market.Find(r.Ticker)
	switch {
	case !ok:
		return nil, errUnknownTicker(r.Ticker)
	case r.Levels != nil:
		return s.admitted(ctx, func() ([]byte,
			error) {
			return w.answer(t, r.Days, r.Confidence, r.Levels), nil
		})
	}
	return s.cached(ctx, w, t, r.Days, r.Confidence)
}

// cached returns the answer of a listed ticker from the cache, which computes it once for all who
// miss it together.
func (s *Service) cached(ctx context.Context, w *world, t *market.Ticker, days int,
	confidence float64) ([]byte, error) {
	s.instruments.lookups.Inc()
	k := keyOf(w, t, days, confidence)
	return s.cache.Load(ctx, k, func(ctx context.Context) ([]byte,
		error) {
		return s.compute(ctx, w, k)
	})
}

// cachedItem is cached, with the age of the answer.
func (s *Service) cachedItem(ctx context.Context, w *world, t *market.Ticker, days int,
	confidence float64) (cache.Item[[]byte], error) {
	s.instruments.lookups.Inc()
	k := keyOf(w, t, days, confidence)
	return s.cache.LoadItem(ctx, k, func(ctx context.Context) ([]byte,
		error) {
		return s.compute(ctx, w, k)
	})
}
