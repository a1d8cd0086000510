package calibrate

import (
	"context"
	"errors"
	"sync"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
)

// A Yearly is a model with a calibration step for each year. The step in force on a day is made
// from the panel up to the end of the year before. So a forecast for a day is the same whether it
// is made on that day or later. It is safe for concurrent use.
type Yearly struct {
	model    *model.Model
	panel    *market.Panel // nil: there are no steps
	calendar *calendar.Calendar

	mu    sync.Mutex // guards years
	years map[int]*model.Model
}

// NewYearly makes the steps of a model from a panel, whose tickers have the calendars that
// market.NewDaily gives them.
func NewYearly(m *model.Model, p *market.Panel, all *calendar.Calendar) *Yearly {
	return &Yearly{model: m, panel: p, calendar: all, years: map[int]*model.Model{}}
}

// Fixed returns a Yearly whose steps change nothing.
func Fixed(m *model.Model) *Yearly { return &Yearly{model: m} }

// With returns the same steps of another model.
func (y *Yearly) With(m *model.Model) *Yearly {
	return &Yearly{model: m, panel: y.panel, calendar: y.calendar, years: map[int]*model.Model{}}
}

// Base returns the model without a step.
func (y *Yearly) Base() *model.Model { return y.model }

// On returns the model with the step in force on a day. It fails only when ctx ends. Two calls that
// ask for a new year together both make its step: one may work in the background, for which the
// other must not wait.
func (y *Yearly) On(ctx context.Context, day calendar.Date) (*model.Model, error) {
	if y.panel == nil {
		return y.model, nil
	}
	year, _, _ := day.Civil()
	if m, ok := y.made(year, nil); ok {
		return m, nil
	}
	m, err := y.step(ctx, lastBefore(year))
	if err != nil {
		return nil, err
	}
	m, _ = y.made(year, m)
	return m, nil
}

// made returns the model of a year. If there is none yet it is m, unless that is nil.
func (y *Yearly) made(year int, m *model.Model) (*model.Model, bool) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if first, ok := y.years[year]; ok {
		return first, true
	}
	if m == nil {
		return nil, false
	}
	y.years[year] = m
	return m, true
}

// onAll is On for many days.
func (y *Yearly) onAll(ctx context.Context, days []calendar.Date) ([]*model.Model, error) {
	models := make([]*model.Model, len(days))
	for i, day := range days {
		var err error
		if models[i], err = y.On(ctx, day); err != nil {
			return nil, err
		}
	}
	return models, nil
}

// stepBytes is about how many bytes Adjust takes for a moment.
const stepBytes = 2 << 20

// Takes returns about how many bytes On takes for a moment, beside a market up to the day.
func (y *Yearly) Takes(day calendar.Date) int {
	if y.panel == nil {
		return 0
	}
	year, _, _ := day.Civil()
	if _, ok := y.made(year, nil); ok || y.isShort(lastBefore(year)) {
		return 0
	}
	return stepBytes
}

// lastBefore is the day up to which the step of a year is made.
func lastBefore(year int) calendar.Date { return calendar.Of(year, time.January, 1) - 1 }

// isShort reports whether the panel up to a day is too short for a step, whatever its days are.
func (y *Yearly) isShort(last calendar.Date) bool {
	return int(min(last, y.panel.AsOf())-y.panel.From()) < leastDays
}

// step makes the step from the panel up to a day.
func (y *Yearly) step(ctx context.Context, last calendar.Date) (*model.Model, error) {
	if y.isShort(last) {
		return y.model, nil
	}
	daily, err := market.NewDaily(ctx, y.panel.Until(last), y.calendar)
	switch {
	case errors.Is(err, market.ErrShort):
		return y.model, nil
	case err != nil:
		return nil, err
	}
	return Adjust(ctx, y.model, daily)
}
