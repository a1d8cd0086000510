package calendar

import "time"

// The rules are those of NYSE Rule 7.2 as the exchange applies them, with the closures it announced
// outside of them since 1999. They have been checked against the days on which US stocks were
// traded from November 1999 to 2022 and from December 2024 to February 2026. Later years follow the
// rules, and so do earlier ones, when the exchange itself kept other holidays.

// closures holds the weekdays of one year on which the exchange is shut. The first n entries count;
// they are in no particular order.
type closures struct {
	days [14]Date // at most ten holidays and the four days of September 2001
	n    int
}

func (c *closures) add(d Date) {
	c.days[c.n] = d
	c.n++
}

// closuresOf works out the closures of a year. It takes well under 100 ns, so nothing needs to be
// kept between calls.
func closuresOf(year int) closures {
	var c closures
	jan1 := Of(year, time.January, 1)
	mar1 := Of(year, time.March, 1)

	switch jan1.Weekday() {
	case time.Saturday: // not observed, as the Friday before ends an accounting year
	case time.Sunday:
		c.add(jan1 + 1)
	default:
		c.add(jan1)
	}
	c.add(nth(3, time.Monday, jan1))        // Martin Luther King Jr. Day
	c.add(nth(3, time.Monday, jan1+31))     // Washington's Birthday
	c.add(easter(year, mar1) - 2)           // Good Friday
	c.add(nth(1, time.Monday, mar1+92) - 7) // Memorial Day, the last before June
	if year >= 2022 {
		c.add(observed(mar1 + 110)) // Juneteenth, June 19
	}
	c.add(observed(mar1 + 125))            // Independence Day, July 4
	c.add(nth(1, time.Monday, mar1+184))   // Labor Day, September
	c.add(nth(4, time.Thursday, mar1+245)) // Thanksgiving, November
	c.add(observed(mar1 + 299))            // Christmas, December 25

	switch year {
	case 2001: // the attacks of September 11
		for day := 11; day <= 14; day++ {
			c.add(Of(2001, time.September, day))
		}
	case 2004: // mourning for President Reagan
		c.add(Of(2004, time.June, 11))
	case 2007: // mourning for President Ford
		c.add(Of(2007, time.January, 2))
	case 2012: // Hurricane Sandy
		c.add(Of(2012, time.October, 29))
		c.add(Of(2012, time.October, 30))
	case 2018: // mourning for President Bush
		c.add(Of(2018, time.December, 5))
	case 2025: // mourning for President Carter
		c.add(Of(2025, time.January, 9))
	}
	return c
}

// nth returns the n-th given weekday of the month that starts at first.
func nth(n int, day time.Weekday, first Date) Date {
	return first + Date((day-first.Weekday()+7)%7) + Date(7*(n-1))
}

// observed moves a holiday on a weekend to the nearest weekday.
func observed(d Date) Date {
	switch d.Weekday() {
	case time.Saturday:
		return d - 1
	case time.Sunday:
		return d + 1
	}
	return d
}

// easter returns Easter Sunday of a year by the anonymous Gregorian computus (Meeus, Astronomical
// Algorithms, chapter 8).
func easter(year int, mar1 Date) Date {
	golden := year % 19
	century, inCentury := year/100, year%100
	moon := (19*golden + century - century/4 - (century-(century+8)/25+1)/3 + 15) % 30
	sunday := (32 + 2*(century%4) + 2*(inCentury/4) - moon - inCentury%4) % 7
	late := (golden + 11*moon + 22*sunday) / 451
	return mar1 + Date(moon+sunday-7*late+21)
}

// IsTradingDay reports whether the exchange is open on d, for a whole day or a short one.
func IsTradingDay(d Date) bool {
	if w := d.Weekday(); w == time.Saturday || w == time.Sunday {
		return false
	}
	year, _, _ := d.Civil()
	c := closuresOf(year)
	for _, day := range c.days[:c.n] {
		if day == d {
			return false
		}
	}
	return true
}

// Floor returns the last trading day on or before d.
func Floor(d Date) Date {
	for !IsTradingDay(d) {
		d--
	}
	return d
}

// Next returns the n-th trading day strictly after d, or d when n < 1.
func Next(d Date, n int) Date {
	// Jump over n weekdays, then once more over as many as were closures, until a jump meets none:
	// twice as a rule, for any n within a year or so.
	for n > 0 {
		to := nextWeekday(d, n)
		n = closed(d, to)
		d = to
	}
	return d
}

// Between returns the number of trading days after a, up to and including b. It is 0 when b is not
// after a.
func Between(a, b Date) int {
	if b <= a {
		return 0
	}
	return weekdays(b) - weekdays(a) - closed(a, b)
}

// closed counts the closures after a, up to and including b.
func closed(a, b Date) int {
	first, _, _ := a.Civil()
	last, _, _ := b.Civil()
	n := 0
	for year := first; year <= last; year++ {
		c := closuresOf(year)
		for _, day := range c.days[:c.n] {
			if a < day && day <= b {
				n++
			}
		}
	}
	return n
}

// weekdays numbers the weekdays: it grows by one on each Monday to Friday and stands still on
// weekends.
func weekdays(d Date) int {
	day := sinceMonday(d)
	return (int(d)-day-firstMonday)/7*5 + min(day, 4)
}

// nextWeekday returns the n-th Monday to Friday after d.
func nextWeekday(d Date, n int) Date {
	day := sinceMonday(d)
	n += min(day, 4)
	return Date(int(d) - day + n/5*7 + n%5)
}

// sinceMonday returns the days from the last Monday to d, 0 to 6.
func sinceMonday(d Date) int {
	return (int(d.Weekday()) + 6) % 7
}

const firstMonday = 4 // 1970-01-05
