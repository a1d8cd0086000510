package train

import (
	"math"
	"math/rand/v2"
	"slices"
)

// dieboldMariano returns the statistic of Diebold and Mariano (1995) for loss differences, one per
// date, with the variance of Newey and West (1987) over lag dates. It is about normal if both
// methods lose the same, and NaN for fewer than 2*lag+2 dates.
func dieboldMariano(d []float64, lag int) float64 {
	n := float64(len(d))
	if len(d) < 2*lag+2 {
		return math.NaN()
	}
	mean := 0.0
	for _, v := range d {
		mean += v / n
	}
	variance := 0.0
	for k := 0; k <= lag; k++ {
		c := 0.0
		for i := k; i < len(d); i++ {
			c += (d[i] - mean) * (d[i-k] - mean) / n
		}
		w := 1 - float64(k)/float64(lag+1)
		if k > 0 {
			w *= 2
		}
		variance += w * c
	}
	return mean / math.Sqrt(variance/n)
}

// ratioBand returns the 2.5 % and 97.5 % quantiles of sum(hits)/sum(counts) over circular
// bootstraps of whole blocks of dates: most of the noise is what the targets of one date share.
func ratioBand(hits, counts []float64, block, draws int) (low, high float64) {
	n := len(hits)
	block = min(max(block, 1), n)
	rng := rand.New(rand.NewPCG(1, uint64(n)))
	ratios := make([]float64, 0, draws)
	for range draws {
		var hit, count float64
		for range (n + block - 1) / block {
			from := rng.IntN(n)
			for at := from; at < from+block; at++ {
				hit += hits[at%n]
				count += counts[at%n]
			}
		}
		if count > 0 {
			ratios = append(ratios, hit/count)
		}
	}
	if len(ratios) == 0 {
		return math.NaN(), math.NaN()
	}
	slices.Sort(ratios)
	return ratios[len(ratios)*25/1000], ratios[len(ratios)*975/1000]
}
