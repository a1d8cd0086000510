package pyjson

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// slowRepr is Python's repr by definition: the shortest digits, without an exponent from low to
// 1e16, otherwise with one of at least width digits.
func slowRepr(x, low float64, width int) string {
	if a := math.Abs(x); a != 0 && (a < low || a >= 1e16) {
		m, e, _ := strings.Cut(strconv.FormatFloat(x, 'e', -1, 64), "e")
		digits := strings.TrimLeft(e[1:], "0")
		return m + "e" + e[:1] + strings.Repeat("0", max(0, width-len(digits))) + digits
	}
	s := strconv.FormatFloat(x, 'f', -1, 64)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

func FuzzFloat(f *testing.F) {
	for _, x := range []float64{0, 1, 0.1, 1e-4, 9.999e-5, 1e-5, 9.9e-6, 1e15, 1e16,
		9999999999999998, 1e22, 1e100, 5e-324, math.MaxFloat64, 123.456, 0.00012} {
		f.Add(x)
		f.Add(-x)
	}
	f.Fuzz(func(t *testing.T, x float64) {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return
		}
		if got, want := string(appendRepr(nil, x)), slowRepr(x, 1e-4, 2); got != want {
			t.Errorf("appendRepr: got %s, want %s", got, want)
		}
		if got, want := string(AppendFloat(nil, x)), slowRepr(x, 1e-5, 1); got != want {
			t.Errorf("AppendFloat: got %s, want %s", got, want)
		}
		for _, s := range [][]byte{appendRepr(nil, x), AppendFloat(nil, x)} {
			if back, err := strconv.ParseFloat(string(s), 64); back != x || err != nil {
				t.Errorf("%s reads back as %v, want %v", s, back, x)
			}
		}
	})
}
