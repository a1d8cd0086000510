package predict

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"sync"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
	"tickercast/predict/internal/limits"
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
	memory  *limits.Limiter        // counts the days; nil: nothing does

	mu      sync.Mutex // guards what follows
	days    []*pastDay // made and being made; the one used last is the last
	waiting int        // requests that make a day, or wait for their turn
	closed  bool       // nothing is remembered any more
}

// A pastDay is a market at the end of a day, and the model in force then.
type pastDay struct {
	past   *past
	day    calendar.Date
	made   chan struct{} // closed when the next three are set
	model  *model.Model
	market *market.Market // nil if no ticker had enough closes
	err    error

	// The mutex of past guards these.
	hold      limits.Hold
	users     int  // requests
	forgotten bool // it is not among the days of past
}

func newPast(st *state, memory *limits.Limiter) *past {
	return &past{of: st, turn: make(chan struct{}, 1), memory: memory,
		trading: sync.OnceValue(st.market.Source().TradingDays)}
}

// An asOfError says that a date in order breaks a rule of the prices. POST and GET tell it in their
// own ways.
type asOfError struct{ rule *pyjson.Rule }

func (e *asOfError) Error() string { return e.rule.Msg }

// effective returns the last day up to asOf that has a price, or an asOfError if that is outside of
// what is loaded for a ticker. A zero day means the end of the market.
func (p *past) effective(t *market.Ticker, asOf calendar.Date) (calendar.Date, error) {
	first, last := t.Series.Dates[market.MinHistory-1], p.of.market.AsOf()
	if asOf < first || asOf > last {
		return 0, &asOfError{ruleAsOfOutside(first, last)}
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

// at returns a day, which it makes if it is not remembered. The caller must call leave.
func (p *past) at(ctx context.Context, day calendar.Date) (*pastDay, error) {
	p.mu.Lock()
	i := slices.IndexFunc(p.days, func(d *pastDay) bool { return d.day == day })
	if i < 0 {
		if p.waiting >= maxPastWaiting {
			p.mu.Unlock()
			return nil, ErrOverload()
		}
		d := &pastDay{past: p, day: day, made: make(chan struct{}), users: 1}
		if p.memory != nil {
			p.memory.Open(&d.hold, d, 0)
		}
		p.days = append(p.days, d)
		p.waiting++
		p.mu.Unlock()
		p.make(context.WithoutCancel(ctx), d) // others may wait for it when this client has left
		return d.ready()
	}
	d := p.days[i]
	p.days = append(slices.Delete(p.days, i, i+1), d)
	d.users++
	d.hold.Progress()
	p.mu.Unlock()
	select {
	case <-d.made:
		return d.ready()
	case <-ctx.Done():
		d.leave()
		return nil, ctx.Err()
	}
}

// ready returns a day that is made, or leaves it if that has failed.
func (d *pastDay) ready() (*pastDay, error) {
	if d.err != nil {
		d.leave()
		return nil, d.err
	}
	return d, nil
}

// leave ends a use of the day.
func (d *pastDay) leave() {
	d.past.mu.Lock()
	defer d.past.mu.Unlock()
	d.users--
	d.releaseLocked()
}

var errUnfinished = errors.New("making an earlier day did not end")

// make sets what the requests for d wait for, when no other day is being made.
func (p *past) make(ctx context.Context, d *pastDay) {
	briefly := 0
	d.err = errUnfinished // a panic leaves that
	p.turn <- struct{}{}
	defer func() {
		<-p.turn
		p.mu.Lock()
		defer p.mu.Unlock()
		p.waiting--
		d.hold.Shrink(briefly)
		if d.err == errUnfinished {
			d.users-- // the request that has panicked
		}
		if d.err != nil || p.closed {
			p.forgetLocked(d)
		}
		close(d.made)
	}()
	lasting := p.of.market.Footprint() // of a longer market, so this one takes less
	if briefly = p.of.steps.Takes(d.day); briefly > 0 {
		briefly += lasting // for the market up to the year before
	}
	if !p.reserve(d, lasting+briefly) {
		d.err, briefly = ErrOverload(), 0
		return
	}
	d.market, d.err = p.of.market.Until(ctx, d.day)
	switch {
	case errors.Is(d.err, market.ErrShort):
		d.err = nil
	case d.err == nil:
		d.model, d.err = p.of.steps.On(ctx, d.market.AsOf())
	}
}

// reserve makes room for d: among the days that are remembered, and in the memory. Days that are
// remembered leave half of it to requests.
func (p *past) reserve(d *pastDay, bytes int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for n, held := p.madeLocked(); n >= maxPast || n > 0 && p.memory != nil &&
		p.memory.Total() > 0 && held+int64(bytes) > p.memory.Total()/2; n, held = p.madeLocked() {
		p.forgetOldestLocked()
	}
	for d.hold.Grow(bytes) != nil {
		if !p.forgetOldestLocked() {
			return false
		}
	}
	return true
}

// Client is no one: a day is for all who ask for it.
func (*pastDay) Client() netip.Addr { return netip.Addr{} }

// Stop forgets a day that no one has asked for lately, when others need its memory.
func (d *pastDay) Stop() {
	go func() { // the goroutine that calls Stop may have the lock
		d.past.mu.Lock()
		defer d.past.mu.Unlock()
		d.past.forgetLocked(d)
	}()
}

// isMade reports whether nothing of d will change.
func (d *pastDay) isMade() bool {
	select {
	case <-d.made:
		return true
	default:
		return false
	}
}

// madeLocked returns how many days are made, and what they hold.
func (p *past) madeLocked() (n int, held int64) {
	for _, d := range p.days {
		if d.isMade() {
			n++
			held += d.hold.Size()
		}
	}
	return n, held
}

// forgetOldestLocked forgets the day that was asked for longest ago, and reports whether there was
// one.
func (p *past) forgetOldestLocked() bool {
	i := slices.IndexFunc(p.days, (*pastDay).isMade)
	if i >= 0 {
		p.forgetLocked(p.days[i])
	}
	return i >= 0
}

// forgetLocked forgets a day. Its memory is free when no request needs it any more.
func (p *past) forgetLocked(d *pastDay) {
	p.days = slices.DeleteFunc(p.days, func(o *pastDay) bool { return o == d })
	d.forgotten = true
	d.releaseLocked()
}

func (d *pastDay) releaseLocked() {
	if d.forgotten && d.users == 0 {
		d.hold.Release()
	}
}

// close forgets all days, when other prices are served. Requests under way may still ask for some.
func (p *past) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for p.forgetOldestLocked() {
	}
}

// errTooEarly says that a ticker cannot be forecast from the prices up to a day.
var errTooEarly = &asOfError{&ruleAsOfShort}

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
