package predict

import (
	"math"
	"strconv"

	"tickercast/predict/pyjson"
)

// A price has four decimals, or as many as show six digits of the predicted price if that is more:
// 187.4312, 0.0123457, 1234567.8912. Rounding moves it by less than a tenth of a basis point, and
// bounds are at least a basis point away from the median, so they never become equal to it.

// decimals is the number of decimals of a forecast around price.
func decimals(price float64) int {
	d := 4
	for limit := 10.0; price < limit && d < maxDecimals; d++ {
		limit /= 10
	}
	return d
}

const maxDecimals = 22 // the last power of ten that a float64 holds exactly

// AppendPrice appends a price of a forecast around a predicted price, as answers have it.
func AppendPrice(dst []byte, x, predicted float64) []byte {
	return appendPrice(dst, x, decimals(predicted))
}

// appendPrice appends x rounded to d decimals as pyjson.AppendFloat prints it.
func appendPrice(dst []byte, x float64, d int) []byte {
	if scaled := x * pow10[d]; scaled < 1e15 && x >= 1e-5 {
		// A float64 holds 15 digits, so these are the shortest form.
		return appendDecimal(dst, uint64(math.RoundToEven(scaled)), d)
	}
	return pyjson.AppendFloat(dst, roundPrice(x, d))
}

// roundPrice returns the number that appendPrice writes.
func roundPrice(x float64, d int) float64 {
	if scaled := x * pow10[d]; scaled < 1e15 && x >= 1e-5 {
		return math.RoundToEven(scaled) / pow10[d] // both are exact, so this is the nearest
	}
	if x < 1e-5 {
		x, _ = strconv.ParseFloat(strconv.FormatFloat(x, 'f', d, 64), 64)
	}
	return x
}

// appendDecimal appends n/10^d with at least one decimal and no other trailing zeros.
func appendDecimal(dst []byte, n uint64, d int) []byte {
	for d > 1 && n%10 == 0 {
		n /= 10
		d--
	}
	var text [20 + 1 + maxDecimals]byte
	i := len(text)
	for ; d > 0; d-- {
		i--
		text[i] = '0' + byte(n%10)
		n /= 10
	}
	i--
	text[i] = '.'
	for more := true; more; more = n > 0 {
		i--
		text[i] = '0' + byte(n%10)
		n /= 10
	}
	return append(dst, text[i:]...)
}

// pow10 holds the powers of ten that a float64 holds exactly.
var pow10 = [maxDecimals + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22}
