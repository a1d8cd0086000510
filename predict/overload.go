package predict

import (
	"net/http"

	"tickercast/predict/internal/limits"
)

// ErrOverload is a 503 to be tried again in a second, for Config.Slot to return. The connection
// stays open: to close it and accept another costs the server more than the refusal does.
func ErrOverload() *Error {
	return &Error{Status: http.StatusServiceUnavailable, Detail: "Service Unavailable",
		RetryAfter: 1}
}

// grow reserves n more bytes for a request, or returns the error of overload.
func grow(held *limits.Hold, n int) error {
	if held.Grow(n) != nil {
		return ErrOverload()
	}
	return nil
}

// hold returns what counts the memory of a request.
func (s *Service) hold(w http.ResponseWriter) *limits.Hold {
	if s.cfg.Hold == nil {
		return nil
	}
	return s.cfg.Hold(w)
}

// extend returns b with room for n more bytes. held counts the capacity of b, and of both buffers
// while one is copied.
func extend(b []byte, n int, held *limits.Hold) ([]byte, error) {
	room := len(b) + n
	if err := grow(held, room); err != nil {
		return b, err
	}
	larger := append(make([]byte, 0, room), b...)
	held.Shrink(cap(b))
	return larger, nil
}
