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

// limited gives a call that asks for many forecasts its time. It ends when the client has closed
// its sending side: most that do have left, and under overload that is work saved.
func (s *Service) limited(ctx context.Context) (context.Context, context.CancelFunc) {
	if s.cfg.Timeout == 0 {
		return ctx, func() {}
	}
	return context.WithTimeout(ctx, s.cfg.Timeout)
}

// patient is the context of a request for one forecast. It is not the request's, which net/http
// ends when the client has closed its sending side: a client may do that and wait for the answer,
// which is computed sooner than one could tell. The fast lane answers it too.
func patient() context.Context { return context.Background() }

// ErrOverload is for Config.Admit to return: 503, to be tried again in a second. The connection
// stays: to close it and to accept another costs the server one and a half times as much again as
// the refusal, and more with TLS.
func ErrOverload() *Error {
	return &Error{Status: http.StatusServiceUnavailable, Detail: "Service Unavailable",
		RetryAfter: 1}
}

// full is the refusal of a costly call whose body is yet unread, or nil. net/http skips a body of
// moderate length; after a longer one it closes the connection by itself.
func (s *Service) full() error {
	if s.cfg.Full != nil && s.cfg.Full() {
		return ErrOverload()
	}
	return nil
}

// costly does what a costly call asks for once Config.Costly lets it.
func (s *Service) costly(do func() error) error {
	if s.cfg.Costly != nil {
		release, err := s.cfg.Costly()
		if err != nil {
			return err
		}
		defer release()
	}
	return do()
}
