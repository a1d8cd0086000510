// Package train fits the weights of package model to a panel of prices, and judges
// forecasts on prices that they have not seen.
//
// It does not read or write files, and it serves nothing: bytes of weights and a
// report come out.
package train

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// Config says what to fit on. The zero value fits on the whole panel.
type Config struct {
	// Until is the last day whose prices may be used; zero means the panel's last.
	Until calendar.Date
	// Seed chooses the origins and the starting weights; equal seeds give equal bytes.
	Seed uint64
	// Progress, if not nil, is called after each part of the work, from one goroutine.
	Progress func(done, total int)
}

// Report tells what a fit used.
type Report struct {
	From, To calendar.Date
	Tickers  int
	Origins  int
	Version  string
}

// A fit needs this many origins; with fewer, the pooled tails are noise.
const minOrigins = 20000

// Fit returns the weights that package model parses. It takes the origins whose
// targets lie within the panel up to cfg.Until, and is deterministic to the bit for
// one panel, seed and architecture.
func Fit(ctx context.Context, p *market.Panel, cfg Config) ([]byte, Report, error) {
	until := cmp.Or(cfg.Until, p.AsOf())
	p = p.Until(until)
	rep := Report{To: p.AsOf(), From: p.AsOf(), Tickers: len(p.Series())}
	for i := range p.Series() {
		rep.From = min(rep.From, p.Series()[i].Dates[0])
	}
	r := defaults()
	rng := rand.New(rand.NewPCG(cfg.Seed, 0))
	s := collect(p, span{from: rep.From, to: rep.To, end: rep.To}, every, true, rng)
	rep.Origins = s.len()
	if s.len() < minOrigins {
		return nil, rep, fmt.Errorf("%d origins in %d tickers up to %s are too few to fit on: need %d", s.len(), rep.Tickers, until, minOrigins)
	}
	done, total := 0, networks*r.epochs+1
	step := func() {
		done++
		if cfg.Progress != nil {
			cfg.Progress(done, total)
		}
	}
	st := standardise(s)
	base := pooled(s, st, nil)
	fits := make([]*network, networks)
	for k := range fits {
		n, err := fitNetwork(ctx, s, st, base, r, cfg.Seed*networks+uint64(k)+1, step)
		if err != nil {
			return nil, rep, fmt.Errorf("fitting: %w", err)
		}
		fits[k] = n
	}
	n := merge(fits)
	weights, err := export(n, st, pooled(s, st, n), rep)
	if err != nil {
		return nil, rep, err
	}
	step()
	m, err := model.Parse(weights)
	if err != nil {
		return nil, rep, fmt.Errorf("reading back what was fitted: %w", err)
	}
	rep.Version = m.Version()
	return weights, rep, nil
}

const (
	every    = 5 // trading days between the origins of one series
	networks = 1
)

func export(n *network, st *standard, q *quantileTable, rep Report) ([]byte, error) {
	p := model.Params{
		From: rep.From, To: rep.To, Features: market.FeatureNames(),
		Center: narrow(st.center[:]), Spread: narrow(st.spread[:]), Hidden: n.hidden,
		First: narrow(n.first), FirstBias: narrow(n.firstBias), Last: narrow(n.last),
		Skip: narrow(n.skip), LastBias: narrow(n.lastBias), Drift: drift,
	}
	for h := range q {
		for side := range q[h] {
			copy(p.Quantiles[h][side][:], narrow(q[h][side][:]))
		}
	}
	return p.AppendBinary(nil)
}

func narrow(v []float64) []float32 {
	w := make([]float32, len(v))
	for i, x := range v {
		w[i] = float32(x)
	}
	return w
}
