package pyjson

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

// plainDates are values that each show one thing. They come first in the vectors.
var plainDates = []string{
	`null`, `true`, `false`, `[]`, `{}`, `["2026-03-02"]`, `""`, `"-"`, `"+"`, `"."`, `" "`,
	`"2026-03-02"`, `"2026-03-02T00:00:00"`, `"2026-03-02T00:00"`, `"2026-03-02T00"`,
	`"2026-03-02T00:00:00Z"`, `"2026-03-02t00:00:00z"`, `"2026-03-02 00:00:00"`,
	`"2026-03-02_00:00:00"`, `"2026-03-02T00:00:00.000Z"`, `"2026-03-02T00:00:00,000Z"`,
	`"2026-03-02T00:00:00."`, `"2026-03-02T00:00:00.Z"`, `"2026-03-02T00:00:00.0000001"`,
	`"2026-03-02T00:00:00.000001"`, `"2026-03-02T00:00:00-05:00"`, `"2026-03-02T00:00:00+0530"`,
	`"2026-03-02T00:00:00+05"`, `"2026-03-02T00:00:00+5"`, `"2026-03-02T00:00:00−05:00"`,
	`"2026-03-02T00:00:00→05:00"`, `"2026-03-02T00:00:00+24:00"`, `"2026-03-02T00:00:00+23:59"`,
	`"2026-03-02T00:00:00+23:60"`, `"2026-03-02T00:00Z"`, `"2026-03-02T00:00+01:00"`,
	`"2026-03-02T24:00:00"`, `"2026-03-02T00:60"`, `"2026-03-02T00:00:60"`, `"2026-03-02T12:30"`,
	`"2026-03-02T00:00:00Z "`, `" 2026-03-02"`, `"2026-03-02 "`, `"2026-03-02T"`, `"2026-03-02x"`,
	`"20260302"`, `"2026-3-2"`, `"2026/03/02"`, `"02-03-2026"`, `"2026-02-29"`, `"2024-02-29"`,
	`"1900-02-29"`, `"2000-02-29"`, `"2026-00-10"`, `"2026-13-10"`, `"2026-01-00"`, `"2026-04-31"`,
	`"0000-01-01"`, `"0000-02-29T00:00"`, `"0000-02-30"`, `"0001-01-01"`, `"9999-12-31"`,
	`"10000-01-01"`, `"２026-03-02"`, `"2026-W10-1"`, `"now"`, `"today"`, `"nan"`, `"inf"`,
	`0`, `-0`, `0.0`, `-0.0`, `1`, `0.5`, `1772409600`, `1772409601`, `1772409600000`,
	`1772409600001`, `1772409600.0`, `1.7724096e9`, `1.7724096e12`, `-86400`, `-86401`,
	`19999958400`, `20000000000`, `20000000001`, `20044800000`, `-20000000000`, `-20000000001`,
	`253402214400`, `253402300799`, `253402300800`, `253402214400000`, `253402300800000`,
	`-62135596800`, `-62135596800000`, `-62167219200000`, `-62167219200001`, `1e400`, `-1e400`,
	`86399.9999996`, `86399.9999994`, `1e-9`, `-1e-9`, `20000000000.5`, `9223372036854775807`,
	`9223372036854775808`, `-9223372036854775808`, `1` + strings.Repeat("0", 308),
	`1` + strings.Repeat("0", 309), `-1` + strings.Repeat("0", 309),
	`"0"`, `"00"`, `"-0"`, `"+0"`, `"0.0"`, `".0"`, `"0."`, `"+.0"`, `"-.0"`, `"0.0e5"`, `"1.e3"`,
	`"1772409600"`, `"1772409600.0"`, `"1772409600000"`, `"1772409600000.0"`, `"+1772409600"`,
	`"1e9"`, `"1_000"`, `" 0"`, `"0 "`, `"0x0"`, `"20000000000"`, `"20000000001"`,
	`"9223372036854775807"`, `"9223372036854775808"`, `"20000000000000000000"`, `"86399.9999999"`,
	`"1772409600000000.0"`, `"1.5e400"`, `"253402300800000"`, `"-62167219200001"`,
}

