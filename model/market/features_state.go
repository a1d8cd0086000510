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

	squares [numSpeeds]average // of returns
	ranges  [numSpeeds]average // of overnight^2 plus Garman-Klass, where known
	abs25   average
	abs250  average
	night   average // overnight^2
	down    average // squares of negative returns
	trend5  average // of scores
	trend60 average
	zeros   average
	hits    average // scores beyond 2
	sum5    average // squares of 5-day returns
	sum20   average
	peak    float64 // fading maximum of the log close
	score   float64 // the last return over the volatility before it
	rangeAt int     // n at the last known range
	range1  float64 // the variance of the last range
	rangeM  float64 // the mean variance before it
	events  seasons
	nights  *seasons // of overnight moves; nil before the first known range
}

func (s *state) push(day calendar.Date, b ohlc) {
	p := math.Log(b.close)
	if s.n == 0 {
		s.peak = p
		s.remember(day, p)
		return
	}
	before := s.logs[(s.n-1)%window]
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
	known := s.squares[speed25].weight > 0
	ref := s.squares[speed25].mean() + floorVar
	if known {
		s.score = min(max(r/math.Sqrt(ref), -maxScore), maxScore)
		if limit := maxScore * math.Sqrt(ref); s.n > 5 {
			r = min(max(r, -limit), limit)
		}
	}
	r2, fall := r*r, min(r, 0)
	for i := range s.squares {
		s.squares[i].add(decays[i], r2)
	}
	s.abs25.add(decays[speed25], math.Abs(r))
	s.abs250.add(decays[speed250], math.Abs(r))
	s.down.add(decays[speed25], fall*fall)
	s.zeros.add(decay60, oneIf(r == 0))
	s.hits.add(decays[speed250], oneIf(math.Abs(s.score) > 2))
	s.trend5.add(decay5, s.score)
	s.trend60.add(decay60, s.score)
	s.peak = max(p, p+(s.peak-p)*decays[speed250])
	night := 0.0
	if b.open > 0 && b.low > 0 && b.high >= b.low {
		night = s.pushRange(b, p, before, ref)
	}
	if s.nights != nil {
		s.nights.push(night, ordinaryNight)
	}
	s.events.push(math.Abs(s.score), ordinaryDay)
	s.remember(day, p)
	s.pushSum(&s.sum5, 5, p)
	s.pushSum(&s.sum20, 20, p)
}

func oneIf(yes bool) float64 {
	if yes {
		return 1
	}
	return 0
}

func (s *state) remember(day calendar.Date, p float64) {
	s.logs[s.n%window] = p
	s.last = day
	s.n++
}

// pushRange adds a day's range: the squared overnight return plus the estimate of Garman and Klass
// (1980) for the variance from open to close. It returns the overnight score
// without its sign.
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
// returns.
func (s *state) pushSum(a *average, days int, p float64) {
	if s.n > days {
		limit := maxScore * maxScore * float64(days) * (s.squares[speed70].mean() + floorVar)
		r := p - s.logs[(s.n-days-1)%window]
		a.add(decays[speed250], min(r*r, limit))
	}
}

// pace returns the log of the fast over the slow volatility, and that of a very slow one.
func (s *state) pace() (fast, slow float64) {
	v := func(k int) float64 { return s.squares[k].mean() + floorVar }
	return 0.5 * math.Log(v(speed5)/v(speed70)), 0.5 * math.Log(v(speed250))
}

// features writes what is known at the last close. The market's part stays zero.
func (s *state) features(x *Features) {
	var lv [numSpeeds]float64 // log volatilities
	for i := range s.squares {
		lv[i] = 0.5 * math.Log(s.squares[i].mean()+floorVar)
	}
	sigma25, sigma250 := math.Exp(lv[speed25]), math.Exp(lv[speed250])
	*x = Features{}
	x[logScale] = (lv[speed5]+lv[speed25]+lv[speed250])/3 - math.Log(RefScale)
	for i := range numSpeeds - 1 {
		x[vol2over5+i] = lv[i] - lv[i+1]
	}
	x[lastAbs] = math.Abs(s.score)
	x[lastSigned] = s.score
	x[trend5] = s.trend5.mean()
	x[trend60] = s.trend60.mean()
	x[downShare] = (s.down.mean()+floorVar/2)/(s.squares[speed25].mean()+floorVar) - 0.5
	last := s.logs[(s.n-1)%window]
	x[drawdown] = max(-6, (last-s.peak)/(sigma250*8))
	x[tail25] = math.Log((s.abs25.mean() + 1e-5) / sigma25)
	x[tail250] = math.Log((s.abs250.mean() + 1e-5) / sigma250)
	x[tailHits] = s.hits.mean()
	x[zeroShare] = s.zeros.mean()
	if s.sum5.weight > 0 {
		x[sum5Ratio] = 0.5*math.Log(s.sum5.mean()/5+floorVar) - lv[speed250]
	}
	if s.sum20.weight > 0 {
		x[sum20Ratio] = 0.5*math.Log(s.sum20.mean()/20+floorVar) - lv[speed250]
	}
	x[historyLength] = math.Log(min(float64(s.n), 1000) / 250)
	s.events.features(x[season1:])
	if s.n-s.rangeAt < 3 && s.ranges[speed25].weight > 0.4*s.squares[speed25].weight {
		x[rangeKnown] = 1
		for i, k := range [...]int{speed2, speed5, speed11, speed25, speed250} {
			x[range2+i] = 0.5*math.Log(s.ranges[k].mean()+floorVar) - lv[k]
		}
		x[rangeLast] = 0.5 * math.Log((s.range1+floorVar)/(s.rangeM+floorVar))
		x[overnightShare] = (s.night.mean() + floorVar/4) / (s.ranges[speed25].mean() + floorVar)
		s.nights.features(x[nightSeason1:])
	}
}
