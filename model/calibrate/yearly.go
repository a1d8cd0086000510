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

	mu    sync.Mutex // held while a step is made
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

// On returns the model with the step in force on a day. It fails only when ctx ends.
func (y *Yearly) On(ctx context.Context, day calendar.Date) (*model.Model, error) {
	if y.panel == nil {
		return y.model, nil
	}
	year, _, _ := day.Civil()
	y.mu.Lock()
	defer y.mu.Unlock()
	if m, ok := y.years[year]; ok {
		return m, nil
	}
	m, err := y.step(ctx, calendar.Of(year, time.January, 1)-1)
	if err != nil {
		return nil, err
	}
	y.years[year] = m
	return m, nil
}

// step makes the step from the panel up to a day.
func (y *Yearly) step(ctx context.Context, last calendar.Date) (*model.Model, error) {
	if int(min(last, y.panel.AsOf())-y.panel.From()) < leastDays {
		return y.model, nil // whatever its days are, they are too few
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
