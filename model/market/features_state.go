package market

import (
	"math"

	"tickercast/model/calendar"
)

const (
	// floorVar, (0.1 %)^2 a day, is added to every variance, so that stale closes do not collapse
	// an interval.
	floorVar = 1e-6
	// maxScore bounds a return before it moves an average, in units of its recent volatility. A
	// jump fades faster than ordinary volatility, and an unadjusted split does bounded harm.
	maxScore = 6
	// window is how many log closes are kept, for sums of up to 20 returns.
	window = 32
)

// average is an exponential moving average without bias from its first value on.
type average struct{ sum, weight float64 }

func (a *average) add(decay, x float64) {
	a.sum = decay*a.sum + (1-decay)*x
	a.weight = decay*a.weight + (1 - decay)
}

func (a *average) mean() float64 {
	if a.weight == 0 {
		return 0
	}
	return a.sum / a.weight
}

// state is the memory of one ticker that a further day needs.
type state struct {
	n    int // closes seen
	last calendar.Date
	logs [window]float64 // the last log closes, by n mod window

	// Averages to which each return adds. Those of one speed have one weight; see mean.
	weights [numDecays]float64
	squares [numSpeeds]float64 // of returns
	abs25   float64
	abs250  float64
	down    float64 // at speed25: squares of negative returns
	trend5  float64 // of scores
	trend60 float64
	zeros   float64 // at speed60
	hits    float64 // at speed250: scores beyond 2

	ranges  [numSpeeds]average // of overnight^2 plus Garman-Klass, where known
	night   average            // overnight^2
	sum5    average            // squares of 5-day returns
	sum20   average
	peak    float64 // fading maximum of the log close
	score   float64 // the last return over the volatility before it
	rangeAt int     // n at the last known range
	range1  float64 // the variance of the last range
	rangeM  float64 // the mean variance before it
	events  seasons
	nights  *seasons // of overnight moves; nil before the first known range
}

// mean is that of an average to which each return adds at a speed.
func (s *state) mean(sum float64, speed int) float64 {
	if w := s.weights[speed]; w != 0 {
		return sum / w
	}
	return 0
}

// push adds a day.
func (s *state) push(day calendar.Date, b ohlc) { s.pushLog(day, math.Log(b.close), b) }

// pushLog is push with the log of the close. It bounds values by branches, which are nearly always
// predicted: with min and max each day would wait for the square root of the day before, and take
// twice as long.
func (s *state) pushLog(day calendar.Date, p float64, b ohlc) {
	if s.n == 0 {
		s.peak = p
		s.remember(day, p)
		return
	}
	before := s.logs[uint(s.n-1)%window]
	r := p - before
	if isGap(s.last, day) {
		// The return over a gap says nothing, so the closes before it move to the new level.
		s.peak += r
		for i := range s.logs {
			s.logs[i] += r
		}
		s.remember(day, p)
		return
	}
	ref := s.mean(s.squares[speed25], speed25) + floorVar
	if s.weights[speed25] > 0 {
		sigma := math.Sqrt(ref)
		s.score = within(r/sigma, maxScore)
		if s.n > 5 {
			r = within(r, maxScore*sigma)
		}
	}
	fall := min(r, 0) // no branch: every other day it would be predicted wrongly
	r2, size, zero, hit, score := r*r, math.Abs(r), 0.0, 0.0, s.score
	if r == 0 {
		zero = 1
	}
	if math.Abs(score) > 2 {
		hit = 1
	}
	// Without a loop the compiler knows every address.
	w, q := &s.weights, &s.squares
	w[speed2], q[speed2] = fade(w[speed2], speed2, 1), fade(q[speed2], speed2, r2)
	w[speed5], q[speed5] = fade(w[speed5], speed5, 1), fade(q[speed5], speed5, r2)
	w[speed11], q[speed11] = fade(w[speed11], speed11, 1), fade(q[speed11], speed11, r2)
	w[speed25], q[speed25] = fade(w[speed25], speed25, 1), fade(q[speed25], speed25, r2)
	w[speed70], q[speed70] = fade(w[speed70], speed70, 1), fade(q[speed70], speed70, r2)
	w[speed250], q[speed250] = fade(w[speed250], speed250, 1), fade(q[speed250], speed250, r2)
	w[speed60] = fade(w[speed60], speed60, 1)
	s.abs25 = fade(s.abs25, speed25, size)
	s.abs250 = fade(s.abs250, speed250, size)
	s.down = fade(s.down, speed25, fall*fall)
	s.zeros = fade(s.zeros, speed60, zero)
	s.hits = fade(s.hits, speed250, hit)
	s.trend5 = fade(s.trend5, speed5, score)
	s.trend60 = fade(s.trend60, speed60, score)
	peak := p + (s.peak-p)*decays[speed250]
	if peak < p {
		peak = p
	}
	s.peak = peak
	night := 0.0
	if b.open > 0 && b.low > 0 && b.high >= b.low {
		night = s.pushRange(b, p, before, ref)
	}
	if s.nights != nil {
		s.nights.push(night, ordinaryNight)
	}
	s.events.push(math.Abs(score), ordinaryDay)
	s.remember(day, p)
	if s.n > 5 {
		day := s.mean(s.squares[speed70], speed70) + floorVar
		s.pushSum(&s.sum5, 5, p, day)
		s.pushSum(&s.sum20, 20, p, day)
	}
}

