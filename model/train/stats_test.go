package train

import (
	"math"
	"math/rand/v2"
	"testing"
)

func TestDieboldMariano(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 0))
	d := make([]float64, 4000)
	for i := range d {
		d[i] = rng.NormFloat64()
	}
	var sum, squares float64
	for _, v := range d {
		sum += v
		squares += v * v
	}
	n := float64(len(d))
	want := sum / n / math.Sqrt((squares/n-sum*sum/n/n)/n)
	if got := dieboldMariano(d, 0); math.Abs(got-want) > 1e-9 {
		t.Errorf("without lags: got %v, want the t statistic %v", got, want)
	}
	// Sums over ten days overlap: their mean's variance is ten times what it looks like.
	overlap := make([]float64, len(d)-9)
	for i := range overlap {
		for _, v := range d[i : i+10] {
			overlap[i] += v + 0.1
		}
	}
	naive, honest := dieboldMariano(overlap, 0), dieboldMariano(overlap, 30)
	if ratio := naive / honest; ratio < 2.2 || ratio > 4 {
		t.Errorf("lags shrink the statistic by %v, want about sqrt(10)", ratio)
	}
	if got := dieboldMariano(d[:10], 9); !math.IsNaN(got) {
		t.Errorf("ten dates, nine lags: got %v, want NaN", got)
	}
}

func TestRatioBand(t *testing.T) {
	rng := rand.New(rand.NewPCG(2, 0))
	hits, counts := make([]float64, 1000), make([]float64, 1000)
	for i := range hits {
		counts[i] = 100
		for range 100 {
			if rng.Float64() < 0.9 {
				hits[i]++
			}
		}
	}
	low, high := ratioBand(hits, counts, 1, 1000)
	// The standard error of 100,000 trials is 0.00095.
	if low < 0.896 || high > 0.904 || high-low < 0.002 || high-low > 0.006 {
		t.Errorf("got %v to %v, want about 0.898 to 0.902", low, high)
	}
}
