package market

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"tickercast/model/calendar"
)

var (
	errDate      = errors.New("not a date (want YYYY-MM-DD)")
	errYear      = errors.New("not a date of the years 1800 to 2199")
	errShortYear = errors.New("a date with a year of two digits (want YYYY-MM-DD)")
	errFormula   = errors.New("a formula of a spreadsheet (want YYYY-MM-DD)")
	errOther     = errors.New("written unlike the first date of the file")
	errFuture    = errors.New("in the future")
)

// isPlausible reports whether prices can be of that day. Without it, one wrong year would decide
// the age of the whole panel.
func isPlausible(d calendar.Date) bool {
	year, _, _ := d.Civil()
	return 1800 <= year && year <= 2199
}

// dateForm is a way to write dates. All dates of a file are in one form.
type dateForm byte

const (
	formNone   dateForm = iota
	formYear            // 2026-02-18, with any separator: the year comes first
	formParts           // 18/02/2026 or 02/18/2026, with any separator
	formMonth           // 18-Feb-2026, Feb 18, 2026: the month has a name
	formDigits          // 20260218, or the time since 1970
)

// stamp is what the text of a date says.
type stamp struct {
	date   calendar.Date
	minute int // of the day, as written
	form   dateForm
	timed  bool // it has a time
	zoned  bool // its time is in a zone that is known
	// In formParts, the month is taken to come first unless the first part exceeds 12.
	dayFirst, monthFirst bool // which is certain
}

// swapped returns the date with day and month exchanged, if that is a date.
func swapped(d calendar.Date) calendar.Date {
	if year, month, day := d.Civil(); day <= 12 {
		return calendar.Of(year, time.Month(day), int(month))
	}
	return d
}

// readDate reads a date in any known form. The date of a time with a zone is the one that is
// written.
func readDate(text []byte) (st stamp, err error) {
	if d, err := calendar.Parse(text); err == nil {
		st = stamp{date: d, form: formYear}
	} else {
		s := string(text)
		if strings.HasPrefix(s, "=") {
			return st, errFormula
		}
		if st, err = readDigits(s); err != nil {
			st, err = readParts(s)
		}
		if err != nil {
			return st, err
		}
	}
	if !isPlausible(st.date) {
		return st, errYear
	}
	return st, nil
}

// readDigits reads YYYYMMDD, YYYYMMDDhhmmss, and the seconds, milliseconds, microseconds or
// nanoseconds since 1970, which for times since 1973 differ in their number of digits.
func readDigits(s string) (st stamp, err error) {
	whole, fraction, _ := strings.Cut(s, ".")
	if strings.Trim(fraction, "0") != "" {
		whole = s
	}
	digits := strings.TrimPrefix(whole, "-")
	if len(digits) < 8 || strings.Trim(digits, "0123456789") != "" {
		return st, errDate
	}
	switch len(whole) {
	case 8:
		t, err := time.Parse("20060102", whole)
		return stamp{date: calendar.FromTime(t), form: formDigits}, dateError(err)
	case 14:
		t, err := time.Parse("20060102150405", whole)
		return stamp{calendar.FromTime(t), t.Hour()*60 + t.Minute(), formDigits, true, true, false,
			false}, dateError(err)
	}
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil {
		return st, errDate
	}
	unit := int64(1)
	switch len(digits) {
	case 9, 10:
	case 12, 13:
		unit = 1e3
	case 15, 16:
		unit = 1e6
	case 18, 19:
		unit = 1e9
	default:
		return st, errDate
	}
	t := time.Unix(n/unit, 0).UTC()
	return stamp{calendar.FromTime(t), t.Hour()*60 + t.Minute(), formDigits, true, true, false,
		false}, nil
}

func dateError(err error) error {
	if err != nil {
		return errDate
	}
	return nil
}

// token is a run of digits or letters in a date, and what stands before it.
type token struct{ before, text string }

func (t token) number() int { n, _ := strconv.Atoi(t.text); return n }

func (t token) isNumber(digits ...int) bool {
	for _, n := range digits {
		if len(t.text) == n && isDigit(t.text[0]) {
			return true
		}
	}
	return false
}

// month returns the month with a name, or 0.
func (t token) month() time.Month {
	for m := time.January; m <= time.December; m++ {
		if name := m.String(); len(t.text) >= 3 && len(t.text) <= len(name) &&
			strings.EqualFold(name[:len(t.text)], t.text) {
			return m
		}
	}
	if strings.EqualFold(t.text, "sept") {
		return time.September
	}
	return 0
}

func isDigit(c byte) bool { return c-'0' <= 9 }

func isLetter(c byte) bool { return c|0x20-'a' < 26 }

