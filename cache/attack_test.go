package cache

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// An attack is one among regular clients, who ask for popular answers of 1 kB. The sizes are those
// of a full-scale attack: 20,000 popular answers in 65,536 entries and 64 MiB.
type attack struct {
	times, apart int // asks for each key so often, so many of its look-ups apart
	loop         int // asks for so many keys in a circle
	grow         int // the circle grows by one after so many look-ups
	pause        int // is quiet for so many look-ups of all after as many; 0: never
	share        int // of 100 look-ups so many are the attacker's
	shift        int // the popular answers change after so many look-ups; 0: never
	bytes        int64
	mixed        bool // sizes from 300 bytes to the tenfold of bytes
}

func (a attack) String() string {
	s := fmt.Sprintf("%d %% look-ups for %d bytes", a.share, a.bytes)
	if a.mixed {
		s += " and other sizes"
	}
	switch {
	case a.loop > 0:
		s += fmt.Sprintf(", a loop of %d", a.loop)
	case a.grow > 0:
		s += ", a loop that grows"
	case a.times == 1:
		s += ", never repeated"
	case a.times > 0:
		s += fmt.Sprintf(", %d times each, %d apart", a.times, a.apart)
	}
	if a.pause > 0 {
		s += ", with pauses"
	}
	if a.shift > 0 {
		s += ", other clients' interest shifts"
	}
	return s
}

// scaled returns the attack as a workload at 1/scale of its size.
func (a attack) scaled(scale int) workload {
	const popular = 20_000
	z := zipf(1.0, popular/scale)
	apart, loop := max(1, a.apart/scale), a.loop/scale
	attacks := 0 // look-ups of the attacker so far
	key := func(r *rand.Rand, i int) int {
		if i == 0 {
			attacks = 0
		}
		quiet := a.pause > 0 && i*scale/a.pause%2 == 1
		if quiet || r.IntN(100) >= a.share {
			k := z(r, i)
			if a.shift > 0 {
				k += i * scale / a.shift * popular / scale
			}
			return k
		}
		i = attacks
		attacks++
		switch {
		case loop > 0:
			i %= loop
		case a.grow > 0:
			i %= 1 + i/a.grow
		default: // rounds of apart keys
			i = i/(a.times*apart)*apart + i%apart
		}
		return attackKeys + i
	}
	bytes := func(key int) int64 {
		if !a.mixed {
			return a.bytes
		}
		r := rand.New(rand.NewPCG(uint64(key), 7))
		return 300 + int64(r.ExpFloat64()/3*float64(a.bytes))%(10*a.bytes)
	}
	return workload{a.String(), key, bytes}
}

// attacks returns the known ones and n at random.
func attacks(n int) []attack {
	var all []attack
	for _, bytes := range []int64{1000, 5000} {
		for _, a := range []attack{
			{times: 1}, {times: 2}, {times: 3}, {times: 2, apart: 2000}, {times: 4, apart: 10_000},
			// Together with the popular answers that is just as much as fits, and just not.
			{loop: 65_000}, {loop: 45_000}, {loop: 100_000}, {loop: 5000}, {grow: 20},
		} {
			a.share, a.bytes = 90, bytes
			all = append(all, a)
		}
	}
	for seed := range uint64(n) {
		r := rand.New(rand.NewPCG(seed, 9))
		a := attack{share: 50 + r.IntN(48), bytes: 1000, mixed: r.IntN(4) == 0}
		switch r.IntN(4) {
		case 0:
			a.bytes = 300 + r.Int64N(9000)
		case 1:
			a.bytes = 10_000 + r.Int64N(50_000)
		}
		fits := int((64<<20 - 20_000_000) / max(a.bytes, 1000)) // beside the popular answers
		switch r.IntN(5) {
		case 0, 1:
			a.times, a.apart = 2+r.IntN(7), 1+r.IntN(2*fits)
		case 2:
			a.loop = fits*8/10 + r.IntN(fits*6/10)
		case 3:
			a.loop = fits*95/100 + r.IntN(1+fits/10)
		case 4:
			a.times = 1 + r.IntN(3)
		}
		if r.IntN(4) == 0 {
			a.pause = 20_000 + r.IntN(400_000)
		}
		if r.IntN(4) == 0 {
			a.shift = 100_000 + r.IntN(400_000)
		}
		all = append(all, a)
	}
	return all
}

// TestAttacks compares the hits of regular clients with those in an exact LRU of the same bounds.
func TestAttacks(t *testing.T) {
	if raceEnabled {
		t.Skip("a cache is simulated on one goroutine: nothing to race")
	}
	n, random, scale := 100_000, 40, 16
	switch {
	case long:
		n, random, scale = 1_000_000, 60, 1
	case testing.Short():
		n, random, scale = 25_000, 20, 64
	}
	c := newComparison(t)
	for i, a := range attacks(random) {
		w, l := a.scaled(scale), limits{65_536 / scale, 64 << 20 / int64(scale)}
		c.compare(w.name, l, w.asks(n, uint64(i)))
	}
	c.end()
}
