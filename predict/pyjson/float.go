package pyjson

import "strconv"

// appendRepr appends a finite x as Python's repr prints it: the shortest digits that read back as
// x, with an exponent below 1e-4 and from 1e16, and .0 after a whole number.
func appendRepr(dst []byte, x float64) []byte {
	return appendDigits(dst, strconv.AppendFloat(make([]byte, 0, 32), x, 'e', -1, 64), -4, 2)
}

// AppendFloat appends a finite x as Pydantic's serializer prints it: like Python's repr, but with
// an exponent only below 1e-5, and without a leading zero in it.
func AppendFloat(dst []byte, x float64) []byte {
	return appendDigits(dst, strconv.AppendFloat(make([]byte, 0, 32), x, 'e', -1, 64), -5, 1)
}

// appendDigits appends sci, which has strconv's form -d.ddde±dd. Exponents in [low, 16) are written
// out; others have at least width digits.
func appendDigits(dst, sci []byte, low, width int) []byte {
	if sci[0] == '-' {
		dst, sci = append(dst, '-'), sci[1:]
	}
	e := len(sci) - 1
	for sci[e] != 'e' {
		e--
	}
	exp, _ := strconv.Atoi(string(sci[e+1:]))
	digits := sci[:1]
	if e > 1 {
		digits = append(digits, sci[2:e]...) // closes the gap where the point was
	}
	switch {
	case exp >= 16 || exp < low:
		dst = append(dst, digits[0])
		if len(digits) > 1 {
			dst = append(append(dst, '.'), digits[1:]...)
		}
		sign := byte('+')
		if exp < 0 {
			sign, exp = '-', -exp
		}
		dst = append(dst, 'e', sign)
		if exp < 10 && width > 1 {
			dst = append(dst, '0')
		}
		return strconv.AppendInt(dst, int64(exp), 10)
	case exp < 0:
		dst = append(dst, "0.0000"[:1-exp]...)
		return append(dst, digits...)
	case exp >= len(digits)-1:
		dst = append(dst, digits...)
		for range exp - len(digits) + 1 {
			dst = append(dst, '0')
		}
		return append(dst, ".0"...)
	}
	dst = append(append(dst, digits[:exp+1]...), '.')
	return append(dst, digits[exp+1:]...)
}
