package market

import "math"

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
