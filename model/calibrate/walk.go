package calibrate

import (
	"context"
	"time"

	"tickercast/model/calendar"
	"tickercast/model/internal/pace"
	"tickercast/model/market"
)

// LeastBefore is how many closes lie before an origin: with fewer, a forecast is not what is served
// now.
const LeastBefore = 250

// About what a judged forecast takes, and a row before the origins besides its features.
const (
	forecastTime = 10 * time.Microsecond
	logTime      = 30 * time.Nanosecond
)

// InBackground returns a context under which the functions of this package take about a tenth of
// one core, for a server that answers requests meanwhile.
func InBackground(ctx context.Context) context.Context { return pace.Slow(ctx) }

// Origins returns the last n days of a panel that have a later one.
func Origins(daily *market.Daily, n int) []calendar.Date {
	days := daily.Panel().TradingDays()
	days = days[:max(len(days)-1, 0)]
	return days[max(len(days)-n, 0):]
}

// walk calls begin for each series with an origin that counts, then each for its origins. An origin
// counts for a series with LeastBefore closes before it and one after. logs are valid until the
// next call of begin. It stops within a series when ctx ends.
func walk(ctx context.Context, daily *market.Daily, index *market.MarketIndex,
	origins []calendar.Date, begin func(s *market.Series, logs []float64),
	each func(day, i int, x *market.Features)) error {
	var logs []float64
	pacer := pace.Of(ctx)
	all := daily.Panel().Series()
	for k := range all {
		if err := ctx.Err(); err != nil {
			return err
		}
		s := &all[k]
		if last := s.Len() - 2; len(origins) == 0 || last < LeastBefore ||
			s.Dates[last] < origins[0] {
			continue
		}
		logs = s.AppendLogCloses(logs[:0])
		begin(s, logs)
		pacer.Worked(time.Duration(len(logs)) * logTime)
		index.WalkOrigins(ctx, s, origins, func(day, i int, x *market.Features) {
			if i >= LeastBefore {
				each(day, i, x)
				pacer.Worked(forecastTime)
			}
		})
	}
	return ctx.Err()
}
