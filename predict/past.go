package predict

import (
	"context"
	"errors"
	"slices"
	"sync"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
	"tickercast/predict/pyjson"
)

const (
	// maxPast is how many earlier days a state remembers.
	maxPast = 8
	// maxPastWaiting is how many requests may wait for others' days to be made, which takes a core
	// for some tens of milliseconds each.
	maxPastWaiting = 32
)

// A past remembers what a market was on earlier days. A day is made from the prices up to it, as if
// the file had ended there, once for all requests that ask for it together.
type past struct {
	of      *state
	trading func() []calendar.Date // days with a price, sorted
	turn    chan struct{}          // taken while a day is made

	mu      sync.Mutex // guards what follows
	days    []*pastDay // the one used last is the last
	waiting int
}

// A pastDay is a market at the end of a day, and the model in force then.
type pastDay struct {
	day    calendar.Date
	made   chan struct{} // closed when the rest is set
	model  *model.Model
	market *market.Market // nil if no ticker had enough closes
	err    error
}

func newPast(st *state) *past {
	return &past{of: st, turn: make(chan struct{}, 1),
		trading: sync.OnceValue(st.market.Source().TradingDays)}
}

// effective returns the last day up to asOf that has a price. The rule is broken if that is outside
// of what is loaded for a ticker. A zero day means the end of the market.
func (p *past) effective(t *market.Ticker, asOf calendar.Date) (calendar.Date, *pyjson.Rule) {
	first, last := t.Series.Dates[market.MinHistory-1], p.of.market.AsOf()
	if asOf < first || asOf > last {
		return 0, ruleAsOfOutside(first, last)
	}
	if asOf == last {
		return 0, nil
	}
	days := p.trading()
	at, found := slices.BinarySearch(days, asOf)
	if !found {
		at--
	}
	return days[at], nil
}

// at returns a day, which it makes if it is not remembered.
func (p *past) at(ctx context.Context, day calendar.Date) (*pastDay, error) {
	p.mu.Lock()
	i := slices.IndexFunc(p.days, func(d *pastDay) bool { return d.day == day })
	if i < 0 {
		if p.waiting >= maxPastWaiting {
			p.mu.Unlock()
			return nil, ErrOverload()
		}
		d := &pastDay{day: day, made: make(chan struct{})}
		if len(p.days) == maxPast {
			p.days = slices.Delete(p.days, 0, 1)
		}
		p.days = append(p.days, d)
		p.waiting++
		p.mu.Unlock()
		p.make(context.WithoutCancel(ctx), d) // others may wait for it when this client has left
		return d, d.err
	}
	d := p.days[i]
	p.days = append(slices.Delete(p.days, i, i+1), d)
	p.mu.Unlock()
	select {
	case <-d.made:
		return d, d.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// make sets the rest of d, when no other day is being made.
func (p *past) make(ctx context.Context, d *pastDay) {
	d.err = errors.New("making an earlier day did not end") // a panic leaves that
	p.turn <- struct{}{}
	defer func() {
		<-p.turn
		close(d.made)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting--
		if d.err != nil {
			p.days = slices.DeleteFunc(p.days, func(o *pastDay) bool { return o == d })
		}
	}()
	d.market, d.err = p.of.market.Until(ctx, d.day)
	switch {
	case errors.Is(d.err, market.ErrShort):
		d.err = nil
	case d.err == nil:
		d.model, d.err = p.of.steps.On(ctx, d.market.AsOf())
	}
}

// errTooEarly says that a ticker cannot be forecast from the prices up to a day.
var errTooEarly = errors.New("as_of is too early for a forecast")

// ticker returns what answers for a ticker need, or errTooEarly.
func (d *pastDay) ticker(name string) (ts tickerState, err error) {
	if d.market == nil {
		return ts, errTooEarly
	}
	t, ok := d.market.Find([]byte(name))
	if !ok { // its first closes do not look like daily prices
		return ts, errTooEarly
	}
	ts = tickerState{rowPrefix([]byte(t.Name)), datesAfter(t.Calendar, t.AsOf, MaxDays), t.Close,
		d.model.Forecast(t.Features[:], MaxDays)}
	if checkForecast(&ts.forecast) != nil {
		return ts, errTooEarly
	}
	return ts, nil
}
