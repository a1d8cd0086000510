package market

import (
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// MinPrice and MaxPrice bound every price, in any currency. A forecast multiplies a price by a few
// powers of ten at most, so it stays finite.
const MinPrice, MaxPrice = 1e-12, 1e15

// nan is an unknown price.
var nan = math.NaN()

// isPrice is false for NaN.
func isPrice(v float64) bool { return MinPrice <= v && v <= MaxPrice }

var (
	errPrice = errors.New("not a price (want a decimal number, 1e-12 to 1e+15)")
	errComma = errors.New("not a price: its comma may stand before decimals or between thousands, " +
		"and no price near the start of the file shows which")
)

// isMissing reports whether a cell says that there is no price.
func isMissing(cell []byte) bool {
	if len(cell) == 0 {
		return true
	}
	if len(cell) > 16 || isDigit(cell[0]) && isDigit(cell[len(cell)-1]) {
		return false
	}
	switch strings.ToLower(string(cell)) {
	case "null", "nan", "na", "n/a", "#n/a", "#n/a n/a", "n.a.", "<na>", "none", "nil", "-", "--",
		"–", "—", ".":
		return true
	}
	return false
}

// isEvent reports whether a cell is a dividend or a split that Yahoo lists among the prices.
func isEvent(cell []byte) bool {
	s := strings.ToLower(string(cell))
	return strings.HasSuffix(s, " dividend") || strings.HasSuffix(s, " split") ||
		strings.HasSuffix(s, " splits")
}

// decimals says what dots and commas mean in a file.
type decimals byte

const (
	pointOnly decimals = iota // fields are separated by commas: a comma groups thousands
	eitherOf                  // nothing shows whether a comma or a dot stands before decimals
	pointMark
	commaMark
)

// readPrice reads a number of a file.
func readPrice(cell []byte, d decimals) (float64, error) {
	v, ok := plainNumber(cell)
	if !ok || d == commaMark {
		text, err := plainText(string(cell), d)
		if err != nil {
			return 0, err
		}
		if v, err = strconv.ParseFloat(text, 64); err != nil {
			return 0, errPrice
		}
	}
	if !isPrice(v) {
		return 0, errPrice
	}
	return v, nil
}

// plainNumber reads a decimal number with a point and without groups. ParseFloat also takes "inf"
// and "0x1p4", which are no prices.
func plainNumber(s []byte) (float64, bool) {
	var mantissa uint64
	point := -1
	for i, c := range s {
		switch {
		case c-'0' <= 9:
			mantissa = mantissa*10 + uint64(c-'0')
		case c == '.' && point < 0:
			point = i
		case c == '.' || c == '-' || c == '+' || c == 'e' || c == 'E':
			return slowNumber(s)
		default:
			return 0, false
		}
	}
	digits, decimals := len(s), 0
	if point >= 0 {
		digits, decimals = len(s)-1, len(s)-1-point
	}
	if digits == 0 || digits > MaxDigits {
		return slowNumber(s)
	}
	return Decimal(mantissa, decimals), true
}

func slowNumber(s []byte) (float64, bool) {
	for _, c := range s {
		if !isDigit(c) && c != '.' && c != '-' && c != '+' && c != 'e' && c != 'E' {
			return 0, false
		}
	}
	v, err := strconv.ParseFloat(string(s), 64)
	return v, err == nil
}

// spaces are what stands between thousands in some countries.
var spaces = strings.NewReplacer("\u00a0", " ", "\u202f", " ", "\u2009", " ", "'", " ", "’", " ")

// plainText turns a number with a currency sign, groups of thousands or a decimal comma into one
// that ParseFloat reads.
func plainText(s string, d decimals) (string, error) {
	if r, n := utf8.DecodeRuneInString(s); unicode.Is(unicode.Sc, r) {
		s = strings.TrimLeft(s[n:], " \u00a0")
	}
	if s == "" || !isDigit(s[0]) && s[0] != '.' && s[0] != '+' && (s[0] != ',' || d == pointOnly) {
		return "", errPrice
	}
	if d == pointOnly {
		return ungrouped(s, ",", ".")
	}
	if s = spaces.Replace(s); strings.Contains(s, " ") {
		if strings.Contains(s, ",") {
			return ungrouped(s, " ", ",")
		}
		return ungrouped(s, " ", ".")
	}
	comma, dot := strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.')
	switch shown := decimalMark(s); {
	case shown == commaMark, comma >= 0 && dot < 0 && shown == eitherOf && d == commaMark,
		comma < 0 && dot >= 0 && shown == eitherOf && d == commaMark:
		return ungrouped(s, ".", ",")
	case comma >= 0 && dot < 0 && shown == eitherOf && d == eitherOf:
		return "", errComma
	default:
		return ungrouped(s, ",", ".")
	}
}

// decimalMark returns what a number shows about dots and commas in its file.
func decimalMark(s string) decimals {
	comma, dot := strings.LastIndexByte(s, ','), strings.LastIndexByte(s, '.')
	switch {
	case comma < 0 && dot < 0:
		return eitherOf
	case comma >= 0 && dot >= 0 && comma > dot:
		return commaMark
	case comma >= 0 && dot >= 0:
		return pointMark
	}
	at, mark, group := comma, commaMark, pointMark
	if dot >= 0 {
		at, mark, group = dot, pointMark, commaMark
	}
	before, after := s[:at], s[at+1:]
	if strings.Contains(before, s[at:at+1]) {
		return group // it stands twice
	}
	if len(after) != 3 || len(before) > 3 || len(before) == 0 || before[0] == '0' {
		return mark
	}
	return eitherOf
}

// ungrouped removes the separators of thousands and makes the decimal mark a point.
func ungrouped(s, group, mark string) (string, error) {
	whole, fraction, marked := strings.Cut(s, mark)
	if parts := strings.Split(whole, group); len(parts) > 1 {
		whole = strings.Join(parts, "")
		if !areGroups(parts) || strings.Trim(whole, "0123456789") != "" {
			return "", errPrice
		}
	}
	if marked {
		whole += "." + fraction
	}
	if _, ok := plainNumber([]byte(whole)); !ok {
		return "", errPrice
	}
	return whole, nil
}

// areGroups reports whether the parts of a number have three digits each, but for the first. India
// groups by two digits, but for the last three.
func areGroups(parts []string) bool {
	last, size := len(parts)-1, 3
	if last > 1 && len(parts[1]) == 2 {
		size = 2
	}
	for _, p := range parts[1:last] {
		if len(p) != size {
			return false
		}
	}
	return 0 < len(parts[0]) && len(parts[0]) <= size && len(parts[last]) == 3
}

// rounding is the relative error that adjustments and printed float32 values leave between prices
// that were equal.
const rounding = 1e-4

// ohlc is the prices of one day. NaN means unknown.
type ohlc struct{ open, high, low, close float64 }

// consistent reports whether open and close lie between low and high, as far as they are known.
func (p ohlc) consistent() bool {
	top, bottom := p.high*(1+rounding), p.low*(1-rounding)
	// A comparison with NaN is false, and so passes.
	return !(p.open > top || p.close > top || p.open < bottom || p.close < bottom || bottom > top)
}
