package train

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"

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

// A fit needs this many origins, with fewer the pooled tails are noise, on days that span so many
// calendar days, lest a block of years has no others to be forecast from.
const minOrigins, minSpan = 10000, 365

// Fit returns the weights that package model parses. It takes the origins whose targets lie within
// the panel up to cfg.Until, and is deterministic to the bit for one panel, seed and architecture.
func Fit(ctx context.Context, p *market.Panel, cfg Config) ([]byte, Report, error) {
	until := cmp.Or(cfg.Until, p.AsOf())
	p = p.Until(until)
	rep := Report{To: p.AsOf(), From: p.AsOf(), Tickers: len(p.Series())}
	for i := range p.Series() {
		rep.From = min(rep.From, p.Series()[i].Dates[0])
	}
	r := defaults()
	rng := rand.New(rand.NewPCG(cfg.Seed, 0))
	s := collect(p, span{from: rep.From, to: rep.To, end: rep.To}, every, rng)
	rep.Origins = s.len()
	if s.len() < minOrigins {
		return nil, rep, fmt.Errorf("%d origins in %d tickers up to %s are too few to fit on: "+
			"need %d", s.len(), rep.Tickers, until, minOrigins)
	}
	if first, last := slices.Min(s.day), slices.Max(s.day); last-first < minSpan {
		return nil, rep, fmt.Errorf("origins from %s to %s are too short a time to fit on: need "+
			"%d days", first, last, minSpan)
	}
	done, total := 0, (networks+folds)*r.epochs+1
	step := func() {
		done++
		if cfg.Progress != nil {
			cfg.Progress(done, total)
		}
	}
	st := standardise(s)
	base := &pooling{}
	base.add(s, st, nil, nil)
	table := base.table()
	fits := make([]*network, networks)
	for k := range fits {
		n, err := fitNetwork(ctx, s, st, table, r, cfg.Seed*networks+uint64(k)+1, step)
		if err != nil {
			return nil, rep, fmt.Errorf("fitting: %w", err)
		}
		fits[k] = n
	}
	table, err := conformal(ctx, s, st, table, r, cfg.Seed, step)
	if err != nil {
		return nil, rep, fmt.Errorf("calibrating: %w", err)
	}
	table.widen(len(tradingDays(p)))
	weights, err := export(merge(fits), st, table, rep)
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
	every    = 8 // trading days between the origins of one series
	networks = 3 // that are averaged
	folds    = 4 // blocks of years to calibrate on
)

// conformal returns the table that covers years which were not fitted on: the days are cut into
// blocks, and each is forecast by a network fitted on the others.
func conformal(ctx context.Context, s *samples, st *standard, table *quantileTable, r recipe,
	seed uint64, step func()) (*quantileTable, error) {
	first, last := slices.Min(s.day), slices.Max(s.day)
	block := (last-first)/folds + 1
	const embargo = 2 * model.MaxDays // calendar days, more than any target takes
	held := &pooling{}
	for k := range calendar.Date(folds) {
		from, to := first+k*block, first+(k+1)*block
		rest := s.subset(func(d calendar.Date) bool { return d < from-embargo || d >= to+embargo })
		n, err := fitNetwork(ctx, rest, st, table, r, seed, step)
		if err != nil {
			return nil, err
		}
		held.add(s, st, n, func(i int) bool { return s.day[i] >= from && s.day[i] < to })
	}
	return held.table(), nil
}

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
