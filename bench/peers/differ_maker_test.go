//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
)

type request struct{ method, target, kind, body string }

// A requestMaker makes requests that are right, nearly right, and wrong in many ways.
type requestMaker struct {
	*rand.Rand
	tickers []string
}

func (m requestMaker) pick(of ...string) string { return of[m.IntN(len(of))] }

func (m requestMaker) request() request {
	r := request{"POST", "/predict", "application/json", m.body()}
	switch m.IntN(20) {
	case 0:
		r.method = m.pick("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "BREW")
	case 1:
		r.target = m.pick("/health", "/health/", "/predict/", "/predict//", "//predict", "/Predict",
			"/nowhere", "/predict%2f", "/%70redict", "/predict.", "/", "/health?a=%zz")
		r.method = m.pick("GET", "POST", "HEAD")
	case 2, 3:
		r.target += "?" + m.pick("", "a=b", "ticker=AAPL", "days_ahead=x&days_ahead=5", "%zz", "a;b",
			"=&&", "%00", "ticker=%ff")
	}
	switch m.IntN(15) {
	case 0:
		r.kind = m.pick("", "text/plain", "application/jsonp", "application", "json", "text/json",
			"application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ";", "a/b/c")
	case 1:
		r.kind = m.pick("application/json; charset=utf-8", "Application/JSON", "application/json;",
			"application/json ; x", "application/vnd.api+json", "application/+json",
			"application/json;charset=latin-1", " application/json", "application/json, text/plain")
	}
	return r
}

// body is a JSON object, as a rule, and then perhaps damaged.
func (m requestMaker) body() string {
	if m.IntN(25) == 0 {
		return m.pick("", " ", "null", "[]", "0", `"x"`, "true", "{}", "[{}]", "nul", "\ufeff{}",
			"\ufeff", "{\x00}", "{\x00}\x00", strings.Repeat("[", 150), strings.Repeat("[", 100),
			strings.Repeat(`{"a":`, 99)+"{}"+strings.Repeat("}", 99), "\xff", "\"\xed\xa0\x80\"",
			strings.Repeat("1", 4300), strings.Repeat("1", 4301), "NaN", "-Infinity", "[1,]")
	}
	fields := []string{`"ticker":` + m.ticker()}
	for _, f := range []struct {
		name  string
		odds  int
		value func() string
	}{{"days_ahead", 2, m.days}, {"confidence_interval", 2, m.confidence}, {"history", 8, m.history},
		{"as_of", 8, m.date}, {"levels", 12, m.levels}, {"_sa_x", 60, m.odd}, {"x", 10, m.odd},
		{"Ticker", 30, m.odd}, {"ticker", 30, m.odd}} {
		if m.IntN(f.odds) == 0 {
			fields = append(fields, strconv.Quote(f.name)+m.pick(":", ":", ": ", " :\t")+f.value())
		}
	}
	m.Shuffle(len(fields), func(i, j int) { fields[i], fields[j] = fields[j], fields[i] })
	if m.IntN(30) == 0 {
		fields = fields[1:]
	}
	body := "{" + strings.Join(fields, m.pick(",", ",", ", ", "\r\n,")) + "}"
	for m.IntN(6) == 0 && len(body) > 0 {
		body = m.damage(body)
	}
	return body
}

// damage changes a few bytes.
func (m requestMaker) damage(s string) string {
	at := m.IntN(len(s))
	to := at + m.IntN(min(4, len(s)-at)+1)
	switch m.IntN(4) {
	case 0:
		return s[:at] + s[to:]
	case 1:
		return s[:at]
	case 2:
		return s[:to] + s[at:]
	}
	return s[:at] + m.pick(",", "}", "]", "\"", "\\", "\\u00", "\\ud83d", "\\x", "\x01", "\n", "é", "\xe9",
		"0", "-", ".", "e", "1e400", "tru", "/", "'", "\u00a0", "{", "[") + s[to:]
}

func (m requestMaker) ticker() string {
	if m.IntN(5) > 0 {
		return strconv.Quote(m.tickers[m.IntN(len(m.tickers))])
	}
	return m.pick(m.odd(), `""`, `"ZZZZQ"`, `"zzzz"`, `"A\u0000B9"`, `"0123456789"`, `"01234567890"`,
		`"éééééééééé"`, `"\ud83d\ude009"`, `"\ud83d"`, `" AAPL"`, `"'9"`, `"\"9\\"`, `"\u20289"`, `"<9>&"`)
}

func (m requestMaker) days() string {
	if m.IntN(3) > 0 {
		return strconv.Itoa(1 + m.IntN(30))
	}
	return m.pick(m.odd(), m.number(), strconv.Quote(m.number()), "0", "31", "-1", "5.0", "5.5", `"5"`,
		`" 5 "`, `"+5"`, `"05"`, `"0_5"`, `"1_0"`, `"5.0"`, `"5.00"`, `"5."`, `"0-5"`, `"1e1"`, `"0x5"`,
		"1e1", "1e300", "1e400", "-0", "-0.0", "9223372036854775808", "1"+strings.Repeat("0", 400))
}

func (m requestMaker) confidence() string {
	if m.IntN(3) > 0 {
		return m.pick("0.8", "0.9", "0.95", "0.99", "0.85", "0.8123456789")
	}
	return m.pick(m.odd(), m.number(), strconv.Quote(m.number()), "0.79", "0.990000001", `"0.9"`,
		`" 0.9 "`, `"0._9"`, `" 0.9_5"`, `"9e-1"`, `".9"`, `"1."`, `"nan"`, `"inf"`, `"-Infinity"`,
		"1"+strings.Repeat("0", 308), "1"+strings.Repeat("0", 309), "8e-1", "0.90e0", "1e-400", "1e22")
}

func (m requestMaker) history() string {
	n := m.pick("29", "30", "31", "1", "0", "2001")
	count, _ := strconv.Atoi(n)
	if m.IntN(3) > 0 {
		count = 30 + m.IntN(5)
	}
	list := make([]string, count)
	for i := range list {
		list[i] = fmt.Sprint(90 + m.IntN(20))
	}
	if count > 0 && m.IntN(4) == 0 {
		list[m.IntN(count)] = m.pick(m.odd(), "0", "-1", "0.0", "1e16", `"12.5"`)
	}
	if m.IntN(12) == 0 {
		return m.odd()
	}
	return "[" + strings.Join(list, ",") + "]"
}

func (m requestMaker) date() string {
	d := fmt.Sprintf("%04d-%02d-%02d", 1900+m.IntN(200), 1+m.IntN(13), 1+m.IntN(31))
	switch m.IntN(6) {
	case 0:
		return m.odd()
	case 1:
		return m.pick(m.number(), strconv.Quote(m.number()), strconv.Itoa(86400*m.IntN(30000)),
			strconv.Itoa(86400000*(300+m.IntN(30000))), "1e400", `"1e9"`)
	case 2:
		return strconv.Quote(d + m.pick("T00:00:00", " 00:00", "T00:00:00Z", "_00:00:00.000-05:00",
			"T12:00", "T24:00", "T00:00:00+24:00", "T", "x", "T00:00:00.", "T00:00:60"))
	case 3:
		return m.pick(`"0000-01-01"`, `"9999-10-31"`, `"9999-11-01"`, `"9999-12-31"`, `""`, `"20240101"`)
	}
	return strconv.Quote(d)
}

func (m requestMaker) levels() string {
	return m.pick("[0.8]", "[0.9,0.95]", "[]", "[0.8,0.8,0.8,0.8,0.8,0.8,0.8,0.8]",
		"[0.8,0.8,0.8,0.8,0.8,0.8,0.8,0.8,0.8]", "[0.7]", `["0.9",1]`, "[null,[],{}]", m.odd())
}

func (m requestMaker) number() string {
	x := m.NormFloat64() * 10
	switch m.IntN(4) {
	case 0:
		return strconv.FormatFloat(x, 'e', m.IntN(5), 64)
	case 1:
		return strconv.Itoa(int(x))
	case 2:
		return strconv.FormatFloat(x*float64(m.Uint64()), 'f', m.IntN(3), 64)
	}
	return strconv.FormatFloat(x, 'f', -1, 64)
}

// odd is a value of any kind.
func (m requestMaker) odd() string {
	return m.pick("null", "true", "false", "[]", "{}", `"x"`, "1e5", "1E16", "1e-5", "0.0001", "123456789",
		`{"b":1,"a":[null,2.50],"b":"é\u00e9\n"}`, `["\u007f\u2028</script>"]`, `"\u0001\b\f"`, "[[[]]]",
		"-0", "1.0", "100000000000000000000", strconv.Quote(strings.Repeat("long ", 500)), "NaN",
		"1e400", `{"_sa":1}`, `"\ud800"`, "[1,\n2 ,3]")
}
