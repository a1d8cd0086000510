package predict

import (
	"net/http"
	"sync/atomic"
)

// ErrOverload is a 503 to be tried again in a second, for Config.Slot to return. The connection
// stays open: to close it and accept another costs the server more than the refusal does.
func ErrOverload() *Error {
	return &Error{Status: http.StatusServiceUnavailable, Detail: "Service Unavailable",
		RetryAfter: 1}
}

// A memLimiter bounds the memory of large answers from when they are made until they are sent: a
// batch of 80 kB may ask for 17 MB, which a slow reader then keeps here for long.
type memLimiter struct {
	limit   int64
	used    atomic.Int64
	refused atomic.Uint64
}

// A reservation is the part of the limiter held for one response.
type reservation struct {
	*memLimiter
	bytes int64
}

const (
	// freeBytes of each answer are not counted: a socket takes as many at once.
	freeBytes = 64 << 10
	// reserveStep is reserved at a time: an answer grows in small pieces, its memory in large ones.
	reserveStep = 256 << 10
)

// reserve extends the reservation to a response of n bytes, or returns the error of overload. The
// only one that holds anything may be of any size.
func (r *reservation) reserve(n int) error {
	for int64(n) > freeBytes+r.bytes {
		if used := r.used.Add(reserveStep); used > r.limit && used > r.bytes+reserveStep {
			r.used.Add(-reserveStep)
			r.refused.Add(1)
			return ErrOverload()
		}
		r.bytes += reserveStep
	}
	return nil
}

func (r *reservation) release() {
	r.used.Add(-r.bytes)
	r.bytes = 0
}

// AnswersRefused counts the requests that got a 503 because of Config.AnswerBytes.
func (s *Service) AnswersRefused() uint64 { return s.answers.refused.Load() }
