package predict

import (
	"bytes"
	"math"
	"strconv"
)

// Pydantic's lax mode turns strings, booleans and whole floats into the number that a field wants.
// Which ones exactly was found by running it, quirks included; the tables in the tests hold what
// was found.

// toInt reads a value as an integer. One that no int64 can hold is returned as the nearest that
// can.
func toInt(k kind, text []byte) (int64, *Rule) {
	switch k {
	case kindFalse:
		return 0, nil
	case kindTrue:
		return 1, nil
	case kindInteger:
		n, _ := strconv.ParseInt(string(text), 10, 64) // the nearest when out of range
		return n, nil
	case kindDecimal:
		x, _ := strconv.ParseFloat(string(text), 64)
		switch {
		case math.IsInf(x, 0):
			return 0, &ruleFinite
		case x != math.Trunc(x):
			return 0, &ruleIntFromFloat
		case x >= 1<<63 || x <= -1<<63:
			return 0, &ruleIntSize
		}
		return int64(x), nil
	case kindString:
		return stringToInt(text)
	}
	return 0, &ruleIntType
}

func stringToInt(s []byte) (int64, *Rule) {
	// A run of digits at the front that is too long is found before anything else; a minus counts
	// as one of them.
	if n := leadingDigits(s); n > maxDigits {
		return 0, &ruleIntSize
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
		// A minus may follow the zeros, and after it no zero may.
		if digits, negative = bytes.CutPrefix(digits, []byte("-")); negative && len(digits) > 1 &&
			digits[0] == '0' {
			return 0, &ruleIntParsing
		}
	}
	if len(digits) == 0 || len(bytes.Trim(digits, "0123456789")) > 0 {
		return 0, &ruleIntParsing
	}
	n, _ := strconv.ParseInt(string(digits), 10, 64) // the nearest when out of range
	length := len(digits)
	if negative {
		n = -n
		length++
	}
	if length > maxDigits {
		return 0, &ruleIntParsing
	}
	return n, nil
}

// leadingDigits is the length of the integer at the front of s; one with a zero in front is not
// counted.
func leadingDigits(s []byte) int {
	n := 0
	if len(s) > 0 && s[0] == '-' {
		n = 1
	}
	if n < len(s) && s[n] == '0' {
		return 0
	}
	for n < len(s) && '0' <= s[n] && s[n] <= '9' {
		n++
	}
	return n
}

// trimZeros drops the zeros in front of an integer, and behind a first zero any underscores too.
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

// joinDigits removes the underscores from s, or returns nil when one is first, last or doubled.
func joinDigits(s []byte) []byte {
	if bytes.IndexByte(s, '_') < 0 {
		return s
	}
	if s[0] == '_' || s[len(s)-1] == '_' || bytes.Contains(s, []byte("__")) {
		return nil
	}
	return bytes.ReplaceAll(s, []byte("_"), nil)
}

// toFloat reads a value as a number, which may be infinite or not a number when a string says so.
func toFloat(k kind, text []byte) (float64, *Rule) {
	switch k {
	case kindFalse:
		return 0, nil
	case kindTrue:
		return 1, nil
	case kindInteger:
		x, _ := strconv.ParseFloat(string(text), 64)
		if math.IsInf(x, 0) {
			return 0, &ruleFloatType
		}
		return x, nil
	case kindDecimal:
		x, _ := strconv.ParseFloat(string(text), 64) // infinite beyond float64, as in Python
		return x, nil
	case kindString:
		if x, ok := stringToFloat(bytes.TrimSpace(text)); ok {
			return x, nil
		}
		if x, ok := stringToFloat(joinDigits(text)); ok {
			return x, nil
		}
		return 0, &ruleFloatParsing
	}
	return 0, &ruleFloatType
}

// stringToFloat takes what Rust's parse::<f64> takes: no hexadecimal and no underscores, which
// strconv would read.
func stringToFloat(s []byte) (float64, bool) {
	for _, c := range s {
		if c == '_' || c|0x20 == 'x' || c|0x20 == 'p' {
			return 0, false
		}
	}
	if len(s) == 4 && (s[0] == '+' || s[0] == '-') && s[1]|0x20 == 'n' {
		s = s[1:] // strconv knows no signed NaN
	}
	x, err := strconv.ParseFloat(string(s), 64)
	if ne, ok := err.(*strconv.NumError); ok && ne.Err == strconv.ErrRange {
		return x, true
	}
	return x, err == nil
}
