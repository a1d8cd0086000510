package source

import (
	"context"
	"errors"
	"fmt"
	"time"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// A Loader reads the same prices and weights again and again, for a server. It is not safe for
// concurrent use.
type Loader struct {
	cfg     Config
	remote  *remote        // nil: prices come from no URL
	invalid error          // of a URL that there cannot be
	model   *model.Model   // as last read, before it is calibrated; nil before the first time
	market  *market.Market // likewise
	version version        // of market, if it comes from a URL
}

// NewLoader returns a Loader that has read nothing yet.
func NewLoader(c Config) *Loader {
	l := &Loader{cfg: c}
	if isURL(c.Prices) {
		l.remote, l.invalid = newRemote(c.Prices, c.AuthFile)
	}
	return l
}

// Watch returns what Load reads, by the names in Error. It may be asked at any time.
func (l *Loader) Watch() map[string]Watched {
	all := map[string]Watched{}
	if l.remote != nil {
		all["prices"] = Watched{l.remote.name, l.remote.look}
	} else if l.cfg.Prices != "" {
		all["prices"] = Files(l.cfg.Prices)
	}
	if l.cfg.Weights != "" {
		all["weights"] = Files(l.cfg.Weights)
	}
	return all
}

// Load reads everything again and returns what is to be served, with the calibration step of the
// last day made. Where only one of prices and weights can be read, it returns that with the other
// as it was read last, and an *Error for the part that failed. Without anything new to serve it
// returns only errors.
func (l *Loader) Load(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
	m, errWeights := readCalm(ctx, "weights", l.cfg.Weights, l.cfg.Model)
	mk, version, errPrices := l.prices(ctx)
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
	steps := calibrate.Fixed(m)
	if l.cfg.Calibrate {
		l.cfg.report("calibrating on the prices")
		all, _ := FindCalendar(l.cfg.Calendar) // the market has been made with it
		steps = calibrate.NewYearly(m, mk.Source(), all)
	}
	if _, failed := steps.On(ctx, mk.AsOf()); failed != nil {
		return nil, nil, errors.Join(err, fmt.Errorf("calibrating on the prices: %w", failed))
	}
	l.model, l.market, l.version = m, mk, version
	return steps, mk, err
}

// prices reads the market from where it comes. The version is that of the market from a URL.
func (l *Loader) prices(ctx context.Context) (*market.Market, version, error) {
	if l.remote == nil && l.invalid == nil {
		mk, err := readCalm(ctx, "prices", l.cfg.Prices, l.cfg.Market)
		return mk, version{}, err
	}
	mk, v, err := l.fetch(ctx)
	if err != nil && ctx.Err() == nil {
		return nil, l.version, &Error{"prices", err}
	}
	return mk, v, err
}

// fetch reads prices from a URL. For the first time it tries again for a while, as a server may
// start together with this one.
func (l *Loader) fetch(ctx context.Context) (*market.Market, version, error) {
	if l.invalid != nil {
		return nil, version{}, l.invalid
	}
	end := time.Now().Add(l.cfg.Patience)
	for pause := 200 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		panel, v, err := l.remote.panel(ctx, l.version, l.cfg.options())
		var failed *fetchError
		switch {
		case err == nil && panel == nil:
			return l.market, v, nil
		case err == nil:
			mk, err := l.cfg.marketOf(ctx, panel)
			return mk, v, err
		case l.market != nil || l.cfg.Patience == 0 || !errors.As(err, &failed):
			return nil, v, err
		case !time.Now().Add(pause).Before(end):
			return nil, v, fmt.Errorf("%w (tried for %v)", err, l.cfg.Patience)
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, v, ctx.Err()
		}
	}
}

// An Error is why prices or weights could not be loaded.
type Error struct {
	Resource string // as in Loader.Watch
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
