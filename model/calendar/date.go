// Package calendar knows civil dates and the sessions of the world's exchanges.
//
// A Date is a day and knows no time zone. A Calendar is the sessions of one exchange, "weekdays"
// (Monday to Friday without holidays) or "24/7". Detect finds the calendar of a series of prices.
// The facts are embedded data: the package knows no closure announced after they were made, and
// asks neither the clock nor the time zones of the machine.
package calendar

import (
	"fmt"
	"time"
)

// Date is a day of the proleptic Gregorian calendar, counted from 1970-01-01. Dates are compared,
// subtracted and moved by whole days as the integers they are. Years 1 to 9999 are exact, which is
// all that Parse returns.
type Date int32

const secondsPerDay = 24 * 60 * 60

// Of returns the date of a year, month and day. Values outside their usual ranges are normalized as
// by time.Date: October 32 is November 1.
func Of(year int, month time.Month, day int) Date {
	return Date(time.Date(year, month, day, 0, 0, 0, 0, time.UTC).Unix() / secondsPerDay)
}

// FromTime returns the date that t shows in its own location.
func FromTime(t time.Time) Date {
	return Of(t.Date())
}

// Parse reads a date written YYYY-MM-DD, and nothing else: ten bytes, years 0001 to 9999, a day
// that exists. It allocates only to describe an error.
func Parse[S string | []byte](s S) (Date, error) {
	if len(s) == 10 && s[4] == '-' && s[7] == '-' {
		y, m, d := digits(s, 0, 4), digits(s, 5, 7), digits(s, 8, 10)
		if y > 0 && m > 0 && m <= 12 && d > 0 {
			// Of moves a day past the end of its month into the next one.
			date := Of(y, time.Month(m), d)
			if _, _, day := date.Civil(); day == d {
				return date, nil
			}
		}
	}
	return 0, fmt.Errorf("%q is not a date (want YYYY-MM-DD)", string(s))
}

// digits reads the decimal digits s[i:j], or returns -1.
func digits[S string | []byte](s S, i, j int) int {
	n := 0
	for ; i < j; i++ {
		c := s[i] - '0'
		if c > 9 {
			return -1
		}
		n = n*10 + int(c)
	}
	return n
}

// Time returns midnight UTC of the date.
func (d Date) Time() time.Time {
	return time.Unix(int64(d)*secondsPerDay, 0).UTC()
}

// Civil returns the year, month and day of the date.
func (d Date) Civil() (year int, month time.Month, day int) {
	return d.Time().Date()
}

// Weekday returns the day of the week.
func (d Date) Weekday() time.Weekday {
	// 1970-01-01 was a Thursday. The sum is kept off the negative side.
	return time.Weekday(((int64(d)+int64(time.Thursday))%7 + 7) % 7)
}

// String returns the date as YYYY-MM-DD.
func (d Date) String() string {
	return string(d.AppendTo(make([]byte, 0, 16)))
}

// AppendTo appends the date as YYYY-MM-DD to b.
func (d Date) AppendTo(b []byte) []byte {
	y, m, day := d.Civil()
	if y < 0 || y > 9999 {
		return d.Time().AppendFormat(b, time.DateOnly)
	}
	return append(b,
		byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10), '-',
		byte('0'+m/10), byte('0'+m%10), '-',
		byte('0'+day/10), byte('0'+day%10))
}

// MarshalText returns the date as YYYY-MM-DD.
func (d Date) MarshalText() ([]byte, error) {
	return d.AppendTo(nil), nil
}

// UnmarshalText is Parse, for flags and JSON.
func (d *Date) UnmarshalText(text []byte) error {
	date, err := Parse(text)
	if err != nil {
		return err
	}
	*d = date
	return nil
}
