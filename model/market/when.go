package market

import (
	"strings"

	"tickercast/model/calendar"
)

// when orders the rows of a ticker. Its low bits are the minute of the day, or the rank of the
// series if the file has such a column.
type when int32

const minuteBits = 11

func whenOf(d calendar.Date, sub int) when { return when(d)<<minuteBits | when(sub) }

func (w when) date() calendar.Date { return calendar.Date(w >> minuteBits) }

func (w when) sub() int { return int(w & (1<<minuteBits - 1)) }

// clockMinute returns the minute of the day of 153000, 1530 or 15:30:00.
func clockMinute(text []byte) int {
	var digits, n int
	for _, c := range text {
		if isDigit(c) && digits < 4 {
			n = n*10 + int(c-'0')
			digits++
		}
	}
	return (n/100%24*60 + n%100) % 1440
}

// seriesRank orders the series of a stock. EQ is the stock itself; BE, BZ, SM and ST are what it is
// traded as at other times. The others are bonds, rights and the like.
func seriesRank(text []byte) int {
	s := strings.ToUpper(string(text))
	for i, stock := range [...]string{"EQ", "BE", "BZ", "SM", "ST"} {
		if s == stock {
			return i
		}
	}
	rank := 0
	for i := range 2 {
		rank *= 37
		if i < len(s) && isDigit(s[i]) {
			rank += 1 + int(s[i]-'0')
		} else if i < len(s) && isLetter(s[i]) {
			rank += 11 + int(s[i]-'A')
		}
	}
	return 5 + rank
}

// checkDate refuses a date that does not fit the file or is later than tomorrow.
func (f *file) checkDate(st stamp) error {
	switch {
	case st.form != f.form && f.form == formYear,
		st.minute != 0 && !st.zoned && !f.timed:
		return errDate
	case st.form != f.form:
		return errOther
	case st.form != formParts && st.date > f.latest: // else the order is not known yet
		return errFuture
	}
	return nil
}
