package market

import (
	"fmt"
	"math"

	"tickercast/model/calendar"
)

// The kinds of a Warning.
const (
	KindClosedDays = "closed_days"
	KindEnded      = "ended"
	KindJumps      = "jumps"
	KindShort      = "short"
	KindNotDaily   = "not_daily"
	KindShifted    = "shifted"
	KindUnrecorded = "unrecorded"
	KindBack       = "back"
	KindVanished   = "vanished"
)

// warningTexts are the texts of the kinds, in the order of reports. The verb is the count.
var warningTexts = [...]struct{ kind, text string }{
	{KindClosedDays, "%d rows on days that the ticker's calendar has closed"},
	{KindEnded, "%d tickers end more than 20 trading days before the last row"},
	{KindJumps, "%d closes move by more than x3 in a day"},
	{KindShort, "%d tickers left out with too few closes"},
	{KindNotDaily, "%d tickers left out without daily prices"},
	{KindShifted, "%d tickers with dates that fit a calendar when moved by a day"},
	{KindUnrecorded, "%d tickers with forecasts of days whose holidays are not known yet"},
	{KindBack, "%d tickers end earlier than before"},
	{KindVanished, "%d tickers are served no more"},
}

// A Warning is something doubtful about prices that are served all the same.
type Warning struct {
	Kind  string
	Count int
	First string // the first example, by ticker and date
}

func (w Warning) String() string {
	for _, t := range warningTexts {
		if t.kind == w.Kind {
			return fmt.Sprintf(t.text+" (first: %s)", w.Count, w.First)
		}
	}
	return w.Kind
}

// WarningKinds lists all kinds, in the order of reports.
func WarningKinds() (kinds []string) {
	for _, t := range warningTexts {
		kinds = append(kinds, t.kind)
	}
	return kinds
}

// Warnings lists what is doubtful about the panel, at most one of each kind.
func (m *Market) Warnings() []Warning { return m.warnings() }

func (m *Market) findWarnings() []Warning {
	found := findings{}
	for _, r := range m.daily.refused {
		found.add(r.Kind, "%s: %s", r.Ticker, r.Reason)
	}
	for i := range m.Panel().Series() {
		s := &m.Panel().Series()[i]
		fit := &m.daily.fits[i]
		found.rows(s, fit.Calendar)
		if fit.Shift != 0 {
			found.add(KindShifted, "%s by %+d", s.Ticker, fit.Shift)
		}
	}
	for i := range m.tickers {
		t := &m.tickers[i]
		if m.ended(t) {
			found.add(KindEnded, "%s %s", t.Name, t.AsOf)
		}
		if _, to := t.Calendar.Recorded(); t.Calendar.Next(t.AsOf, maxForecast) > to {
			found.add(KindUnrecorded, "%s after %s", t.Name, to)
		}
	}
	return found.list()
}

// maxForecast is the number of days of a forecast that a warning is about.
const maxForecast = 30

// ended reports whether a ticker ends so long before the panel that its company may be gone.
func (m *Market) ended(t *Ticker) bool { return t.Calendar.Between(t.AsOf, m.AsOf()) > maxGap }

// Compare lists what of a market is missing in the one that replaces it.
func Compare(old, now *Market) []Warning {
	found := findings{}
	for i := range old.tickers {
		t := &old.tickers[i]
		if j, ok := now.byName[t.Name]; !ok {
			found.add(KindVanished, "%s", t.Name)
		} else if asOf := now.tickers[j].AsOf; asOf < t.AsOf {
			found.add(KindBack, "%s %s -> %s", t.Name, t.AsOf, asOf)
		}
	}
	return found.list()
}

// findings collects warnings by kind.
type findings map[string]*Warning

func (f findings) add(kind, first string, args ...any) {
	w := f[kind]
	if w == nil {
		w = &Warning{Kind: kind, First: fmt.Sprintf(first, args...)}
		f[kind] = w
	}
	w.Count++
}

// rows looks for rows on closed days and for jumps.
func (f findings) rows(s *Series, c *calendar.Calendar) {
	for i, d := range s.Dates {
		if !c.Open(d) {
			f.add(KindClosedDays, "%s %s", s.Ticker, d)
		}
		if i > 0 && !isGap(s.Dates[i-1], d) {
			if by := s.Close[i] / s.Close[i-1]; math.Max(by, 1/by) > 3 {
				f.add(KindJumps, "%s %s", s.Ticker, d)
			}
		}
	}
}

func (f findings) list() (all []Warning) {
	for _, kind := range WarningKinds() {
		if w := f[kind]; w != nil {
			all = append(all, *w)
		}
	}
	return all
}
