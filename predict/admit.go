package predict

import (
	"context"
	"net/http"
)

// admitted computes an answer once Config.Admit lets it, and not after the request's time.
func (s *Service) admitted(ctx context.Context, compute func() ([]byte, error)) ([]byte, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if s.cfg.Admit != nil {
		release, err := s.cfg.Admit(ctx)
		if err != nil {
			return nil, err
		}
		defer release()
	}
	return compute()
}

// limited gives a call that asks for many forecasts its time.
func (s *Service) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.cfg.Timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.cfg.Timeout)
}

// ErrOverload is for Config.Admit to return: 503, to be tried again in a second, perhaps on another connection and so on
// another server.
func ErrOverload() *Error {
	return &Error{Status: http.StatusServiceUnavailable, Detail: "Service Unavailable", RetryAfter: 1, closes: true}
}
