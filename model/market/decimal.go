package market

import (
	"math"
	"math/bits"
)

// MaxDigits is the most digits of a number for Decimal, zeros in front included.
const MaxDigits = 19

// Decimal returns the float64 nearest to mantissa / 10^decimals: what strconv.ParseFloat makes of a
// number of at most MaxDigits digits. ParseFloat takes up to a microsecond for one of 16 digits and
// more, and does so for prices that were a float32 before, such as Yahoo's 187.42999267578125. This
// takes less than ten nanoseconds.
func Decimal(mantissa uint64, decimals int) float64 {
	if mantissa < 1<<53 {
		// Both are exact in a float64, so the quotient is rounded once.
		return float64(int64(mantissa)) / powers[decimals]
	}
	return quotient(mantissa, uint64(powers[decimals]))
}

// quotient returns the float64 nearest to a / b. Neither is zero.
func quotient(a, b uint64) float64 {
	m, n := bits.LeadingZeros64(a), bits.LeadingZeros64(b)
	// a * 2^(m+63) / (b * 2^n) has 63 or 64 bits, of which a float64 keeps 53. If there is a rest,
	// one more bit tells the conversion that the quotient is not halfway between two of these.
	q, rest := bits.Div64(a<<m>>1, a<<m<<63, b<<n)
	if rest != 0 {
		q |= 1
	}
	twos := math.Float64frombits(uint64(1023+n-m-63) << 52) // a power of two; Ldexp takes longer
	return float64(q) * twos
}

// powers of ten, which both a float64 and a uint64 hold exactly.
var powers = [MaxDigits + 1]float64{1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11,
	1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19}