// cutToken takes the first token off a string.
func cutToken(s string) (t token, rest string) {
	i := 0
	for i < len(s) && !isDigit(s[i]) && !isLetter(s[i]) {
		i++
	}
	j := i
	for j < len(s) && (isDigit(s[i]) && isDigit(s[j]) || isLetter(s[i]) && isLetter(s[j])) {
		j++
	}
	return token{s[:i], s[i:j]}, s[j:]
}

// readParts reads a date of year, month and day, and the time after it.
func readParts(s string) (st stamp, err error) {
	s = withoutWeekday(s)
	var t [3]token
	rest := s
	for i := range t {
		t[i], rest = cutToken(rest)
		if t[i].text == "" || i == 0 && t[i].before != "" || i > 0 && !isSeparator(t[i].before) {
			return st, errDate
		}
	}
	if st, err = readCivil(t[0], t[1], t[2]); err == nil && rest != "" {
		st.timed = true
		var ok bool
		if st.minute, st.zoned, ok = readTime(rest); !ok {
			err = errDate
		}
	}
	return st, err
}

// withoutWeekday removes the day of the week that stands before a date: "Wed, 18 Feb 2026".
func withoutWeekday(s string) string {
	first, rest := cutToken(s)
	for day := time.Sunday; day <= time.Saturday && len(first.text) >= 3; day++ {
		name := day.String()
		if n := len(first.text); n <= len(name) && strings.EqualFold(first.text, name[:n]) {
			return strings.TrimLeft(rest, ",. ")
		}
	}
	return s
}

// readCivil reads the year, month and day of a date, in any order.
func readCivil(a, b, c token) (st stamp, err error) {
	var year, day int
	var month time.Month
	numbers := b.isNumber(1, 2) && b.before == c.before
	switch {
	case a.isNumber(4) && numbers && c.isNumber(1, 2):
		st.form, year, month, day = formYear, a.number(), time.Month(b.number()), c.number()
	case a.isNumber(4) && c.isNumber(1, 2):
		st.form, year, month, day = formMonth, a.number(), b.month(), c.number()
	case a.isNumber(1, 2) && numbers && c.isNumber(4):
		st.form, year, month, day = formParts, c.number(), time.Month(a.number()), b.number()
		st.dayFirst, st.monthFirst = month > 12, day > 12
		if st.dayFirst {
			month, day = time.Month(day), int(month)
		}
	case a.isNumber(1, 2) && c.isNumber(4):
		st.form, year, month, day = formMonth, c.number(), b.month(), a.number()
	case b.isNumber(1, 2) && c.isNumber(4):
		st.form, year, month, day = formMonth, c.number(), a.month(), b.number()
	case a.isNumber(1, 2) && (numbers || b.month() > 0) && c.isNumber(2),
		a.month() > 0 && b.isNumber(1, 2) && c.isNumber(2):
		return st, errShortYear
	}
	if month < 1 || month > 12 || day < 1 {
		return st, errDate
	}
	st.date = calendar.Of(year, month, day)
	if _, _, d := st.date.Civil(); d != day {
		return st, errDate // the month has no such day
	}
	return st, nil
}

func isSeparator(s string) bool {
	switch s {
	case "-", "/", ".", " ", ", ", ". ", ",", "": // 18FEB2026 has none
		return true
	}
	return false
}

// readTime reads the time after a date: "T16:00:00.000Z", " 00:00:00-05:00", ", 4:00 PM".
func readTime(s string) (minute int, zoned, ok bool) {
	t := strings.TrimLeft(s, " ,Tt")
	if t == s {
		return 0, false, false
	}
	hour, rest := cutToken(t)
	min, rest := cutToken(rest)
	if hour.before != "" || !hour.isNumber(1, 2) || min.before != ":" || !min.isNumber(2) ||
		hour.number() > 24 || min.number() > 59 {
		return 0, false, false
	}
	minute = hour.number()*60 + min.number()
	for _, before := range []string{":", "."} { // seconds and their fraction
		if sec, after := cutToken(rest); sec.before == before {
			if sec.text == "" || !isDigit(sec.text[0]) || before == ":" && (len(sec.text) != 2 || sec.number() > 60) {
				return 0, false, false
			}
			rest = after
		}
	}
	rest = strings.TrimSpace(rest)
	switch strings.ToUpper(rest) {
	case "AM":
		return minute % 720, false, true
	case "PM":
		return minute%720 + 720, false, true
	}
	return minute % 1440, rest != "", rest == "" || isZone(rest)
}

// isZone reports whether s is a time zone like Z, EST, UTC+3, -0500 or +09:00.
func isZone(s string) bool {
	name := strings.TrimRight(s, "+-0123456789:")
	offset := s[len(name):]
	for i := range len(name) {
		if !isLetter(name[i]) {
			return false
		}
	}
	if offset == "" {
		return len(name) <= 5
	}
	return len(name) <= 3 && len(offset) >= 2 && len(offset) <= 9 && strings.Trim(offset[1:],
		"0123456789:") == "" && !isDigit(offset[0])
}
