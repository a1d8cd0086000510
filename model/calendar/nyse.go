package calendar

// New York's calendar as functions, for code that knows no other.

func newYork() *Calendar { return &calendars()[0] }

// IsTradingDay reports whether d is a session of XNYS.
func IsTradingDay(d Date) bool { return newYork().Open(d) }

// Floor returns the last session of XNYS on or before d.
func Floor(d Date) Date { return newYork().Floor(d) }

// Next returns the n-th session of XNYS after d, or d when n < 1.
func Next(d Date, n int) Date { return newYork().Next(d, n) }

// Between returns the number of sessions of XNYS after a, up to and including b.
func Between(a, b Date) int { return newYork().Between(a, b) }