// A dateMaker makes JSON values that are dates, nearly dates, or once were.
type dateMaker struct{ *rand.Rand }

func (m dateMaker) value() string {
	switch m.IntN(10) {
	case 0, 1:
		return m.number()
	case 2, 3:
		s := m.number()
		if m.IntN(2) == 0 {
			s = m.mutate(m.pick("", "", "+", "00", "-") + s + m.pick("", "", ".", ".0", ".5", "e0"))
		}
		return strconv.Quote(s)
	default:
		s := m.moment()
		for range m.IntN(8) / 5 {
			s = m.mutate(s)
		}
		return `"` + s + `"`
	}
}

func (m dateMaker) pick(of ...string) string { return of[m.IntN(len(of))] }

func (m dateMaker) moment() string {
	two := func(usual, odd int) string {
		n := m.IntN(usual)
		if m.IntN(12) == 0 {
			n = m.IntN(odd)
		}
		return fmt.Sprintf("%02d", n)
	}
	s := fmt.Sprintf("%04d-%s-%s", m.IntN(10_000), two(12, 20), two(28, 40))
	if m.IntN(4) == 0 {
		s = fmt.Sprintf("%d-02-%d", m.IntN(3000), 28+m.IntN(3)) // maybe too few digits
	}
	if m.IntN(5) == 0 {
		return s
	}
	hour, minute, second := "00", "00", "00"
	if m.IntN(4) == 0 {
		hour, minute, second = two(24, 30), two(60, 70), two(60, 70)
	}
	s += m.pick("T", "T", "t", " ", "_", "-") + hour + ":" + minute
	if m.IntN(4) > 0 {
		s += ":" + second
		if m.IntN(2) == 0 {
			s += m.pick(".", ".", ",") + strings.Repeat("0", m.IntN(9)) + m.pick("", "", "", "1", "05")
		}
	}
	if m.IntN(2) == 0 {
		return s + m.pick("Z", "Z", "z", "UTC")
	}
	return s + m.pick("+", "-", "−", "") + two(24, 30) + m.pick(":", "", ":", "-") + two(60, 70)
}

func (m dateMaker) number() string {
	near := []int64{0, watershed, -watershed, firstSecond, lastSecond, 1000 * firstSecond,
		1000 * lastSecond, 1 << 53, 1<<63 - 1, -1 << 63, 1772409600, 1772409600000,
		firstSecond + 366*secondsPerDay, 1000 * (firstSecond + 366*secondsPerDay)}
	n := near[m.IntN(len(near))]
	switch m.IntN(4) {
	case 0:
		n += int64(m.IntN(5)) - 2
	case 1:
		n = (n/secondsPerDay + int64(m.IntN(100))) * secondsPerDay
	case 2:
		n = int64(m.IntN(100_000)-50_000) * secondsPerDay * []int64{1, 1000}[m.IntN(2)]
	case 3:
		n = int64(m.Uint64()) >> m.IntN(64)
	}
	s := strconv.FormatInt(n, 10)
	switch m.IntN(6) {
	case 0:
		return s + m.pick(".0", ".5", ".0000001", ".9999999", ".999", "e0", "E+2", "e-3")
	case 1:
		x := float64(n) + []float64{0, 1e-7, 5e-7, 0.25, 1 - 1e-7, -1e-3}[m.IntN(6)]
		return strconv.FormatFloat(x, m.pick("f", "e")[0], -1, 64)
	case 2:
		if n != 0 { // no zero in front of a JSON number
			s += strings.Repeat(m.pick("0", "3"), m.IntN(8))
		}
	}
	return s
}

// mutate changes a character of a text without quotes and backslashes.
func (m dateMaker) mutate(s string) string {
	r := []rune(s)
	if len(r) == 0 {
		return s
	}
	at := m.IntN(len(r))
	other := []rune("0123456789-:+.,TtZz_ eEx−é٠")
	c := other[m.IntN(len(other))]
	switch m.IntN(3) {
	case 0:
		return string(r[:at]) + string(r[at+1:])
	case 1:
		return string(r[:at]) + string(c) + string(r[at:])
	default:
		r[at] = c
		return string(r)
	}
}
