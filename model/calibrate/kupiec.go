package calibrate

import "math"

// KupiecLimit is the 95 % quantile of chi-squared with one degree of freedom.
const KupiecLimit = 3.841458820694124

// Kupiec returns the likelihood ratio of Kupiec (1995) for misses in n independent trials of
// probability p. It is valid for one series at h = 1, where targets do not overlap.
func Kupiec(n, misses, p float64) float64 {
	if n == 0 {
		return 0
	}
	term := func(count, q, r float64) float64 {
		if count == 0 {
			return 0
		}
		return count * math.Log(q/r)
	}
	q := misses / n
	return 2 * (term(misses, q, p) + term(n-misses, 1-q, 1-p))
}
