package model

import "math"

const (
	// Levels is the number of confidences whose bounds are fitted. Others are interpolated.
	Levels = 6
	// RefScale is the daily volatility at which the first feature is zero.
	RefScale = 0.02

	// Curves is the number of functions of the horizon that the network shapes. Each is a sum of
	// Terms polynomials in log h.
	Curves, Terms = 4, 4
	outputs       = Curves * Terms

	// MaxInput bounds a standardised feature: the network was fitted no further out.
	MaxInput = 4

	// Bounds of a curve's value. MinTail keeps levels apart: see MinGap.
	maxCurve         = 1.5
	MinTail, MaxTail = -0.4, 0.8

	// Bounds of the log of a distance from the median. The lower is 1 basis point, so that a price
	// and its bounds differ even for a series that never moved.
	minDistance, maxDistance = -9.21034037197618, 2
)

// Confidences lists the confidences whose bounds are fitted.
var Confidences = [Levels]float64{0.80, 0.85, 0.90, 0.95, 0.98, 0.99}

// levelZ is log z by level, z being the normal's quantile. Log distances are nearly linear in
// it, so bounds between two levels are interpolated on it.
var levelZ = func() (s [Levels]float64) {
	for l, c := range Confidences {
		s[l] = logZ(c)
	}
	return s
}()

func logZ(confidence float64) float64 { return math.Log(math.Sqrt2 * math.Erfinv(confidence)) }

// TailShape is c[level] in the package's formula. It is zero at confidence 0.90, so a heavier tail
// moves the outer bounds out and the inner bounds in.
var TailShape = func() (c [Levels]float64) {
	for l := range c {
		c[l] = levelZ[l] - levelZ[2]
	}
	return c
}()

// MinGap is how far apart the log quantiles of levels l-1 and l must be at least, so that the
// lightest tail does not let them cross.
func MinGap(l int) float64 { return -MinTail * (TailShape[l] - TailShape[l-1]) }

// Basis holds the Chebyshev polynomials in log h, by h-1.
var Basis = func() (b [MaxDays][Terms]float64) {
	for h := range b {
		u := 2*math.Log(float64(h+1))/math.Log(MaxDays) - 1
		b[h] = [Terms]float64{1, u, 2*u*u - 1, 4*u*u*u - 3*u}
	}
	return b
}()

// Activation is a rational function close to tanh: odd, smooth, and 1 from 3 on. It costs one
// division.
func Activation(x float64) float64 {
	x = min(max(x, -3), 3)
	return x * (27 + x*x) / (27 + 9*x*x)
}

// A Forecast is the distribution of the log return over each of the coming trading days. It is a
// value without a reference to the model.
type Forecast struct {
	days     int
	drift    float64
	distance [MaxDays][2][Levels]float64 // logs of the distances from the median
}

// Forecast computes the distribution over 1 to days trading days, at most MaxDays, from features in
// the order of FeatureNames. A feature that is NaN counts as average. It does not allocate.
func (m *Model) Forecast(x []float64, days int) (f Forecast) {
	var z [maxFeatures]float64
	var hidden [maxHidden]float64
	var out [outputs]float64
	m.network(x, &z, &hidden, &out)

	f.days = min(max(days, 1), MaxDays)
	f.drift = m.drift
	scale := x[0]
	if scale != scale {
		scale = 0
	}
	for h := range f.days {
		b := &Basis[h]
		for side := range 2 {
			curve := scale + bound(Curve(out[side*Terms:], b), -maxCurve, maxCurve)
			tail := bound(Curve(out[(2+side)*Terms:], b), MinTail, MaxTail)
			d, q := &f.distance[h][side], &m.quantiles[h][side]
			for l := range d {
				d[l] = bound(curve+q[l]+tail*TailShape[l], minDistance, maxDistance)
			}
			if h > 0 {
				for l, before := range &f.distance[h-1][side] {
					d[l] = max(d[l], before)
				}
			}
		}
	}
	return f
}

// network evaluates the linear and the hidden layer. The caller provides the scratch space.
func (m *Model) network(x []float64, z *[maxFeatures]float64, hidden *[maxHidden]float64,
	out *[outputs]float64) {
	in, n := m.in, m.hidden
	x = x[:in]
	for i, v := range x {
		v = v*m.factor[i] - m.shift[i]
		if v != v {
			v = 0
		}
		z[i] = bound(v, -MaxInput, MaxInput)
	}
	for _, i := range m.logs {
		if v := math.Log1p(x[i])*m.factor[i] - m.shift[i]; v == v {
			z[i] = bound(v, -MaxInput, MaxInput)
		}
	}
	h := hidden[:n]
	copy(h, m.firstBias)
	for i := range in {
		w, v := m.first[i*n:][:n], z[i]
		for j := range h {
			h[j] += w[j] * v
		}
	}
	for j := range h {
		h[j] = Activation(h[j])
	}
	for o := range out {
		out[o] = m.lastBias[o] + Dot(m.skip[o*in:][:in], z[:in]) + Dot(m.last[o*n:][:n], h)
	}
}

// Median returns the median of the log return over h days.
func (f *Forecast) Median(h int) float64 { return f.drift * float64(f.at(h)) }

// Interval returns the bounds of the central interval of a confidence, as log returns over h days.
// It takes a confidence outside MinConfidence to MaxConfidence for the nearest one inside.
func (f *Forecast) Interval(h int, confidence float64) (lower, upper float64) {
	return f.Bounds(h, At(confidence))
}

// A Place is where a confidence lies among Confidences.
type Place struct {
	level int     // the last one that is not above it, or the last but one
	part  float64 // of the way to the next
}

// At finds the place of a confidence, once for the bounds on many days.
func At(confidence float64) Place {
	at := logZ(bound(confidence, MinConfidence, MaxConfidence))
	l := 0
	for l < Levels-2 && at >= levelZ[l+1] {
		l++
	}
	return Place{l, (at - levelZ[l]) / (levelZ[l+1] - levelZ[l])}
}

// Bounds is Interval for a place.
func (f *Forecast) Bounds(h int, p Place) (lower, upper float64) {
	l, w := p.level, p.part
	d := &f.distance[f.at(h)]
	median := f.Median(h)
	return median - math.Exp(d[0][l]+w*(d[0][l+1]-d[0][l])),
		median + math.Exp(d[1][l]+w*(d[1][l+1]-d[1][l]))
}

// Distance returns the logs of the distances from the median to the lower and the upper bound, by
// level of Confidences.
func (f *Forecast) Distance(h int) *[2][Levels]float64 { return &f.distance[f.at(h)] }

func (f *Forecast) at(h int) int { return min(max(h, 1), f.days) - 1 }

func bound(x, low, high float64) float64 { return min(max(x, low), high) }

// Curve returns the sum of the terms a times the polynomials b.
func Curve(a []float64, b *[Terms]float64) float64 {
	a = a[:Terms]
	return a[0]*b[0] + a[1]*b[1] + a[2]*b[2] + a[3]*b[3]
}

// Dot returns the scalar product of a and the beginning of b. Four sums let the processor add
// without waiting for the addition before.
func Dot(a, b []float64) float64 {
	b = b[:len(a)]
	var s0, s1, s2, s3 float64
	for len(a) >= 4 && len(b) >= 4 {
		s0 += a[0] * b[0]
		s1 += a[1] * b[1]
		s2 += a[2] * b[2]
		s3 += a[3] * b[3]
		a, b = a[4:], b[4:]
	}
	for i := range a {
		s0 += a[i] * b[i]
	}
	return s0 + s1 + (s2 + s3)
}
