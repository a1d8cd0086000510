package calendar

import (
	"math/bits"
	"sort"
	"time"
)

// Calendar is the sessions of an exchange: the days on which it trades, be they whole or short. Its
// methods do not allocate and may be called concurrently.
//
// Between the days that Recorded returns it knows all holidays. Outside of them the exchange trades
// on the same weekdays as in its first or last recorded week, but for some holidays.
type Calendar struct {
	names    []string // the first is the name, the others are aliases
	from, to Date
	// words has a bit for each day from 64*first days after epoch on, which is set if the day is a
	// session. Earlier days are as in the week old, later ones as in the week new.
	words    []uint64
	first    int
	old, new week
	ranks    []int // sessions from epoch to the start of each word, and to the end of the last
	newRank  int   // new.rank of that end
	closes   []closing
}

// closing says that sessions from a day on close these minutes after the UTC midnight before them.
type closing struct {
	since   Date
	minutes int32
}

// epoch is a Monday before all dates. Days, weeks and sessions are counted from it, so that no
// count is negative.
const epoch = Date(4 - 200_000*7)

// days returns the days from epoch to d. For a Date outside of the years 1 to 9999 it may return
// nonsense, but nothing negative.
func days(d Date) int { return int(uint32(d-epoch) & (1<<31 - 1)) }

// Name returns the ISO 10383 code of the exchange, or "weekdays" or "24/7".
func (c *Calendar) Name() string { return c.names[0] }

// Recorded returns the first and the last day between which all holidays are known, as far as they
// follow from rules or had been announced when the data were made.
func (c *Calendar) Recorded() (from, to Date) { return c.from, c.to }

// word returns the sessions of the 64 days from 64*k days after epoch on.
func (c *Calendar) word(k int) uint64 {
	switch i := k - c.first; {
	case i < 0:
		return c.old.word(k)
	case i < len(c.words):
		return c.words[i]
	}
	return c.new.word(k)
}

// Open reports whether d is a session.
func (c *Calendar) Open(d Date) bool {
	day := days(d)
	return c.word(day>>6)>>(day&63)&1 != 0
}

// Ordinal numbers the sessions. It is one more on each session than on the day before, and the
// same on other days.
func (c *Calendar) Ordinal(d Date) int {
	day := days(d)
	switch i := day>>6 - c.first; {
	case i < 0:
		return c.old.rank(day + 1)
	case i < len(c.words):
		return c.ranks[i] + bits.OnesCount64(c.words[i]<<(63-day&63))
	}
	return c.ranks[len(c.words)] + c.new.rank(day+1) - c.newRank
}

// session returns the session with an ordinal.
func (c *Calendar) session(n int) Date {
	size := len(c.words)
	before, all := c.ranks[0], c.ranks[size]
	if n <= before {
		return epoch + Date(c.old.session(n))
	}
	if n > all {
		return epoch + Date(c.new.session(n-all+c.newRank))
	}
	// Sessions are spread evenly, so this is the word or a neighbour of it.
	i := (n - before - 1) * size / (all - before)
	for c.ranks[i] >= n {
		i--
	}
	for c.ranks[i+1] < n {
		i++
	}
	return epoch + Date((c.first+i)*64+bit(c.words[i], n-c.ranks[i]))
}

// Next returns the n-th session after d, or d if n < 1.
func (c *Calendar) Next(d Date, n int) Date {
	if n < 1 {
		return d
	}
	return c.session(c.Ordinal(d) + n)
}

// Floor returns the last session on or before d.
func (c *Calendar) Floor(d Date) Date { return c.session(c.Ordinal(d)) }

// Between returns the number of sessions after a, up to and including b. It is 0 if b is not after
// a.
func (c *Calendar) Between(a, b Date) int {
	if b <= a {
		return 0
	}
	return c.Ordinal(b) - c.Ordinal(a)
}

// LastClosed returns the last session that has closed at t. Days of "weekdays" and "24/7" close at
// their end in UTC.
func (c *Calendar) LastClosed(t time.Time) Date {
	// In Auckland, a short day closes before it begins in UTC.
	for d := c.Floor(FromTime(t.UTC()) + 1); ; d = c.Floor(d - 1) {
		i := sort.Search(len(c.closes), func(i int) bool { return c.closes[i].since > d })
		minutes := time.Duration(c.closes[max(i-1, 0)].minutes)
		if !t.Before(d.Time().Add(minutes * time.Minute)) {
			return d
		}
	}
}

// week is the weekdays that are sessions. Bit 0 is Monday.
type week uint64

const (
	mondayToFriday week = 0b0011111
	everyDay       week = 0b1111111
)

// word is as that of Calendar.
func (w week) word(k int) uint64 {
	monday := k % 7            // as 64 days are a day more than nine weeks
	w *= 0x8102_0408_1020_4081 // ten weeks, one after another
	return uint64(w>>monday | w<<(63-monday))
}

// rank returns the number of sessions in the given number of days after epoch.
func (w week) rank(days int) int {
	return days/7*bits.OnesCount64(uint64(w)) + bits.OnesCount64(uint64(w)&(1<<(days%7)-1))
}

// session returns the days from epoch to the n-th session.
func (w week) session(n int) int {
	each := bits.OnesCount64(uint64(w))
	return (n-1)/each*7 + bit(uint64(w), (n-1)%each+1)
}

// bit returns the place of the n-th bit that is set in w.
func bit(w uint64, n int) int {
	for range n - 1 {
		w &= w - 1
	}
	return bits.TrailingZeros64(w)
}
