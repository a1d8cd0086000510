package source

import (
	"context"
	"errors"
	"fmt"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// A Loader reads the same prices and weights again and again, for a server. It is not safe for
// concurrent use.
type Loader struct {
	cfg    Config
	model  *model.Model   // as last read, before it is calibrated; nil before the first time
	market *market.Market // likewise
}

// NewLoader returns a Loader that has read nothing yet.
func NewLoader(c Config) *Loader { return &Loader{cfg: c} }

// Load reads everything again and returns what is to be served. Where only one of prices and
// weights can be read, it returns that with the other as it was read last, and an *Error for the
// part that failed. Without anything new to serve it returns only errors.
func (l *Loader) Load(ctx context.Context) (*model.Model, *market.Market, error) {
	m, errWeights := readCalm(ctx, "weights", l.cfg.Weights, l.cfg.Model)
	mk, errPrices := readCalm(ctx, "prices", l.cfg.Prices, l.cfg.Market)
	if ctx.Err() != nil {
		return nil, nil, ctx.Err()
	}
	err := errors.Join(errWeights, errPrices)
	if errWeights != nil && errPrices != nil {
		return nil, nil, err
	}
	if errWeights != nil {
		m = l.model
	}
	if errPrices != nil {
		mk = l.market
	}
	if m == nil || mk == nil {
		return nil, nil, err
	}
	served := m
	if l.cfg.Calibrate {
		var failed error
		if served, failed = calibrate.Adjust(ctx, m, mk); failed != nil {
			return nil, nil, errors.Join(err, fmt.Errorf("calibrating on the prices: %w", failed))
		}
	}
	l.model, l.market = m, mk
	return served, mk, err
}

// An Error is why prices or weights could not be loaded.
type Error struct {
	Resource string // as in Config.Paths
	Err      error
}

func (e *Error) Error() string { return e.Err.Error() }
func (e *Error) Unwrap() error { return e.Err }

// readCalm reads a path until its files are after reading as they were before, at most three times.
func readCalm[T any](ctx context.Context, resource, path string,
	read func(context.Context) (T, error)) (T, error) {
	var none T
	var paths []string
	if path != "" {
		paths = append(paths, path)
	}
	for range 3 {
		before, _ := FingerprintOf(paths) // reading reports what cannot be read
		v, err := read(ctx)
		if ctx.Err() != nil {
			return none, ctx.Err()
		}
		if after, _ := FingerprintOf(paths); after != before {
			continue
		}
		if err != nil {
			return none, &Error{resource, err}
		}
		return v, nil
	}
	return none, &Error{resource, fmt.Errorf("%s: changed whenever it was read", path)}
}