// fade is a sum after a further day of x.
func fade(sum float64, speed int, x float64) float64 { return decays[speed]*sum + rests[speed]*x }

// within is x, or the nearest of -limit and limit.
func within(x, limit float64) float64 {
	if x > limit {
		return limit
	}
	if x < -limit {
		return -limit
	}
	return x
}

func (s *state) remember(day calendar.Date, p float64) {
	s.logs[uint(s.n)%window] = p
	s.last = day
	s.n++
}

// pushRange adds a day's range: the squared overnight return plus the estimate of Garman and Klass
// (1980) for the variance from open to close. It returns the overnight score without its sign.
func (s *state) pushRange(b ohlc, p, before, ref float64) float64 {
	night := math.Log(b.open) - before
	hl, co := math.Log(b.high/b.low), p-math.Log(b.open)
	limit := maxScore * maxScore * ref
	if s.n <= 5 {
		limit = math.Inf(1)
	}
	night2 := min(night*night, limit)
	gk := min(night2+max(0, 0.5*hl*hl-(2*math.Ln2-1)*co*co), limit)
	s.range1, s.rangeM = gk, s.ranges[speed11].mean()
	for i := range s.ranges {
		s.ranges[i].add(decays[i], gk)
	}
	s.night.add(decays[speed25], night2)
	s.rangeAt = s.n + 1
	if s.nights == nil {
		s.nights = new(seasons)
	}
	if s.n <= 5 {
		return 0 // there is no volatility to compare with
	}
	return math.Sqrt(night2 / ref)
}

// pushSum adds the squared return over some days up to the latest close, bounded like the single
// returns by the variance of a day.
func (s *state) pushSum(a *average, days int, p, variance float64) {
	if s.n <= days {
		return
	}
	r := p - s.logs[uint(s.n-days-1)%window]
	r2 := r * r
	if limit := maxScore * maxScore * float64(days) * variance; r2 > limit {
		r2 = limit
	}
	a.add(decays[speed250], r2)
}

// pace returns the log of the fast over the slow volatility, and that of a very slow one.
func (s *state) pace() (fast, slow float64) {
	v := func(k int) float64 { return s.mean(s.squares[k], k) + floorVar }
	return 0.5 * math.Log(v(speed5)/v(speed70)), 0.5 * math.Log(v(speed250))
}

// features writes what is known at the last close. The market's part stays zero.
func (s *state) features(x *Features) {
	var lv [numSpeeds]float64 // log volatilities
	for i := range s.squares {
		lv[i] = 0.5 * math.Log(s.mean(s.squares[i], i)+floorVar)
	}
	sigma25, sigma250 := math.Exp(lv[speed25]), math.Exp(lv[speed250])
	*x = Features{}
	x[logScale] = (lv[speed5]+lv[speed25]+lv[speed250])/3 - math.Log(RefScale)
	for i := range numSpeeds - 1 {
		x[vol2over5+i] = lv[i] - lv[i+1]
	}
	x[lastAbs] = math.Abs(s.score)
	x[lastSigned] = s.score
	x[trend5] = s.mean(s.trend5, speed5)
	x[trend60] = s.mean(s.trend60, speed60)
	x[downShare] = (s.mean(s.down, speed25)+floorVar/2)/
		(s.mean(s.squares[speed25], speed25)+floorVar) - 0.5
	last := s.logs[uint(s.n-1)%window]
	x[drawdown] = max(-6, (last-s.peak)/(sigma250*8))
	x[tail25] = math.Log((s.mean(s.abs25, speed25) + 1e-5) / sigma25)
	x[tail250] = math.Log((s.mean(s.abs250, speed250) + 1e-5) / sigma250)
	x[tailHits] = s.mean(s.hits, speed250)
	x[zeroShare] = s.mean(s.zeros, speed60)
	if s.sum5.weight > 0 {
		x[sum5Ratio] = 0.5*math.Log(s.sum5.mean()/5+floorVar) - lv[speed250]
	}
	if s.sum20.weight > 0 {
		x[sum20Ratio] = 0.5*math.Log(s.sum20.mean()/20+floorVar) - lv[speed250]
	}
	x[historyLength] = math.Log(min(float64(s.n), 1000) / 250)
	s.events.features(x[season1:])
	if s.n-s.rangeAt < 3 && s.ranges[speed25].weight > 0.4*s.weights[speed25] {
		x[rangeKnown] = 1
		for i, k := range [...]int{speed2, speed5, speed11, speed25, speed250} {
			x[range2+i] = 0.5*math.Log(s.ranges[k].mean()+floorVar) - lv[k]
		}
		x[rangeLast] = 0.5 * math.Log((s.range1+floorVar)/(s.rangeM+floorVar))
		x[overnightShare] = (s.night.mean() + floorVar/4) / (s.ranges[speed25].mean() + floorVar)
		s.nights.features(x[nightSeason1:])
	}
}
