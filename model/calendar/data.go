package calendar

import (
	_ "embed"
	"math/bits"
	"strings"
	"sync"
)

//go:embed sessions.bin
var sessions string // gen.py writes and describes it

// calendars decodes them when they are first needed, which takes less than a millisecond.
var calendars = sync.OnceValue(func() []Calendar {
	data, ok := strings.CutPrefix(sessions, "TCAL\x01")
	if !ok {
		panic("calendar: sessions.bin has another format")
	}
	r := reader{data}
	_ = r.text() // what the data were made from
	all := make([]Calendar, r.num())
	for i := range all {
		all[i] = r.calendar()
	}
	return all
})

// Lookup returns the calendar of an ISO 10383 code, of "weekdays" or of "24/7", in any case. XNAS,
// XNSE and XSHE are names for the calendars of XNYS, XBOM and XSHG.
func Lookup(name string) (*Calendar, bool) {
	for i, all := 0, calendars(); i < len(all); i++ {
		for _, n := range all[i].names {
			if strings.EqualFold(n, name) {
				return &all[i], true
			}
		}
	}
	return nil, false
}

// Default returns the calendar of XNYS, for prices that do not say which is theirs.
func Default() *Calendar { return &calendars()[0] }

// Names returns the names of all calendars, without aliases.
func Names() (names []string) {
	for _, c := range calendars() {
		names = append(names, c.Name())
	}
	return names
}

// AllNames returns the names of all calendars, each with its aliases behind it.
func AllNames() (names []string) {
	for _, c := range calendars() {
		names = append(names, c.names...)
	}
	return names
}

// reader reads data that is known to be whole: a test compares its checksum.
type reader struct{ left string }

func (r *reader) num() (n int) {
	for shift := 0; ; shift += 7 {
		b := r.left[0]
		r.left = r.left[1:]
		if n |= int(b&127) << shift; b < 128 {
			return n
		}
	}
}

func (r *reader) text() string {
	n := r.num()
	s := r.left[:n]
	r.left = r.left[n:]
	return s
}

func (r *reader) calendar() Calendar {
	c := Calendar{names: strings.Fields(r.text())}
	c.from, c.to = epoch+Date(r.num()), epoch+Date(r.num())
	c.first, c.words = r.num(), make([]uint64, r.num())
	olds := r.num()
	c.old, c.new = week(r.num()), week(r.num())
	for i := range c.words {
		if c.words[i] = c.new.word(c.first + i); i < olds {
			c.words[i] = c.old.word(c.first + i)
		}
	}
	day := -64 * c.first
	for range r.num() {
		day += r.num()
		c.words[day>>6] ^= 1 << (day & 63)
	}
	c.ranks = []int{c.old.rank(c.first * 64)}
	for i, w := range c.words {
		c.ranks = append(c.ranks, c.ranks[i]+bits.OnesCount64(w))
	}
	c.newRank = c.new.rank((c.first + len(c.words)) * 64)

	times := make([]int32, r.num())
	for i := range times {
		times[i] = int32(r.num()) - 24*60
	}
	c.closes = make([]closing, r.num())
	since := epoch
	for i := range c.closes {
		since += Date(r.num())
		c.closes[i] = closing{since, times[r.num()]}
	}
	return c
}
