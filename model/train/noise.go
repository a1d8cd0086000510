package train

import (
	"math"

	"tickercast/model"
)

// lookDays is the number of trading days that count as one independent look at a market: its
// tickers move together, and targets overlap.
const lookDays = 60

// widthNoise is the standard error of the log of a width that one look gives, by confidence at one
// day; targets further ahead overlap and share more. It agrees with date-block bootstraps of
// coverage over nine years of US stocks: 0.6 points at 80 % and one day, 1.4 at thirty days; 0.1
// and 0.6 points at 99 %.
var widthNoise = [model.Levels]float64{0.08, 0.08, 0.08, 0.09, 0.12, 0.16}

// noise is the standard error, for h days ahead and level l, that tradingDays leave.
func noise(h, l, tradingDays int) float64 {
	return widthNoise[l] * (1 + 0.4*math.Log(float64(h))) / math.Sqrt(float64(tradingDays)/lookDays)
}
