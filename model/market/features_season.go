package market

// Companies report every quarter, and their stocks move most on the day after, most of all between
// the close and the open. So large moves about 63, 126, ... trading days before a coming day make a
// large move on that day more likely.
const (
	quarter     = 63   // trading days
	quarters    = 12   // looked back
	slack       = 3    // days by which a report may be early or late
	seasonsRing = 1024 // more than quarter*quarters + slack + 1

	// The scores of an ordinary day, and of a night, which is a part of it. What exceeds them
	// counts.
	ordinaryDay, ordinaryNight = 1, 0.7
)

// seasons holds the moves of the last three years as running sums.
type seasons struct {
	n    int
	sums [seasonsRing]float64 // of moves up to day i, at i mod seasonsRing
}

// push adds a day's move: the excess of its score over an ordinary one.
func (s *seasons) push(score, ordinary float64) {
	move := max(0, score-ordinary)
	s.sums[uint(s.n+1)%seasonsRing] = s.sums[uint(s.n)%seasonsRing] + move*move
	s.n++
}

// between sums the moves of days from to to, counted like n.
func (s *seasons) between(from, to int) float64 {
	return s.sums[to%seasonsRing] - s.sums[(from-1)%seasonsRing]
}

// features writes the five features of a season. It compares, for five spans of coming days, the
// moves at the same place in earlier quarters with the moves of all days in those quarters: it is
// their ratio less one, since the variance of a day grows with the ratio, not with its logarithm.
func (s *seasons) features(x []float64) {
	spans := [...][2]int{{1, 1}, {2, 5}, {6, 10}, {11, 20}, {21, 30}}
	known := min(quarters, (s.n-slack-2)/quarter)
	if known < 2 {
		return
	}
	const prior = 0.25 // moves per day, added to damp the ratio
	all := s.between(s.n-known*quarter+1, s.n)/float64(known*quarter) + prior
	for i, span := range spans {
		sum, days := 0.0, 0
		for k := 1; k <= known; k++ {
			from, to := s.n-k*quarter+span[0]-slack, s.n-k*quarter+span[1]+slack
			sum += s.between(from, min(to, s.n))
			days += min(to, s.n) - from + 1
		}
		x[i] = (sum/float64(days)+prior)/all - 1
	}
}
