package train

import (
	"math"
	"math/rand/v2"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// samples are the origins of a fit: features, the log returns that followed, and the weight of
// each.
type samples struct {
	x      []float32 // rows of market.NumFeatures
	y      []float32 // rows of model.MaxDays; NaN past the end of a series
	weight []float32
	day    []calendar.Date
}

func (s *samples) len() int { return len(s.day) }

func (s *samples) features(i int) []float32 {
	return s.x[i*market.NumFeatures:][:market.NumFeatures]
}

func (s *samples) returns(i int) []float32 { return s.y[i*model.MaxDays:][:model.MaxDays] }

// span limits a fit or a test in time.
type span struct {
	from, to calendar.Date // of the origins
	end      calendar.Date // no target may be later
}

// collect walks through a panel and keeps, in each series, every nth origin from a random one on.
// Series are walked twice: whole, and cut into short pieces that begin at random, so that a short
// history is known for what it is and not for the years in which the panel begins. Days weigh the
// same, however many tickers trade on them.
func collect(p *market.Panel, in span, every int, rng *rand.Rand) *samples {
	tape := market.NewTape(p)
	all := p.Series()
	s := &samples{}
	for i := range all {
		series := &all[i]
		logs := logCloses(series)
		keep := func(j int, x *market.Features) { s.add(series, logs, j, in, x) }
		offset := rng.IntN(every)
		want := func(j int) bool {
			return j%every == offset && series.Dates[j] >= in.from && series.Dates[j] <= in.to
		}
		tape.Walk(series, 0, want, keep)
		for from := rng.IntN(shortPiece); from+market.MinHistory < len(logs); from += shortPiece {
			end := from + market.MinHistory +
				int(float64(shortPiece-market.MinHistory)*math.Pow(rng.Float64(), 2))
			piece := series.Slice(0, min(end, len(logs)))
			offset := rng.IntN(shortEvery * every)
			tape.Walk(&piece, from, func(j int) bool {
				return j%(shortEvery*every) == offset && series.Dates[j] >= in.from &&
					series.Dates[j] <= in.to
			}, keep)
		}
	}
	s.weigh()
	return s
}

const (
	shortPiece = 400 // trading days
	shortEvery = 2   // short histories are kept this much more rarely
)

func logCloses(s *market.Series) []float64 {
	logs := make([]float64, len(s.Close))
	for i, c := range s.Close {
		logs[i] = math.Log(c)
	}
	return logs
}

func (s *samples) add(series *market.Series, logs []float64, j int, in span, x *market.Features) {
	if j+1 >= len(logs) || series.Dates[j+1] > in.end {
		return
	}
	for _, v := range x {
		s.x = append(s.x, float32(v))
	}
	for h := 1; h <= model.MaxDays; h++ {
		y := float32(math.NaN())
		if j+h < len(logs) && series.Dates[j+h] <= in.end {
			y = float32(logs[j+h] - logs[j])
		}
		s.y = append(s.y, y)
	}
	s.day = append(s.day, series.Dates[j])
}

// weigh gives each day the same weight, averaging 1 over the samples.
func (s *samples) weigh() {
	count := map[calendar.Date]int{}
	for _, d := range s.day {
		count[d]++
	}
	s.weight = make([]float32, len(s.day))
	for i, d := range s.day {
		s.weight[i] = float32(float64(len(s.day)) / float64(len(count)) / float64(count[d]))
	}
}

// subset returns the samples of the days asked for. It shares no memory with s.
func (s *samples) subset(want func(calendar.Date) bool) *samples {
	part := &samples{}
	for i, d := range s.day {
		if want(d) {
			part.x = append(part.x, s.features(i)...)
			part.y = append(part.y, s.returns(i)...)
			part.weight = append(part.weight, s.weight[i])
			part.day = append(part.day, d)
		}
	}
	return part
}
