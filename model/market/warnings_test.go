package market

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"tickercast/model/calendar"
)

// wantWarnings compares warnings with their texts.
func wantWarnings(t *testing.T, got []Warning, want ...string) {
	t.Helper()
	var texts []string
	for _, w := range got {
		texts = append(texts, w.Kind+": "+w.String())
	}
	if !slices.Equal(texts, want) {
		t.Errorf("got the warnings\n%s\nwant\n%s", strings.Join(texts, "\n"),
			strings.Join(want, "\n"))
	}
}

func TestWarnings(t *testing.T) {
	acme := func(change func(s *Series)) Series {
		s := seriesOn(t, "ACME", "XNYS", "2026-02-18", 300)
		if change != nil {
			change(&s)
		}
		return s
	}
	last := seriesOn(t, "ZETA", "XNYS", "2026-02-18", 300)
	wantWarnings(t, marketOf(t, nil, acme(nil), last).Warnings())
	wantWarnings(t, marketOf(t, nil, last, acme(func(s *Series) {
		s.Dates[299] = calendar.Of(2026, 2, 21) // a Saturday
	})).Warnings(),
		"closed_days: 1 rows on days that the ticker's calendar has closed (first: ACME 2026-02-21)")
	wantWarnings(t, marketOf(t, nil, last, acme(func(s *Series) {
		s.Close[299] = 100 * s.Close[298]
		s.Close[100] /= 4
	})).Warnings(),
		fmt.Sprintf("jumps: 3 closes move by more than x3 in a day (first: ACME %s)",
			last.Dates[100]))
	wantWarnings(t,
		marketOf(t, nil, last, seriesOn(t, "BETA", "XNYS", "2010-12-31", 300)).Warnings(),
		"ended: 1 tickers end more than 20 trading days before the last row (first: BETA 2010-12-31)")
	// 20 sessions are not more than 20.
	wantWarnings(t,
		marketOf(t, nil, last, seriesOn(t, "BETA", "XNYS", "2026-01-20", 300)).Warnings())
	wantWarnings(t, marketOf(t, nil, last, acme(func(s *Series) { *s = s.Slice(280, 300) }),
		weekly(seriesOn(t, "WEEK", "XNYS", "2026-02-18", 300))).Warnings(),
		"short: 1 tickers left out with too few closes (first: ACME: 20 closes up to 2026-02-18, a "+
			"forecast needs 30)",
		"not_daily: 1 tickers left out without daily prices (first: WEEK: rows are 7 days apart: "+
			"not daily prices)")
	tokyo := seriesOn(t, "7203.T", "XTKS", "2025-09-30", 300)
	for i := range tokyo.Dates {
		tokyo.Dates[i]--
	}
	found := marketOf(t, nil, tokyo).Warnings()
	at := slices.IndexFunc(found, func(w Warning) bool { return w.Kind == KindShifted })
	if at < 0 || found[at].First != "7203.T by +1" {
		t.Errorf("of Tokyo's dates in UTC: got %v", found)
	}
	wantWarnings(t,
		marketOf(t, nil, seriesOn(t, "600000.SS", "XSHG", "2026-12-01", 300)).Warnings(),
		"unrecorded: 1 tickers with forecasts of days whose holidays are not known yet (first: "+
			"600000.SS after 2026-12-31)")
	// A year that was mistaken: 2021 for 2018.
	wantWarnings(t, marketOf(t, nil, acme(func(s *Series) {
		s.Dates[298], s.Dates[299] = calendar.Of(2029, 2, 10), calendar.Of(2029, 2, 11)
	})).Warnings(),
		"closed_days: 2 rows on days that the ticker's calendar has closed (first: ACME 2029-02-10)")
}

func TestCompare(t *testing.T) {
	old := marketOf(t, nil, seriesOn(t, "ACME", "XNYS", "2020-03-03", 300),
		seriesOn(t, "BETA", "XNYS", "2020-03-03", 300),
		seriesOn(t, "GAMMA", "XNYS", "2020-03-03", 300))
	now := marketOf(t, nil, seriesOn(t, "ACME", "XNYS", "2019-05-09", 100),
		seriesOn(t, "BETA", "XNYS", "2020-03-03", 300))
	wantWarnings(t, Compare(old, now),
		"back: 1 tickers end earlier than before (first: ACME 2020-03-03 -> 2019-05-09)",
		"vanished: 1 tickers are served no more (first: GAMMA)")
	wantWarnings(t, Compare(now, now))
	wantWarnings(t, Compare(now, old))
}
