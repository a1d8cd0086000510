// Package model turns the features of a stock into the distribution of its price 1 to 30 trading
// days ahead: a median, and the bounds of central intervals of confidence 0.80 to 0.99. One set of
// weights serves every ticker.
//
// The forecast of the log return over h days is
//
//	median   = drift * (h-1)
//	distance = scale * sqrt(h) * Q[h][side][level] * exp(curve[side](h) + tail[side](h)*c[level])
//	bounds   = median - distance[lower], median + distance[upper]
//
// The scale is the ticker's own daily volatility (the first feature). Q holds quantiles that are
// pooled over all tickers. A network with one hidden layer beside a linear one maps the features to
// four smooth functions of log h: how much wider or narrower each side is, and how much heavier its
// tail. By construction a higher confidence is wider, and no bound comes closer as h grows.
//
// The package is arithmetic on numbers. It reads no prices, fits nothing, and knows the meaning of
// the first feature only.
package model

import (
	_ "embed"
	"math"
	"slices"
	"strings"
	"sync"

	"tickercast/model/calendar"
)

//go:generate go run .. train -prices $TICKERCAST_TRAINING_PRICES -out weights.bin

// Limits of a forecast.
const (
	MaxDays       = 30
	MinConfidence = 0.80
	MaxConfidence = 0.99
)

//go:embed weights.bin
var embedded []byte

// Embedded returns the model that comes with the program.
var Embedded = sync.OnceValues(func() (*Model, error) { return Parse(embedded) })

// A Model is immutable and safe for concurrent use.
type Model struct {
	params  Params
	version string

	in, hidden int
	logs       []int     // features of which log(1+x) counts
	shift      []float64 // by feature: standardised = x*factor - shift
	factor     []float64
	first      []float64 // one column of hidden weights per feature
	firstBias  []float64
	last       []float64 // one row of hidden weights per output
	skip       []float64 // one row of feature weights per output
	lastBias   [outputs]float64
	quantiles  [MaxDays][2][Levels]float64 // logs, with sqrt(h) and RefScale included
	drift      float64
}

func newModel(p Params, version string) *Model {
	m := &Model{params: p, version: version, in: len(p.Features), hidden: p.Hidden,
		logs: p.Logs, drift: float64(p.Drift)}
	m.factor, m.shift = make([]float64, m.in), make([]float64, m.in)
	for i := range m.in {
		m.factor[i] = 1 / float64(p.Spread[i])
		m.shift[i] = float64(p.Center[i]) * m.factor[i]
	}
	m.first = make([]float64, m.in*m.hidden)
	for j := range m.hidden {
		for i := range m.in {
			m.first[i*m.hidden+j] = float64(p.First[j*m.in+i])
		}
	}
	m.firstBias, m.last, m.skip = widen(p.FirstBias), widen(p.Last), widen(p.Skip)
	copy(m.lastBias[:], widen(p.LastBias))
	for h := range MaxDays {
		for side := range 2 {
			for l := range Levels {
				m.quantiles[h][side][l] = float64(p.Quantiles[h][side][l]) +
					0.5*math.Log(float64(h+1)) + math.Log(RefScale)
			}
		}
	}
	return m
}

func widen(v []float32) []float64 {
	w := make([]float64, len(v))
	for i, x := range v {
		w[i] = float64(x)
	}
	return w
}

// Version names the end of the training range and the weights, as in 2022.12-1a2b3c4d.
func (m *Model) Version() string { return m.version }

// Params returns what the model was made of. The caller must not change its slices.
func (m *Model) Params() Params { return m.params }

// FeatureNames lists what Forecast expects, in order.
func (m *Model) FeatureNames() []string { return append([]string(nil), m.params.Features...) }

// TrainedFrom and TrainedTo are the first and the last day of the training prices.
func (m *Model) TrainedFrom() calendar.Date { return m.params.From }
func (m *Model) TrainedTo() calendar.Date   { return m.params.To }

// excess ends the names of ratios less one.
const excess = "_excess"

// Reading returns the model as one that is given the features of these names. It fails if the model
// needs one that is not among them. The others count for nothing. A feature whose name ends in
// "_excess" is a ratio less one: weights that know the logarithm of the ratio, under the name
// without that ending, are given this.
func (m *Model) Reading(names []string) (*Model, error) {
	old := m.params
	if slices.Equal(old.Features, names) {
		return m, nil
	}
	for _, name := range old.Features {
		if !slices.Contains(names, name) && !slices.Contains(names, name+excess) {
			return nil, fault("fitted on the feature %q, which this program does not have", name)
		}
	}
	p, n := old, len(names)
	p.Features, p.Logs = names, nil
	p.Center, p.Spread = make([]float32, n), make([]float32, n)
	p.First, p.Skip = make([]float32, p.Hidden*n), make([]float32, outputs*n)
	for i, name := range names {
		at := slices.Index(old.Features, name)
		log, ok := strings.CutSuffix(name, excess)
		if ok && at < 0 && !slices.Contains(names, log) {
			if at = slices.Index(old.Features, log); at >= 0 {
				p.Logs = append(p.Logs, i)
			}
		}
		if at < 0 {
			p.Spread[i] = 1
			continue
		}
		if slices.Contains(old.Logs, at) {
			p.Logs = append(p.Logs, i)
		}
		p.Center[i], p.Spread[i] = old.Center[at], old.Spread[at]
		for j := range p.Hidden {
			p.First[j*n+i] = old.First[j*m.in+at]
		}
		for o := range outputs {
			p.Skip[o*n+i] = old.Skip[o*m.in+at]
		}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return newModel(p, m.version), nil
}

// Adjusted returns a model whose bounds at each horizon and fitted confidence lie exp(by) times as
// far from the median. It fails if that lets a higher confidence be narrower.
func (m *Model) Adjusted(by *[MaxDays][Levels]float64) (*Model, error) {
	p := m.params
	for h := range MaxDays {
		for side := range 2 {
			for l := range Levels {
				p.Quantiles[h][side][l] += float32(by[h][l])
			}
		}
	}
	if err := p.check(); err != nil {
		return nil, err
	}
	return newModel(p, m.version), nil
}
