package predict

import (
	"bytes"

	"tickercast/model/calendar"
	"tickercast/predict/pyjson"
)

// latest is the last as-of date of which all forecasts have a year of four digits.
var latest = calendar.Of(9999, 10, 31)

// toDate reads YYYY-MM-DD. Package calendar decides whether it is a date; the rest finds Pydantic's
// words for the fault, in its order of checks.
func toDate(s []byte) (calendar.Date, *pyjson.Rule) {
	const shape = "yyyy-mm-dd"
	if len(s) < len(shape) {
		return 0, ruleDate("input is too short")
	}
	for i, c := range []byte(shape) {
		if c == '-' && s[i] != '-' {
			return 0, ruleDate("invalid date separator, expected `-`")
		}
		if c != '-' && !isDigit(s[i]) {
			part := map[byte]string{'y': "year", 'm': "month", 'd': "day"}[c]
			return 0, ruleDate("invalid character in " + part)
		}
	}
	year, rest := s[:4], s[4:len(shape)]
	month := int(s[5]-'0')*10 + int(s[6]-'0')
	date, err := calendar.Parse(s[:len(shape)])
	if string(year) == "0000" {
		// the day must exist before the year is at fault
		_, err = calendar.Parse("2000" + string(rest))
	}
	switch {
	case month < 1 || month > 12:
		return 0, ruleDate("month value is outside expected range of 1-12")
	case err != nil:
		return 0, ruleDate("day value is outside expected range")
	case len(s) > len(shape) && !bytes.ContainsRune([]byte("Tt_ "), rune(s[len(shape)])):
		return 0, ruleDate("invalid datetime separator, expected `T`, `t`, `_` or space")
	case len(s) > len(shape):
		return 0, ruleDate("unexpected extra characters at the end of the input")
	case string(year) == "0000":
		return 0, &ruleYearZero
	case date > latest:
		return 0, &ruleDateHigh
	}
	return date, nil
}
