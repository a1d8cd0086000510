package pyjson

import (
	"bytes"
	"errors"
	"math"
	"strconv"
	"time"
)

// The rules of dates, by Pydantic's names.
var (
	DateType    = Rule{"date_type", "Input should be a valid date", ""}
	DateInexact = Rule{"date_from_datetime_inexact",
		"Datetimes provided to dates should have zero time - e.g. be exact dates", ""}
	DateYearZero = Rule{"date_parsing",
		"Input should be a valid date in the format YYYY-MM-DD, year 0 is out of range",
		`{"error":"year 0 is out of range"}`}
)

// dateParsing is the rule that a value which is no date and no time breaks.
func dateParsing(why error) *Rule {
	return &Rule{"date_from_datetime_parsing",
		"Input should be a valid date or datetime, " + why.Error(),
		`{"error":"` + why.Error() + `"}`}
}

// Pydantic's words for what is wrong with a date.
var (
	errShort     = errors.New("input is too short")
	errExtra     = errors.New("unexpected extra characters at the end of the input")
	errDateMark  = errors.New("invalid date separator, expected `-`")
	errMark      = errors.New("invalid datetime separator, expected `T`, `t`, `_` or space")
	errTimeMark  = errors.New("invalid time separator, expected `:`")
	errYear      = errors.New("invalid character in year")
	errMonth     = errors.New("invalid character in month")
	errDay       = errors.New("invalid character in day")
	errHour      = errors.New("invalid character in hour")
	errMinute    = errors.New("invalid character in minute")
	errSecond    = errors.New("invalid character in second")
	errZoneSign  = errors.New("invalid timezone sign")
	errZoneHour  = errors.New("invalid timezone hour")
	errZoneMin   = errors.New("invalid timezone minute")
	errNoDigits  = errors.New("second fraction digits missing after `.`")
	errMonths    = errors.New("month value is outside expected range of 1-12")
	errDays      = errors.New("day value is outside expected range")
	errHours     = errors.New("hour value is outside expected range of 0-23")
	errMinutes   = errors.New("minute value is outside expected range of 0-59")
	errSeconds   = errors.New("second value is outside expected range of 0-59")
	errZoneMins  = errors.New("timezone minute value is outside expected range of 0-59")
	errZoneHours = errors.New("timezone offset must be less than 24 hours")
	errEarly     = errors.New("dates before 0000 are not supported as unix timestamps")
	errLate      = errors.New("dates after 9999 are not supported as unix timestamps")
)

// A moment is the seconds since 1970 of what a clock shows, in no zone, and whether a fraction of a
// second is past. A date is a moment at midnight.
type moment struct {
	seconds  int64
	fraction bool
}

const secondsPerDay = 24 * 60 * 60

// The first and last second of the years 0 to 9999.
const (
	firstSecond = -62_167_219_200
	lastSecond  = 253_402_300_799
)

// ToDate reads a value as a date and returns its days since 1970-01-01, of the years 1 to 9999. A
// string is YYYY-MM-DD, or that with a time, which must be midnight in any zone. A number, in a
// string too, counts seconds or milliseconds since 1970.
func ToDate(k Kind, text []byte) (days int, rule *Rule) {
	var m moment
	var err error
	switch k {
	case Integer:
		if n, overflow := strconv.ParseInt(string(text), 10, 64); overflow == nil {
			m, err = fromTimestamp(n)
			break
		}
		fallthrough
	case Decimal:
		x, rule := ToFloat(k, text)
		if rule != nil {
			return 0, &DateType
		}
		m, err = fromFloat(x)
	case String:
		m, err = stringToMoment(text)
	default:
		return 0, &DateType
	}
	switch {
	case err != nil:
		return 0, dateParsing(err)
	case m.fraction || m.seconds%secondsPerDay != 0:
		return 0, &DateInexact
	case m.seconds < firstSecond+366*secondsPerDay:
		return 0, &DateYearZero
	}
	return int(m.seconds / secondsPerDay), nil
}

// watershed is the greatest number that counts seconds; greater ones count milliseconds.
const watershed = 20_000_000_000

// fromTimestamp is the moment of a whole time stamp.
func fromTimestamp(n int64) (moment, error) {
	micros := int64(0)
	switch {
	case n == math.MinInt64:
		return moment{}, errEarly
	case n < -watershed || n > watershed:
		millis := n % 1000
		if n /= 1000; millis < 0 {
			n, millis = n-1, millis+1000
		}
		micros = 1000 * millis
	}
	return fromSeconds(n, micros)
}

// fromFloat is the moment of a time stamp that is a float, to the nearest microsecond.
func fromFloat(x float64) (moment, error) {
	if math.Abs(x) > watershed {
		x /= 1000
	}
	whole := math.Floor(x)
	return fromSeconds(saturate(whole), saturate(math.Round((x-whole)*1e6)))
}

