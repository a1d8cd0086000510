package market

import "math"

// NumFeatures is how many numbers describe one ticker on one day.
const NumFeatures = len(featureNames)

// Features is what a forecaster sees of a ticker at the close of one day. Every entry is free of
// the currency and of the price level, because a past level that is adjusted for later splits and
// dividends would tell the future.
//
// The first entry carries the scale: the logarithm of the daily volatility over RefScale. The
// others are ratios, shares and scores around it. Entries of a group that is not known (no daily
// ranges, no market) are all zero, its indicator included.
type Features [NumFeatures]float64

// RefScale is the daily volatility at which the scale feature is zero.
const RefScale = 0.02

// The groups of features that may be missing, as half-open ranges of indices; the first entry of a
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
	marketKnown
	marketVol
	marketLast
	marketTrend
	marketRatio
)

var featureNames = [...]string{
	logScale:       "log_scale",
	vol2over5:      "vol_2_over_5",
	vol5over11:     "vol_5_over_11",
	vol11over25:    "vol_11_over_25",
	vol25over70:    "vol_25_over_70",
	vol70over250:   "vol_70_over_250",
	lastAbs:        "last_abs",
	lastSigned:     "last_signed",
	trend5:         "trend_5",
	trend60:        "trend_60",
	downShare:      "down_share",
	drawdown:       "drawdown",
	tail25:         "tail_25",
	tail250:        "tail_250",
	tailHits:       "tail_hits",
	zeroShare:      "zero_share",
	sum5Ratio:      "sum_5_ratio",
	sum20Ratio:     "sum_20_ratio",
	historyLength:  "history_length",
	season1:        "season_1",
	season5:        "season_5",
	season10:       "season_10",
	season20:       "season_20",
	season30:       "season_30",
	rangeKnown:     "range_known",
	range2:         "range_2",
	range5:         "range_5",
	range11:        "range_11",
	range25:        "range_25",
	range250:       "range_250",
	rangeLast:      "range_last",
	overnightShare: "overnight_share",
	marketKnown:    "market_known",
	marketVol:      "market_vol",
	marketLast:     "market_last",
	marketTrend:    "market_trend",
	marketRatio:    "market_ratio",
}

// FeatureNames lists the features in their order. Weights carry the list that they were fitted on,
// so that a mismatch is refused instead of served.
func FeatureNames() []string {
	names := featureNames
	return names[:]
}

// Half-lives in trading days of the moving variances, fast to slow.
var halfLives = [numSpeeds]float64{2, 5, 11, 25, 70, 250}

const (
	speed2 = iota
	speed5
	speed11
	speed25
	speed70
	speed250
	numSpeeds
)

// keep returns the share of weight that is left after one day.
func keep(halfLife float64) float64 { return math.Exp2(-1 / halfLife) }
