//go:build linux

package main

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

const days = model.MaxDays

// A task is what every method is to forecast.
type task struct {
	origins []calendar.Date
	step    int // sessions between two origins, at least
	tickers []string
	samples []sample // by origin, then by ticker
}

// A sample is a series with the row of an origin.
type sample struct {
	origin int
	series *market.Series
	row    int
}

// past returns the last n closes up to the origin.
func (s *sample) past(n int) []float64 { return s.series.Close[s.row+1-n : s.row+1] }

// move returns the log of the close some rows later over that of the origin.
func (s *sample) move(ahead int) float64 {
	return math.Log(s.series.Close[s.row+ahead] / s.series.Close[s.row])
}

// choose takes dates at equal steps, and tickers at equal steps from those that have the same past
// and future at each of the dates.
func choose(p *market.Panel, o options) (*task, error) {
	sessions := sessionsOf(p, o.tickers)
	first, _ := slices.BinarySearch(sessions, o.from)
	first = max(first, o.window-1)
	last := len(sessions) - 1 - days
	if o.to != 0 {
		to, found := slices.BinarySearch(sessions, o.to)
		if !found {
			to--
		}
		last = min(last, to)
	}
	if last-first+1 < o.origins {
		return nil, fmt.Errorf("%d dates have %d sessions up to them and %d after them, "+
			"fewer than %d -origins", max(0, last-first+1), o.window, days, o.origins)
	}
	t := &task{step: last - first + 1}
	at := first
	for k := range o.origins {
		next := first + k*(last-first)/max(1, o.origins-1)
		if k > 0 {
			t.step = min(t.step, next-at)
		}
		at = next
		t.origins = append(t.origins, sessions[at])
	}
	var able [][]sample // by ticker
	for i := range p.Series() {
		if all, ok := rows(&p.Series()[i], t.origins, o.window); ok {
			able = append(able, all)
		}
	}
	if len(able) < o.tickers {
		return nil, fmt.Errorf("%d tickers have %d closes up to each of the dates from %s to %s and "+
			"%d after it, fewer than %d -tickers", len(able), o.window, t.origins[0],
			t.origins[len(t.origins)-1], days, o.tickers)
	}
	offset := rand.New(rand.NewPCG(o.seed, 0)).IntN(len(able))
	var chosen [][]sample
	for k := range o.tickers {
		all := able[(k*len(able)+offset)/o.tickers]
		chosen, t.tickers = append(chosen, all), append(t.tickers, all[0].series.Ticker)
	}
	for k := range t.origins {
		for _, all := range chosen {
			t.samples = append(t.samples, all[k])
		}
	}
	return t, nil
}

// sessionsOf lists the days on which so many tickers have a row: not the weekends of a file of
// stocks with a few coins.
func sessionsOf(p *market.Panel, tickers int) []calendar.Date {
	count := map[calendar.Date]int{}
	for i := range p.Series() {
		for _, d := range p.Series()[i].Dates {
			count[d]++
		}
	}
	return slices.DeleteFunc(p.TradingDays(),
		func(d calendar.Date) bool { return count[d] < tickers })
}

// rows finds each date in a series, and reports whether it has a row of that date with the past and
// the future that are needed.
func rows(s *market.Series, dates []calendar.Date, window int) (all []sample, ok bool) {
	for k, d := range dates {
		row, found := slices.BinarySearch(s.Dates, d)
		if !found || row+1 < window || row+days >= s.Len() {
			return nil, false
		}
		all = append(all, sample{k, s, row})
	}
	return all, true
}
