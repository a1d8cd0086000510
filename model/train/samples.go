package train

import (
	"context"
	"math"
	"math/rand/v2"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// samples are the origins of a fit, with the log returns that followed them.
type samples struct {
	x      []float32 // rows of numIn
	y      []float32 // rows of model.MaxDays; NaN past the end of a series
	weight []float32
	day    []calendar.Date
}

func (s *samples) len() int { return len(s.day) }

func (s *samples) features(i int32) []float32 { return s.x[int(i)*numIn:][:numIn] }

func (s *samples) returns(i int32) []float32 { return s.y[int(i)*model.MaxDays:][:model.MaxDays] }

const (
	shortPiece = 400 // trading days
	shortEvery = 2   // origins of short pieces are this much rarer
)

// collect keeps every nth origin of each series, from a random one on. It walks each series twice:
// whole, and in short pieces from random beginnings. Otherwise a short history would occur in the
// first years of the panel only, and stand for these years.
func collect(ctx context.Context, daily *market.Daily, every int,
	rng *rand.Rand) (*samples, error) {
	p := daily.Panel()
	index, err := market.NewMarketIndex(ctx, daily)
	if err != nil {
		return nil, err
	}
	s := &samples{}
	for i := range p.Series() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		series := &p.Series()[i]
		logs := series.LogCloses()
		walk := func(piece *market.Series, from, every int) {
			offset := rng.IntN(every)
			index.Walk(piece, from, func(j int) bool { return j%every == offset },
				func(j int, x *market.Features) { s.add(series, logs, j, x) })
		}
		walk(series, 0, every)
		for from := rng.IntN(shortPiece); from+market.MinHistory < len(logs); from += shortPiece {
			end := from + market.MinHistory +
				int(float64(shortPiece-market.MinHistory)*math.Pow(rng.Float64(), 2))
			piece := series.Slice(0, min(end, len(logs)))
			walk(&piece, from, shortEvery*every)
		}
	}
	s.weigh()
	return s, nil
}

func (s *samples) add(series *market.Series, logs []float64, j int, x *market.Features) {
	if j+1 >= len(logs) {
		return
	}
	for _, v := range x {
		s.x = append(s.x, float32(v))
	}
	for h := 1; h <= model.MaxDays; h++ {
		y := float32(math.NaN())
		if j+h < len(logs) {
			y = float32(logs[j+h] - logs[j])
		}
		s.y = append(s.y, y)
	}
	s.day = append(s.day, series.Dates[j])
}

// weigh gives each day the same weight, however many tickers trade on it. The mean weight is 1.
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

// where lists the samples of the days for which want returns true.
func (s *samples) where(want func(calendar.Date) bool) (list []int32) {
	for i, d := range s.day {
		if want(d) {
			list = append(list, int32(i))
		}
	}
	return list
}
