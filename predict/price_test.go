package predict

import (
	"math"
	"strconv"
	"testing"

	"tickercast/predict/pyjson"
)

// FuzzPrice: a price is printed like the float64 that it is rounded to, at most half a unit of its
// last decimal away.
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
		if want := string(pyjson.AppendFloat(nil, back)); err != nil || got != want {
			t.Fatalf("%v: got %s, want the form %s", x, got, want)
		}
		if half := 0.5000001 * math.Pow(10, -float64(d)); math.Abs(back-x) > half+x*1e-15 {
			t.Errorf("%v with %d decimals: got %s", x, d, got)
		}
		// Bounds are at least a basis point away from the median. Rounding keeps that.
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
