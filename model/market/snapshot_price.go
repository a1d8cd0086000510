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
