package pyjson

import (
	"bytes"
	"errors"
	"math"
	"strconv"
)

// Pydantic's lax mode reads strings, booleans and whole floats as numbers. Which ones exactly,
// quirks included, was found by running it; the tests hold the results.

// The rules of numbers, by Pydantic's names.
var (
	IntType    = Rule{"int_type", "Input should be a valid integer", ""}
	IntParsing = Rule{"int_parsing",
		"Input should be a valid integer, unable to parse string as an integer", ""}
	IntFromFloat = Rule{"int_from_float",
		"Input should be a valid integer, got a number with a fractional part", ""}
	IntSize = Rule{"int_parsing_size",
		"Unable to parse input string as an integer, exceeded maximum size", ""}
	Finite       = Rule{"finite_number", "Input should be a finite number", ""}
	FloatType    = Rule{"float_type", "Input should be a valid number", ""}
	FloatParsing = Rule{"float_parsing",
		"Input should be a valid number, unable to parse string as a number", ""}
)

// ToInt reads a value as an integer; one beyond int64 becomes the nearest int64. The rule is nil
// unless the value breaks one.
func ToInt(k Kind, text []byte) (int64, *Rule) {
	switch k {
	case False:
		return 0, nil
	case True:
		return 1, nil
	case Integer:
		n, _ := strconv.ParseInt(string(text), 10, 64) // the nearest when out of range
		return n, nil
	case Decimal:
		x, _ := strconv.ParseFloat(string(text), 64)
		switch {
		case math.IsInf(x, 0):
			return 0, &Finite
		case x != math.Trunc(x):
			return 0, &IntFromFloat
		case x >= 1<<63 || x <= -1<<63:
			return 0, &IntSize
		}
		return int64(x), nil
	case String:
		return stringToInt(text)
	}
	return 0, &IntType
}

func stringToInt(s []byte) (int64, *Rule) {
	if n, ok := plainInt(s); ok {
		return n, nil
	}
	// Too many digits in front are found first; a minus counts as one.
	if leadingDigits(s) > maxDigits {
		return 0, &IntSize
	}
	s = bytes.TrimSpace(s)
	digits, negative := bytes.CutPrefix(s, []byte("-"))
	if !negative {
		digits = bytes.TrimPrefix(s, []byte("+"))
	}
	trimmed := trimZeros(digits)
	zeros := len(trimmed) < len(digits)
	if i := bytes.IndexByte(trimmed, '.'); i >= 0 && i+1 < len(trimmed) &&
		len(bytes.Trim(trimmed[i+1:], "0")) == 0 {
		trimmed = trimmed[:i]
	}
	digits = joinDigits(trimmed)
	if zeros && !negative {
		// A minus may follow the zeros, but no zero may follow that.
		if digits, negative = bytes.CutPrefix(digits, []byte("-")); negative && len(digits) > 1 &&
			digits[0] == '0' {
			return 0, &IntParsing
		}
	}
	if len(digits) == 0 || len(bytes.Trim(digits, "0123456789")) > 0 {
		return 0, &IntParsing
	}
	n, _ := strconv.ParseInt(string(digits), 10, 64) // the nearest when out of range
	length := len(digits)
	if negative {
		n = -n
		length++
	}
	if length > maxDigits {
		return 0, &IntParsing
	}
	return n, nil
}

// plainInt reads an integer of a few digits that begins with no zero, as nearly all are.
func plainInt(s []byte) (n int64, ok bool) {
	if len(s) == 0 || len(s) > 18 || s[0] == '0' {
		return 0, false
	}
	for _, c := range s {
		if c < '0' || c > '9' {
			return 0, false
		}
		n = 10*n + int64(c-'0')
	}
	return n, true
}

// leadingDigits is the length of the integer that s begins with, or 0 if that has leading zeros.
func leadingDigits(s []byte) int {
	digits := bytes.TrimPrefix(s, []byte("-"))
	if bytes.HasPrefix(digits, []byte("0")) {
		return 0
	}
	return len(s) - len(bytes.TrimLeft(digits, "0123456789"))
}

// trimZeros drops an integer's leading zeros, and underscores after the first.
func trimZeros(s []byte) []byte {
	if len(s) == 0 || s[0] != '0' {
		return s
	}
	for i, c := range s {
		switch c {
		case '0', '_':
		case '.':
			return s[i-1:]
		default:
			return s[i:]
		}
	}
	return s[len(s)-1:]
}

// joinDigits removes the underscores of s. It returns nil if one is first, last or doubled.
func joinDigits(s []byte) []byte {
	if bytes.IndexByte(s, '_') < 0 {
		return s
	}
	if s[0] == '_' || s[len(s)-1] == '_' || bytes.Contains(s, []byte("__")) {
		return nil
	}
	return bytes.ReplaceAll(s, []byte("_"), nil)
}

// ToFloat reads a value as a number. A string may be Infinity or NaN; a decimal beyond float64 is
// infinite, as in Python.
func ToFloat(k Kind, text []byte) (float64, *Rule) {
	switch k {
	case False:
		return 0, nil
	case True:
		return 1, nil
	case Integer, Decimal:
		x, _ := strconv.ParseFloat(string(text), 64)
		if k == Integer && math.IsInf(x, 0) {
			return 0, &FloatType
		}
		return x, nil
	case String:
		if x, ok := stringToFloat(bytes.TrimSpace(text)); ok {
			return x, nil
		}
		if x, ok := stringToFloat(joinDigits(text)); ok {
			return x, nil
		}
		return 0, &FloatParsing
	}
	return 0, &FloatType
}

// stringToFloat takes what Rust's parse::<f64> takes: unlike strconv, no hexadecimal and no
// underscores.
func stringToFloat(s []byte) (float64, bool) {
	for _, c := range s {
		if c == '_' || c|0x20 == 'x' || c|0x20 == 'p' {
			return 0, false
		}
	}
	if len(s) == 4 && (s[0] == '+' || s[0] == '-') && s[1]|0x20 == 'n' {
		s = s[1:] // strconv has no signed NaN
	}
	x, err := strconv.ParseFloat(string(s), 64)
	return x, err == nil || errors.Is(err, strconv.ErrRange)
}
