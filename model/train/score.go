package train

import (
	"math"

	"tickercast/model"
	"tickercast/model/calibrate"
)

type (
	row  [model.MaxDays]float64 // by horizon
	grid [model.MaxDays][model.Levels]float64
)

func (r *row) add(o *row) {
	for h, v := range o {
		r[h] += v
	}
}

func (g *grid) add(o *grid) {
	for h := range o {
		for l, v := range o[h] {
			g[h][l] += v
		}
	}
}

// score sums how the methods forecast what came. The first method is the model, of which more is
// kept.
type score struct {
	loss [][2]grid // pinball losses, by method and side
	hits []grid    // targets inside the interval, by method
	days []dayScore

	medianError, noChange row // sums of |price error| over the last close

	tickers  float64               // with minOwn targets
	astray   grid                  // how many of them miss their confidence by astrayBy
	rejected [model.Levels]float64 // how many of them Kupiec's test rejects at h = 1
}

// dayScore is what one origin adds. A sum of origins and the targets of one ticker have the same
// form.
type dayScore struct {
	count row   // of targets
	hits  grid  // of the model
	loss  []row // by method, over levels and sides
}

func (d *dayScore) add(o *dayScore) {
	d.count.add(&o.count)
	d.hits.add(&o.hits)
	for m := range d.loss {
		d.loss[m].add(&o.loss[m])
	}
}

func newScore(methods, days int) *score {
	s := &score{loss: make([][2]grid, methods), hits: make([]grid, methods),
		days: make([]dayScore, days)}
	losses := make([]row, methods*days)
	for d := range s.days {
		s.days[d].loss = losses[d*methods : (d+1)*methods]
	}
	return s
}

// add scores the forecast of method m from the close logs[0] on the closes after it.
func (s *score) add(m, day int, logs []float64, b *bounds, own *dayScore) {
	d := &s.days[day]
	for h := 0; h < model.MaxDays && h+1 < len(logs); h++ {
		r := logs[h+1] - logs[0]
		total := 0.0
		for l, p := range &tails {
			lower, upper := b.bound[h][0][l], b.bound[h][1][l]
			a, z := calibrate.Pinball(p, -lower, -r), calibrate.Pinball(p, upper, r)
			s.loss[m][0][h][l] += a
			s.loss[m][1][h][l] += z
			total += a + z
			if lower <= r && r <= upper {
				s.hits[m][h][l]++
				if m == 0 {
					d.hits[h][l]++
					own.hits[h][l]++
				}
			}
		}
		d.loss[m][h] += total
		if m == 0 {
			d.count[h]++
			own.count[h]++
			s.medianError[h] += math.Abs(math.Exp(r) - math.Exp(b.median[h]))
			s.noChange[h] += math.Abs(math.Exp(r) - 1)
		}
	}
}

const (
	minOwn   = 100  // targets of a ticker; with fewer, its own coverage says nothing
	astrayBy = 0.05 // of coverage
)

// close adds a ticker's own coverage to the counts over tickers.
func (s *score) close(own *dayScore) {
	if own.count[0] < minOwn {
		return
	}
	s.tickers++
	for l, c := range model.Confidences {
		for h, n := range own.count {
			if n > 0 && math.Abs(own.hits[h][l]/n-c) > astrayBy {
				s.astray[h][l]++
			}
		}
		misses := own.count[0] - own.hits[0][l]
		if calibrate.Kupiec(own.count[0], misses, 1-c) > calibrate.KupiecLimit {
			s.rejected[l]++
		}
	}
}

func (s *score) merge(o *score) {
	for m := range s.loss {
		s.loss[m][0].add(&o.loss[m][0])
		s.loss[m][1].add(&o.loss[m][1])
		s.hits[m].add(&o.hits[m])
	}
	for i := range s.days {
		s.days[i].add(&o.days[i])
	}
	s.medianError.add(&o.medianError)
	s.noChange.add(&o.noChange)
	s.tickers += o.tickers
	s.astray.add(&o.astray)
	for l, n := range o.rejected {
		s.rejected[l] += n
	}
}

// sum adds up the origins from to to-1.
func (s *score) sum(from, to int) *dayScore {
	total := &dayScore{loss: make([]row, len(s.loss))}
	for i := from; i < to; i++ {
		total.add(&s.days[i])
	}
	return total
}

// dates counts the origins from to to-1 that have a forecast.
func (s *score) dates(from, to int) (n int) {
	for _, d := range s.days[from:to] {
		if d.count[0] > 0 {
			n++
		}
	}
	return n
}
