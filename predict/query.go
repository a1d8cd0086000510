package predict

import (
	"net/http"
	"strings"
)

// query checks the parameters of a GET by the rules that a body's fields have; each value is a
// string.
type query struct {
	path   string
	raw    string
	issues []Issue
}

func newQuery(r *http.Request) *query {
	return &query{path: r.PathValue("ticker"), raw: r.URL.RawQuery}
}

// err is what was found wrong so far, or nil.
func (q *query) err() error {
	if len(q.issues) == 0 {
		return nil
	}
	return &Error{Status: http.StatusUnprocessableEntity, Issues: q.issues}
}

func (q *query) fail(rule *Rule, in, field string, value []byte) {
	q.issues = append(q.issues, Issue{Rule: *rule, In: in, Field: field, Index: -1,
		Input: capEcho(appendString(nil, value))})
}

// ticker is the one in the path.
func (q *query) ticker() []byte {
	t := replaceInvalid([]byte(q.path))
	if rule := tickerRule(kindString, t); rule != nil {
		q.fail(rule, "path", "ticker", t)
	}
	return t
}

func (q *query) integer(name string, absent, low, high int64) int64 {
	v, ok := q.value(name)
	if !ok {
		return absent
	}
	n, rule := toInt(kindString, v)
	if rule == nil {
		rule = ruleRange(n, low, high)
	}
	if rule != nil {
		q.fail(rule, "query", name, v)
	}
	return n
}

func (q *query) number(name string, absent float64, check func(float64) *Rule) float64 {
	v, ok := q.value(name)
	if !ok {
		return absent
	}
	x, rule := toFloat(kindString, v)
	if rule == nil {
		rule = check(x)
	}
	if rule != nil {
		q.fail(rule, "query", name, v)
	}
	return x
}

// value is the last value of a parameter, as Python's parse_qsl reads it: only & separates, and
// what is no escape stands for itself. (net/url would drop the whole pair, and the default would be
// served in its place without a word.)
func (q *query) value(name string) (value []byte, ok bool) {
	for pair := range strings.SplitSeq(q.raw, "&") {
		if k, v, _ := strings.Cut(pair, "="); pair != "" && string(unescapeQuery(k)) == name {
			value, ok = unescapeQuery(v), true
		}
	}
	return value, ok
}

func unescapeQuery(s string) []byte {
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			c = ' '
		} else if c == '%' && i+2 < len(s) {
			if r := hex4([]byte{'0', '0', s[i+1], s[i+2]}); r >= 0 {
				c = byte(r)
				i += 2
			}
		}
		b = append(b, c)
	}
	return replaceInvalid(b)
}
