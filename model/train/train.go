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
	// Until is the last day whose prices are used. Zero means the last of the panel.
	Until calendar.Date
	// Calendar is that of all tickers. Nil finds that of each.
	Calendar *calendar.Calendar
	// Seed chooses the origins and the starting weights. Equal seeds give equal bytes.
	Seed uint64
	// Progress, if not nil, is called after each part of the work, from one goroutine.
	Progress func(done, total int)
}

// Report says what a fit used.
type Report struct {
	From, To calendar.Date
	Tickers  int
	Origins  int
	Version  string
	Refused  []market.Refusal // tickers that were not used
}

const (
	every    = 8 // trading days between the origins of one series
	networks = 3 // that are averaged
	folds    = 4 // blocks of years to calibrate on

	// minOrigins is how many origins a fit needs: with fewer, the pooled tails are noise.
	minOrigins = 10000
	// enoughCloses is about how many closes have as many origins. A series has one in every closes,
	// and some more in its short pieces.
	enoughCloses = 71000
	// minSpan is how many calendar days the origins must span. In a shorter span the blocks of
	// years overlap their embargo.
	minSpan = 365
)

// Fit returns weights in the form that model.Parse reads. The bytes depend only on the panel, the
// seed and the processor architecture.
func Fit(ctx context.Context, p *market.Panel, cfg Config) ([]byte, Report, error) {
	until := cmp.Or(cfg.Until, p.AsOf())
	daily, err := market.NewDaily(ctx, p.Until(until), cfg.Calendar)
	if err != nil {
		return nil, Report{}, err
	}
	p = daily.Panel()
	rep := Report{From: p.From(), To: p.AsOf(), Tickers: len(p.Series()),
		Refused: daily.Refused()}
	s, err := collect(ctx, daily, every, rand.New(rand.NewPCG(cfg.Seed, 0)))
	if err != nil {
		return nil, rep, err
	}
	rep.Origins = s.len()
	if s.len() < minOrigins {
		return nil, rep, fmt.Errorf("%d origins in the %d closes of %d tickers up to %s are too "+
			"few to fit on: need %d origins, which about %d closes have", s.len(), p.Rows(),
			rep.Tickers, until, minOrigins, enoughCloses)
	}
	if first, last := slices.Min(s.day), slices.Max(s.day); last-first < minSpan {
		return nil, rep, fmt.Errorf("origins from %s to %s are too short a time to fit on: need "+
			"%d days", first, last, minSpan)
	}
	done, total := 0, (networks+folds)*epochs+1
	step := func() {
		done++
		if cfg.Progress != nil {
			cfg.Progress(done, total)
		}
	}
	all := s.where(func(calendar.Date) bool { return true })
	st := standardise(s)
	base := &pooling{}
	base.add(s, all, st, nil)
	table := base.table()
	fits := make([]*network, networks)
	for k := range fits {
		fits[k], err = fitNetwork(ctx, s, all, st, table, cfg.Seed*networks+uint64(k)+1, step)
		if err != nil {
			return nil, rep, fmt.Errorf("fitting: %w", err)
		}
	}
	table, err = conformal(ctx, s, st, table, cfg.Seed, step)
	if err != nil {
		return nil, rep, fmt.Errorf("calibrating: %w", err)
	}
	table.widen(len(p.TradingDays()))
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

// conformal returns the table that covers years outside the fit: it cuts the days into blocks and
// forecasts each with a network fitted on the others.
func conformal(ctx context.Context, s *samples, st *standard, table *quantileTable, seed uint64,
	step func()) (*quantileTable, error) {
	first, last := slices.Min(s.day), slices.Max(s.day)
	block := (last-first)/folds + 1
	const embargo = 2 * model.MaxDays // calendar days, more than any target takes
	held := &pooling{}
	for k := range calendar.Date(folds) {
		from, to := first+k*block, first+(k+1)*block
		rest := s.where(func(d calendar.Date) bool { return d < from-embargo || d >= to+embargo })
		n, err := fitNetwork(ctx, s, rest, st, table, seed, step)
		if err != nil {
			return nil, err
		}
		held.add(s, s.where(func(d calendar.Date) bool { return d >= from && d < to }), st, n)
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
