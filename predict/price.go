package predict

import (
	"math"
	"strconv"
)

// Prices are answered with six significant digits of the predicted price or four decimals,
// whichever is finer: 187.4312, 0.0123457, 1234567.8912. That is at most a tenth of a basis point,
// and a bound is at least one away from the median, so that rounding never makes lower, predicted
// and upper meet; nor does it hide a digit that means anything.

// decimals is the number of decimals that a forecast around price is answered with, 4 or more.
func decimals(price float64) int {
	d := 4
	for limit := 10.0; price < limit && d < maxDecimals; d++ {
		limit /= 10
	}
	return d
}

const maxDecimals = 22 // the last power of ten that a float64 holds exactly

// appendPrice appends x rounded to d decimals, in the form of appendNumber.
func appendPrice(dst []byte, x float64, d int) []byte {
	if scaled := x * pow10[d]; scaled < 1e15 && x >= 1e-5 {
		// Fifteen digits read back as the same float64, so they are what the shortest form would
		// print.
		return appendDecimal(dst, uint64(math.RoundToEven(scaled)), d)
	}
	if x < 1e-5 {
		x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'f', d, 64), 64)
	}
	return appendNumber(dst, x)
}

// appendDecimal appends n/10^d without its trailing zeros, but for one behind the point.
func appendDecimal(dst []byte, n uint64, d int) []byte {
	var buf [24]byte
	i := len(buf)
	for d > 1 && n%10 == 0 {
		n /= 10
		d--
	}
	for ; d > 0; d-- {
		i--
		buf[i] = byte('0' + n%10)
		n /= 10
	}
	i--
	buf[i] = '.'
	for {
		i--
		buf[i] = byte('0' + n%10)
		if n /= 10; n == 0 {
			return append(dst, buf[i:]...)
		}
	}
}

// pow10 holds the powers of ten that a float64 holds exactly.
var pow10 = [maxDecimals + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15,
	1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}
