package predict

import (
	"math"
	"strconv"
	"strings"
	"testing"
)

// slowRepr is Python's repr by its definition: the shortest digits, as a plain number from low up
// to 1e16, else with an exponent of at least width digits.
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
		if got, want := string(appendFloat(nil, x)), slowRepr(x, 1e-4, 2); got != want {
			t.Errorf("appendFloat: got %s, want %s", got, want)
		}
		if got, want := string(appendNumber(nil, x)), slowRepr(x, 1e-5, 1); got != want {
			t.Errorf("appendNumber: got %s, want %s", got, want)
		}
		for _, s := range [][]byte{appendFloat(nil, x), appendNumber(nil, x)} {
			if back, err := strconv.ParseFloat(string(s), 64); back != x || err != nil {
				t.Errorf("%s reads back as %v, want %v", s, back, x)
			}
		}
	})
}

// FuzzPrice: a price is printed as its rounding is, and never further from it than half a unit of
// its last decimal.
func FuzzPrice(f *testing.F) {
	for _, x := range []float64{1e-12, 1e-6, 9.99999e-6, 1e-5, 0.012345678, 0.99999999, 1, 9.999999,
		9.99999999, 10, 187.43125, 999999.99995, 1e11, 1e15, 3e15} {
		f.Add(x)
	}
	f.Fuzz(func(t *testing.T, x float64) {
		if !(x >= 1e-16 && x <= 1e18) {
			return
		}
		d := decimals(x)
		got := string(appendPrice(nil, x, d))
		back, err := strconv.ParseFloat(got, 64)
		if err != nil || got != slowRepr(back, 1e-5, 1) {
			t.Fatalf("%v: got %s, want the form %s", x, got, slowRepr(back, 1e-5, 1))
		}
		if half := 0.5000001 * math.Pow(10, -float64(d)); math.Abs(back-x) > half+x*1e-15 {
			t.Errorf("%v with %d decimals: got %s", x, d, got)
		}
		// A basis point, which is the least that bounds differ from the median by, is never rounded
		// away.
		low, _ := strconv.ParseFloat(string(appendPrice(nil, x*math.Exp(-1e-4), d)), 64)
		high, _ := strconv.ParseFloat(string(appendPrice(nil, x*math.Exp(1e-4), d)), 64)
		if !(low < back && back < high) {
			t.Errorf("%v: got %v %v %v, want them to rise", x, low, back, high)
		}
	})
}

func TestPriceExamples(t *testing.T) {
	for _, tt := range []struct {
		x    float64
		want string
	}{
		{187.43123456, "187.4312"}, {187.5, "187.5"}, {187, "187.0"},
		{1234567.89124, "1234567.8912"}, {9.87654321, "9.87654"},
		{0.0123456789, "0.0123457"}, {0.000123456789, "0.000123457"},
		{0.0000123456789, "0.0000123457"}, {1.23456789e-7, "1.23457e-7"},
		{9.99999999, "10.0"}, {123456789012.125, "123456789012.125"}, {2e15, "2000000000000000.0"},
		{1e16, "1e+16"},
	} {
		if got := string(appendPrice(nil, tt.x, decimals(tt.x))); got != tt.want {
			t.Errorf("%v: got %s, want %s", tt.x, got, tt.want)
		}
	}
}
