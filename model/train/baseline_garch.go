package train

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"tickercast/model"
	"tickercast/model/market"
)

// GARCH(1,1) with Student-t innovations (Bollerslev 1987) for each ticker, by maximum likelihood
// every garchEvery rows, on the garchWindow returns before them. For h > 1 the sum of the next
// returns is simulated on a grid of starting variances and interpolated between them.
const (
	garchEvery  = 125
	garchWindow = 1000
	garchLeast  = 250 // returns; with fewer, the start values stay
	garchPaths  = 2000
)

var (
	garchShapes = [...]float64{3, 4, 5, 6, 8, 11, 16, 30}            // degrees of freedom
	garchStarts = [...]float64{0.125, 0.25, 0.5, 1, 2, 4, 8, 16, 32} // variance over its mean

	// The likelihood has more than one peak: a variance that hardly moves, and a fast one.
	garchGuesses = [...][3]float64{{0, 4, -2.5}, {0, 2, -1.2}}
)

const garchGuess = 3 // the shape to begin with

// garchParams describe a variance that reverts to long: v' = long*(1-a-b) + a*r^2 + b*v.
type garchParams struct {
	long, a, b float64
	shape      int // in garchShapes
}

func (p garchParams) next(v, r float64) float64 {
	return p.long*(1-p.a-p.b) + p.a*r*r + p.b*v
}

// unpack maps any three numbers to valid parameters around a variance.
func unpack(u [3]float64, variance float64, shape int) garchParams {
	persistence := 0.9995 / (1 + math.Exp(-u[1]))
	share := 1 / (1 + math.Exp(-u[2]))
	return garchParams{variance * math.Exp(u[0]), persistence * share, persistence * (1 - share),
		shape}
}

// cost returns the negative log likelihood without its constants.
func (p garchParams) cost(returns []float64) float64 {
	nu := garchShapes[p.shape]
	constant, _ := math.Lgamma((nu + 1) / 2)
	half, _ := math.Lgamma(nu / 2)
	constant -= half + 0.5*math.Log(nu-2)
	v, sum := p.long, 0.0
	for _, r := range returns {
		sum += 0.5*math.Log(v) + 0.5*(nu+1)*math.Log1p(r*r/(v*(nu-2)))
		v = p.next(v, r)
	}
	return sum - constant*float64(len(returns))
}

func fitGARCH(returns []float64) garchParams {
	variance := 1e-8
	for _, r := range returns {
		variance += r * r / float64(max(len(returns), 1))
	}
	best := unpack(garchGuesses[0], variance, garchGuess)
	if len(returns) < garchLeast {
		return best
	}
	lowest := math.Inf(1)
	for _, u := range garchGuesses {
		shape := garchGuess
		for range 2 {
			u = simplex(u, func(u [3]float64) float64 {
				return unpack(u, variance, shape).cost(returns)
			})
			for k := range garchShapes {
				p := unpack(u, variance, k)
				if c := p.cost(returns); c < lowest {
					lowest, best, shape = c, p, k
				}
			}
		}
	}
	return best
}

// simplex minimises f with the method of Nelder and Mead (1965).
func simplex(start [3]float64, f func([3]float64) float64) [3]float64 {
	type vertex struct {
		at   [3]float64
		cost float64
	}
	v := make([]vertex, 4)
	for i := range v {
		at := start
		if i > 0 {
			at[i-1] += 0.7
		}
		v[i] = vertex{at, f(at)}
	}
	along := func(center [3]float64, from vertex, t float64) vertex {
		var at [3]float64
		for k := range at {
			at[k] = min(max(center[k]+t*(from.at[k]-center[k]), -9), 9)
		}
		return vertex{at, f(at)}
	}
	byCost := func(a, b vertex) int { return cmp.Compare(a.cost, b.cost) }
	for range 60 {
		slices.SortStableFunc(v, byCost)
		var center [3]float64
		for _, p := range v[:3] {
			for k := range center {
				center[k] += p.at[k] / 3
			}
		}
		p := along(center, v[3], -1)
		switch {
		case p.cost < v[0].cost:
			if q := along(center, v[3], -2); q.cost < p.cost {
				p = q
			}
			v[3] = p
		case p.cost < v[2].cost:
			v[3] = p
		default:
			if p = along(center, v[3], 0.5); p.cost < v[3].cost {
				v[3] = p
				continue
			}
			for i := range v[1:] {
				v[i+1] = along(v[0].at, v[i+1], 0.5)
			}
		}
	}
	return slices.MinFunc(v, byCost).at
}

// garchNoise holds innovations of unit variance, by shape, then by path and day.
type garchNoise [len(garchShapes)][]float32

func newGARCHNoise() *garchNoise {
	rng := rand.New(rand.NewPCG(1, 1))
	n := &garchNoise{}
	for k, nu := range garchShapes {
		n[k] = make([]float32, garchPaths*model.MaxDays)
		for i := range n[k] {
			chi := 0.0
			for range int(nu) {
				z := rng.NormFloat64()
				chi += z * z
			}
			n[k][i] = float32(rng.NormFloat64() / math.Sqrt(chi/(nu-2)))
		}
	}
	return n
}

// garchTable holds half-widths over the root of the long variance. One side is enough: the
// innovations are symmetric, and so are their sums.
type garchTable [len(garchStarts)][model.MaxDays][model.Levels]float64

func (p garchParams) simulate(noise *garchNoise, t *garchTable) {
	sums := make([][]float64, model.MaxDays)
	for h := range sums {
		sums[h] = make([]float64, garchPaths)
	}
	unit := garchParams{1, p.a, p.b, p.shape}
	for k, start := range garchStarts {
		for path := range garchPaths {
			v, sum := start, 0.0
			for h, e := range noise[p.shape][path*model.MaxDays:][:model.MaxDays] {
				r := math.Sqrt(v) * float64(e)
				sum += r
				sums[h][path] = math.Abs(sum)
				v = unit.next(v, r)
			}
		}
		for h := range sums {
			slices.Sort(sums[h])
			for l, c := range model.Confidences {
				t[k][h][l] = sums[h][int(c*garchPaths)]
			}
		}
	}
}

// at interpolates for a ratio of the variance to its mean.
func (t *garchTable) at(ratio float64, h, l int) float64 {
	x := min(max(math.Log2(ratio)+3, 0), float64(len(t)-1))
	k := min(int(x), len(t)-2)
	w := x - float64(k)
	return math.Exp((1-w)*math.Log(t[k][h][l]) + w*math.Log(t[k+1][h][l]))
}

func garch() method {
	noise := newGARCHNoise()
	return method{"garch-t", func(_ *market.Series, logs []float64) forecaster {
		row, refit := 0, 0
		var p garchParams
		var table garchTable
		var v float64 // for the day after row
		return func(i int, _ *market.Features, b *bounds) {
			if i >= refit {
				refit = i + garchEvery
				from := max(i-garchWindow, 0)
				returns := make([]float64, 0, garchWindow)
				for j := from + 1; j <= i; j++ {
					returns = append(returns, logs[j]-logs[j-1])
				}
				p = fitGARCH(returns)
				p.simulate(noise, &table)
				v, row = p.long, from
			}
			for ; row < i; row++ {
				v = p.next(v, logs[row+1]-logs[row])
			}
			unit := math.Sqrt(p.long)
			b.symmetric(func(h, l int) float64 { return unit * table.at(v/p.long, h, l) })
		}
	}}
}
