package market

import "math"

// rangeCoder codes the open, high and low of one ticker, day by day, as whole steps away from
// prices that the decoder already knows.
type rangeCoder struct {
	before, open, close float64
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
	r.open = nan
	if code > 0 {
		r.open = r.before * (1 + float64(unzigzag(code-1))*snapshotStep)
	}
	return r.open
}

func (r *rangeCoder) encodeHigh(v float64) uint32 { return stepsUp(v / r.top()) }

func (r *rangeCoder) decodeHigh(code uint32) float64 {
	if code == 0 {
		return nan
	}
	return r.top() * (1 + float64(code-1)*snapshotStep)
}

func (r *rangeCoder) encodeLow(v float64) uint32 { return stepsUp(r.bottom() / v) }

func (r *rangeCoder) decodeLow(code uint32) float64 {
	if code == 0 {
		return nan
	}
	return r.bottom() / (1 + float64(code-1)*snapshotStep)
}

// stepsUp codes a ratio that is at least 1, apart from rounding.
func stepsUp(ratio float64) uint32 {
	steps := math.Round((ratio - 1) / snapshotStep)
	if steps <= maxSteps {
		return 1 + uint32(max(0, steps))
	}
	return 0
}

// top returns the greater of open and close, or the close if the open is unknown.
func (r *rangeCoder) top() float64 {
	if r.open > r.close {
		return r.open
	}
	return r.close
}

// bottom returns the lesser of open and close, or the close if the open is unknown.
func (r *rangeCoder) bottom() float64 {
	if r.open < r.close {
		return r.open
	}
	return r.close
}
