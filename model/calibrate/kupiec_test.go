package calibrate

import (
	"math"
	"testing"
)

func TestKupiec(t *testing.T) {
	for _, c := range []struct{ n, misses, p, want float64 }{
		{250, 5, 0.01, 1.9568},
		{250, 0, 0.01, -2 * 250 * math.Log(0.99)},
		{100, 10, 0.1, 0},
		{0, 0, 0.1, 0},
	} {
		if got := Kupiec(c.n, c.misses, c.p); math.Abs(got-c.want) > 1e-3 {
			t.Errorf("Kupiec(%v, %v, %v) = %v, want %v", c.n, c.misses, c.p, got, c.want)
		}
	}
}
