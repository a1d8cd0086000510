package market

import "math"

// NumFeatures is how many numbers describe one ticker on one day.
const NumFeatures = len(featureNames)

// Features describes a ticker at the close of one day. No entry depends on the currency or the
// price level: past levels are adjusted for later splits and dividends, so they would reveal the
// future.
//
// The first entry is the scale: the log of the daily volatility over RefScale. The others are
// ratios, shares and scores. If a group is not known (no daily ranges, no market), all its entries
// are zero, and so is its indicator.
type Features [NumFeatures]float64

// RefScale is the daily volatility at which the scale feature is zero.
const RefScale = 0.02

// The groups of features that may be missing, as half-open ranges of indices. The first entry of a
// group is its indicator.
const (
	RangeFirst, RangeEnd   = rangeKnown, marketKnown
	MarketFirst, MarketEnd = marketKnown, NumFeatures
)

const (
	logScale = iota
	vol2over5
	vol5over11
	vol11over25
	vol25over70
	vol70over250
	lastAbs
	lastSigned
	trend5
	trend60
	downShare
	drawdown
	tail25
	tail250
	tailHits
	zeroShare
	sum5Ratio
	sum20Ratio
	historyLength
	season1
	season5
	season10
	season20
	season30
	rangeKnown
	range2
	range5
	range11
	range25
	range250
	rangeLast
	overnightShare
	nightSeason1
	nightSeason5
	nightSeason10
	nightSeason20
	nightSeason30
	marketKnown
	marketVol
	marketLast
	marketTrend
	marketRatio
	marketFastRatio
	marketSlowRatio
)

// featureNames is in the order of the constants above.
var featureNames = [...]string{
	"log_scale",
	"vol_2_over_5", "vol_5_over_11", "vol_11_over_25", "vol_25_over_70", "vol_70_over_250",
	"last_abs", "last_signed", "trend_5", "trend_60", "down_share", "drawdown",
	"tail_25", "tail_250", "tail_hits", "zero_share", "sum_5_ratio", "sum_20_ratio",
	"history_length", "season_1_excess", "season_5_excess", "season_10_excess",
	"season_20_excess", "season_30_excess",
	"range_known", "range_2", "range_5", "range_11", "range_25", "range_250", "range_last",
	"overnight_share", "night_season_1_excess", "night_season_5_excess",
	"night_season_10_excess", "night_season_20_excess", "night_season_30_excess",
	"market_known", "market_vol", "market_last", "market_trend", "market_ratio",
	"market_fast_ratio", "market_slow_ratio",
}

// FeatureNames lists the features in order. Weights carry the list that they were fitted on, so a
// mismatch is found before anything is served.
func FeatureNames() []string {
	names := featureNames
	return names[:]
}

// halfLives of the moving averages, in trading days. The variances have all but the last.
var halfLives = [numDecays]float64{2, 5, 11, 25, 70, 250, 60}

const (
	speed2 = iota
	speed5
	speed11
	speed25
	speed70
	speed250
	numSpeeds
	speed60   = numSpeeds
	numDecays = numSpeeds + 1
)

// decay returns the share of weight that is left after one day.
func decay(halfLife float64) float64 { return math.Exp2(-1 / halfLife) }

// decays are of halfLives, and rests are what is left of one.
var decays, rests = func() (d, rest [numDecays]float64) {
	for i, h := range halfLives {
		d[i] = decay(h)
		rest[i] = 1 - d[i]
	}
	return d, rest
}()
