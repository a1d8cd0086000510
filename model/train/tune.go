package train

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
)

// The recipe by which a fit begins at other weights. It stops at the round that does best on the
// last days, which it never fits.
const (
	rounds       = 24
	patience     = 5    // rounds without a gain that end the fit
	minRound     = 20   // batches
	heldOutShare = 0.25 // of the trading days
	// heldOutEvery is the number of trading days from one held-out origin to the next.
	heldOutEvery = 3
	// minHeldOut is how many trading days are enough to tell a gain from chance.
	minHeldOut = 125
	// minTuned is how many origins a fit needs that begins at other weights.
	minTuned = 4 * batchSize
	// maxPooled bounds the samples of a table.
	maxPooled = 50000
)

// ErrNoGain is wrapped by the error of a fit that is not better than Config.Base.
var ErrNoGain = errors.New("not better than the weights to begin at")

// A Gain says how much better weights are than those where their fit began, on days that they were
// not fitted on.
type Gain struct {
	Base     string // version
	From, To calendar.Date
	// Raw compares both as they are, Served with the calibration steps that a server makes.
	Raw, Served calibrate.Comparison
}

// Check returns an error unless the gain is real: more than a standard error as the weights are,
// and nothing lost as they are served.
func (g *Gain) Check() error {
	if g.Raw.Difference > g.Raw.StandardError && g.Served.Difference > 0 {
		return nil
	}
	return fmt.Errorf("%w, %s: on %s to %s, which no fit has seen, the loss is lower by %+.3f %% "+
		"(standard error %.3f), and by %+.3f %% (%.3f) after calibration", ErrNoGain, g.Base,
		g.From, g.To, 100*g.Raw.Difference, 100*g.Raw.StandardError, 100*g.Served.Difference,
		100*g.Served.StandardError)
}

// tune fits from cfg.Base on. Its weights decay to those of the base, not to zero.
func tune(ctx context.Context, daily *market.Daily, cfg Config, rep Report) ([]byte, Report,
	error) {
	base, err := cfg.Base.Reading(market.FeatureNames())
	if err != nil {
		return nil, rep, err
	}
	if logs := base.Params().Logs; len(logs) > 0 {
		return nil, rep, fmt.Errorf("the weights %s to begin at know the logarithm of %q only: fit "+
			"new weights without them", base.Version(), market.FeatureNames()[logs[0]])
	}
	p := daily.Panel()
	days := p.TradingDays()
	cut := int((1 - heldOutShare) * float64(len(days)))
	if len(days)-cut < minHeldOut || cut < calibrate.LeastBefore {
		return nil, rep, fmt.Errorf("%d trading days up to %s are too few to fit on and to judge "+
			"by: need %d", len(days), p.AsOf(), int(minHeldOut/heldOutShare))
	}
	first := days[cut]
	before, err := market.NewDaily(ctx, p.Until(first-1), cfg.Calendar)
	if err != nil {
		return nil, rep, fmt.Errorf("prices before %s: %w", first, err)
	}
	s, err := collect(ctx, before, tuneEvery(p), rand.New(rand.NewPCG(cfg.Seed, 0)))
	if err != nil {
		return nil, rep, err
	}
	if rep.Origins = s.len(); s.len() < minTuned {
		return nil, rep, fmt.Errorf("%d origins in %d tickers before %s are too few to fit on: "+
			"need %d", s.len(), rep.Tickers, first, minTuned)
	}
	index, err := market.NewMarketIndex(ctx, daily)
	if err != nil {
		return nil, rep, err
	}
	origins := pick(days, first, p.AsOf(), heldOutEvery)
	origins = origins[:len(origins)-1] // the last may have no target

	params := base.Params()
	rep.From, rep.To = min(rep.From, params.From), max(rep.To, params.To)
	t := newTuner(s, base, cut, cfg.Seed)
	gain := Gain{Base: base.Version(), From: first, To: p.AsOf()}
	var best *model.Model
	var weights []byte
	for round, since := 0, 0; round <= rounds && since <= patience; round++ {
		candidate, err := t.round(ctx, round, rep)
		if err != nil {
			return nil, rep, err
		}
		m, err := model.Parse(candidate)
		if err != nil {
			return nil, rep, fmt.Errorf("reading back what was fitted: %w", err)
		}
		c, err := calibrate.Compare(ctx, calibrate.Fixed(m), calibrate.Fixed(base), daily, index,
			origins)
		if err != nil {
			return nil, rep, err
		}
		if since++; best == nil || c.Difference > gain.Raw.Difference {
			best, weights, gain.Raw, since = m, candidate, *c, 0
		}
		if cfg.Progress != nil {
			cfg.Progress(round+1, rounds+2)
		}
	}
	steps := calibrate.NewYearly(best, p, cfg.Calendar)
	served, err := calibrate.Compare(ctx, steps, steps.With(base), daily, index, origins)
	if err != nil {
		return nil, rep, err
	}
	gain.Served = *served
	rep.Gain, rep.Version = &gain, best.Version()
	if cfg.Progress != nil {
		cfg.Progress(rounds+2, rounds+2)
	}
	if err := gain.Check(); err != nil {
		return nil, rep, err
	}
	return weights, rep, nil
}