func fromSeconds(n, micros int64) (moment, error) {
	n += micros / 1e6
	switch {
	case n < firstSecond:
		return moment{}, errEarly
	case n > lastSecond:
		return moment{}, errLate
	}
	return moment{n, micros%1e6 != 0}, nil
}

// saturate is the nearest integer to a whole number, and 0 for NaN.
func saturate(x float64) int64 {
	switch {
	case x != x:
		return 0
	case x >= math.MaxInt64:
		return math.MaxInt64
	case x <= math.MinInt64:
		return math.MinInt64
	}
	return int64(x)
}

// stringToMoment reads a date, a date and a time, or else a number. What is none of them is at
// fault as a time would be.
func stringToMoment(s []byte) (moment, error) {
	m, err := parseMoment(s)
	if err == nil {
		return m, nil
	}
	if n, err := strconv.ParseInt(string(s), 10, 64); err == nil {
		return fromTimestamp(n)
	}
	whole := bytes.TrimPrefix(bytes.TrimPrefix(s, []byte("+")), []byte("-"))
	if bytes.HasPrefix(bytes.TrimLeft(whole, "0123456789"), []byte(".")) { // no 1e9, no inf
		if x, ok := stringToFloat(s); ok {
			return fromFloat(x)
		}
	}
	return moment{}, err
}

// A clock reads a date and a time. The first fault is kept.
type clock struct {
	s   []byte
	at  int
	err error
}

// number reads two digits.
func (c *clock) number(fault error) int {
	n := 0
	for range 2 {
		if c.err != nil {
			return 0
		}
		if c.at >= len(c.s) || c.s[c.at]-'0' > 9 {
			c.err = fault
			return 0
		}
		n = 10*n + int(c.s[c.at]-'0')
		c.at++
	}
	return n
}

// skip passes one of some bytes.
func (c *clock) skip(any string, fault error) {
	if c.err == nil && !c.next(any) {
		c.err = fault
	}
}

// next passes one of some bytes if it comes next.
func (c *clock) next(any string) bool {
	if c.at < len(c.s) && bytes.IndexByte([]byte(any), c.s[c.at]) >= 0 {
		c.at++
		return true
	}
	return false
}

// check keeps a fault unless ok.
func (c *clock) check(ok bool, fault error) {
	if c.err == nil && !ok {
		c.err = fault
	}
}

func parseMoment(s []byte) (moment, error) {
	c := clock{s: s}
	c.check(len(s) >= len("2006-01-02"), errShort)
	year := 100*c.number(errYear) + c.number(errYear)
	c.skip("-", errDateMark)
	month := c.number(errMonth)
	c.skip("-", errDateMark)
	day := c.number(errDay)
	c.check(1 <= month && month <= 12, errMonths)
	date := time.Date(year, time.Month(month), day, 0, 0, 0, 0, time.UTC)
	c.check(day >= 1 && date.Day() == day, errDays)
	m := moment{seconds: date.Unix()}
	if c.err != nil || c.at == len(s) {
		return m, c.err
	}
	c.skip("Tt_ ", errMark)
	c.check(len(s)-c.at >= len("15:04"), errShort)
	hour := c.number(errHour)
	c.skip(":", errTimeMark)
	minute := c.number(errMinute)
	c.check(hour < 24, errHours)
	c.check(minute < 60, errMinutes)
	m.seconds += int64(60*hour+minute) * 60
	if c.err == nil && c.next(":") {
		second := c.number(errSecond)
		c.check(second < 60, errSeconds)
		m.seconds += int64(second)
		m.fraction = c.fraction()
	}
	c.zone()
	c.check(c.at >= len(s), errExtra)
	return m, c.err
}

// fraction reads the fraction of a second and reports whether it is not zero. Only six digits
// count.
func (c *clock) fraction() bool {
	if c.err != nil || !c.next(".,") {
		return false
	}
	digits := c.s[c.at:]
	digits = digits[:len(digits)-len(bytes.TrimLeft(digits, "0123456789"))]
	c.check(len(digits) > 0, errNoDigits)
	c.at += len(digits)
	return len(bytes.Trim(digits[:min(6, len(digits))], "0")) > 0
}

// zone reads what may come after a time. A date is the same in every zone, so only its form counts.
func (c *clock) zone() {
	if c.err != nil || c.at == len(c.s) || c.next("Zz") {
		return
	}
	if rest, minus := bytes.CutPrefix(c.s[c.at:], []byte("\u2212")); minus {
		c.at = len(c.s) - len(rest)
	} else {
		c.skip("+-", errZoneSign)
	}
	hours := c.number(errZoneHour)
	if c.err == nil {
		c.next(":")
	}
	minutes := c.number(errZoneMin)
	c.check(minutes < 60, errZoneMins)
	c.check(hours < 24, errZoneHours)
}
