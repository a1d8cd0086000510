package market

import (
	"fmt"
	"math"
	"strconv"
)

// decimalUnits rounds closes to six significant digits and returns them as whole numbers of
// 10^-decimals.
func decimalUnits(closes []float64) (units []int32, decimals int, err error) {
	decimals = math.MinInt
	for _, v := range closes {
		_, d := significant(v)
		decimals = max(decimals, d)
	}
	for _, v := range closes {
		u, d := significant(v)
		for ; d < decimals && u <= math.MaxInt32; d++ {
			u *= 10
		}
		if u > math.MaxInt32 {
			return nil, 0, fmt.Errorf("the closes span too much for %d decimals, as %v needs",
				decimals, v)
		}
		units = append(units, int32(u))
	}
	return units, decimals, nil
}

// significant rounds v to six significant digits: v is about u * 10^-decimals, with as few decimals
// as possible.
func significant(v float64) (u int64, decimals int) {
	text := strconv.FormatFloat(v, 'e', snapshotDigits-1, 64) // d.ddddde±dd
	mantissa, exponent := text[:1]+text[2:snapshotDigits+1], text[snapshotDigits+2:]
	u, _ = strconv.ParseInt(mantissa, 10, 64)
	e, _ := strconv.Atoi(exponent)
	decimals = snapshotDigits - 1 - e
	for u%10 == 0 {
		u /= 10
		decimals--
	}
	return u, decimals
}

// decimalPrice returns u * 10^-decimals. It rounds once, so the result is the number that parsing
// the decimal text gives.
func decimalPrice(u int32, decimals int) float64 {
	if decimals < 0 {
		return float64(u) * math.Pow10(-decimals)
	}
	return float64(u) / math.Pow10(decimals)
}

// rangeCoder codes the open, high and low of one ticker, day by day, as whole steps away from
// prices that the decoder already knows.
type rangeCoder struct {
	before, close float64
	top, bottom   float64 // of close and open, as far as known
}

// maxSteps is more than any day's move. A price further away is coded as unknown.
const maxSteps = 1 << 20

// next goes to the next day. The close before the first day is its own.
func (r *rangeCoder) next(close float64) {
	r.before, r.close = r.close, close
	if r.before == 0 {
		r.before = close
	}
}

func (r *rangeCoder) encodeOpen(v float64) (code uint32) {
	steps := math.Round((v/r.before - 1) / snapshotStep)
	if -1/snapshotStep < steps && steps <= maxSteps { // never for NaN
		code = 1 + zigzag(int32(steps))
	}
	r.decodeOpen(code)
	return code
}

func (r *rangeCoder) decodeOpen(code uint32) float64 {
	r.top, r.bottom = r.close, r.close
	if code == 0 {
		return nan
	}
	open := r.before * (1 + float64(unzigzag(code-1))*snapshotStep)
	r.top, r.bottom = max(open, r.close), min(open, r.close)
	return open
}

func (r *rangeCoder) encodeHigh(v float64) uint32 { return encodeRatio(v / r.top) }
func (r *rangeCoder) encodeLow(v float64) uint32  { return encodeRatio(r.bottom / v) }

func (r *rangeCoder) decodeHigh(code uint32) float64 { return r.top * decodeRatio(code) }
func (r *rangeCoder) decodeLow(code uint32) float64  { return r.bottom / decodeRatio(code) }

// encodeRatio codes a ratio that is at least 1, apart from rounding.
func encodeRatio(ratio float64) uint32 {
	steps := math.Round((ratio - 1) / snapshotStep)
	if steps <= maxSteps { // never for NaN
		return 1 + uint32(max(0, steps))
	}
	return 0
}

func decodeRatio(code uint32) float64 {
	if code == 0 {
		return nan
	}
	return 1 + float64(code-1)*snapshotStep
}