// tuneEvery is the number of trading days between origins: a small panel needs all that it has.
func tuneEvery(p *market.Panel) int {
	rows := 0
	for i := range p.Series() {
		rows += p.Series()[i].Len()
	}
	return min(every, 2+rows/200000)
}

// A tuner holds a network under way from the weights of a base.
type tuner struct {
	fit     *fitter
	table   *quantileTable // of the base
	pooled  []int32        // samples that make a table
	batches int            // of a round
	days    int
}

// newTuner begins at base, with samples of so many trading days.
func newTuner(s *samples, base *model.Model, days int, seed uint64) *tuner {
	n, st, table := networkOf(base.Params())
	all := s.where(func(calendar.Date) bool { return true })
	t := &tuner{table: table, days: days, batches: max(minRound, len(all)/batchSize/2)}
	for i := 0; i < len(all); i += 1 + len(all)/maxPooled {
		t.pooled = append(t.pooled, all[i])
	}
	t.fit = newFitter(n, slices.Clone(n.all), s, all, st, table,
		rand.New(rand.NewPCG(seed, 1)), seed)
	return t
}

// round returns the weights after one more round. Round 0 moves only the table.
func (t *tuner) round(ctx context.Context, round int, rep Report) ([]byte, error) {
	for b := range t.batches {
		if round == 0 {
			break
		}
		progress := (float64(round-1) + float64(b)/float64(t.batches)) / rounds
		if err := t.fit.batch(ctx, progress); err != nil {
			return nil, fmt.Errorf("fitting: %w", err)
		}
	}
	pooled := &pooling{}
	pooled.add(t.fit.samples, t.pooled, t.fit.st, t.fit.net)
	table := pooled.table()
	table.widen(t.days)
	for h := range table {
		for side := range table[h] {
			for l, q := range &table[h][side] {
				// The less a difference exceeds its noise, the less of it counts.
				by, noise := q-t.table[h][side][l], calibrate.WidthNoise(h+1, l, t.days)
				table[h][side][l] = t.table[h][side][l] + by*by*by/(by*by+noise*noise)
			}
			enforceOrder(&table[h][side])
		}
	}
	return export(t.fit.net, t.fit.st, table, rep)
}

// networkOf is the inverse of export.
func networkOf(p model.Params) (*network, *standard, *quantileTable) {
	n, st, table := newNetwork(p.Hidden), &standard{}, &quantileTable{}
	widen(n.skip, p.Skip)
	widen(n.lastBias, p.LastBias)
	widen(n.first, p.First)
	widen(n.firstBias, p.FirstBias)
	widen(n.last, p.Last)
	widen(st.center[:], p.Center)
	widen(st.spread[:], p.Spread)
	for h := range table {
		for side := range table[h] {
			widen(table[h][side][:], p.Quantiles[h][side][:])
		}
	}
	return n, st, table
}

func widen(to []float64, from []float32) {
	for i, v := range from {
		to[i] = float64(v)
	}
}
