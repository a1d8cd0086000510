package predict

import (
	"bytes"
	"errors"
	"net/http"
	"strconv"

	"tickercast/model/calendar"
	"tickercast/model/market"
	"tickercast/predict/pyjson"
)

// query checks the parameters of a GET, which are all strings, by the rules of a body's fields.
type query struct {
	path   []byte
	raw    []byte
	issues []Issue
}

func newQuery(r *http.Request) *query {
	return &query{path: []byte(r.PathValue("ticker")), raw: []byte(r.URL.RawQuery)}
}

// fail records that a value breaks a rule, unless that is nil.
func (q *query) fail(rule *pyjson.Rule, in, field string, value []byte) {
	if rule != nil {
		q.issues = append(q.issues, Issue{Rule: *rule, In: in, Field: field, Index: -1,
			Input: pyjson.StringInput(value)})
	}
}

// ticker is the one in the path.
func (q *query) ticker() []byte {
	t := pyjson.ReplaceInvalid(q.path)
	q.fail(tickerRule(pyjson.String, t), "path", "ticker", t)
	return t
}

// stateFor returns the state from which a query is answered, if it is valid.
func (s *Service) stateFor(q *query) (*state, error) {
	if len(q.issues) > 0 {
		return nil, q.err()
	}
	return s.current()
}

func (q *query) err() error {
	return &Error{Status: http.StatusUnprocessableEntity, Issues: q.issues}
}

// find is stateFor with the ticker that the query is about.
func (s *Service) find(q *query, ticker []byte) (*state, *market.Ticker, error) {
	st, err := s.stateFor(q)
	if err != nil {
		return nil, nil, err
	}
	t, ok := st.find(ticker)
	if !ok {
		return nil, nil, errUnknownTicker(ticker)
	}
	return st, t, nil
}

func (q *query) integer(name string, absent, low, high int64) int64 {
	v, ok := q.value(name)
	if !ok {
		return absent
	}
	n, rule := toInt(pyjson.String, v, low, high)
	q.fail(rule, "query", name, v)
	return n
}

func (q *query) date(name string) (date calendar.Date, ok bool) {
	v, ok := q.value(name)
	if !ok {
		return 0, false
	}
	date, rule := toDate(pyjson.String, v)
	q.fail(rule, "query", name, v)
	return date, true
}

// asOfFault is what a client is told of an asOfError. Other errors are as they were.
func (q *query) asOfFault(err error) error {
	if e, ok := errors.AsType[*asOfError](err); ok {
		v, _ := q.value("as_of")
		q.fail(e.rule, "query", "as_of", v)
		return q.err()
	}
	return err
}

func (q *query) number(name string, absent float64, check func(float64) *pyjson.Rule) float64 {
	v, ok := q.value(name)
	if !ok {
		return absent
	}
	x, rule := toFloat(pyjson.String, v, check)
	q.fail(rule, "query", name, v)
	return x
}

// value is the last value of a parameter as Python's parse_qsl reads it: only & separates, and an
// invalid escape stands for itself. Package net/url would drop the pair, and the client would get
// the default without knowing.
func (q *query) value(name string) (value []byte, ok bool) {
	for rest := q.raw; len(rest) > 0; {
		// A query is short, so a loop is faster than bytes.Cut.
		n, equals := 0, -1
		for ; n < len(rest) && rest[n] != '&'; n++ {
			if rest[n] == '=' && equals < 0 {
				equals = n
			}
		}
		pair := rest[:n]
		rest = rest[min(n+1, len(rest)):]
		if equals < 0 {
			equals = n
		}
		if n > 0 && isNamed(pair[:equals], name) {
			value, ok = unescapeQuery(pair[min(equals+1, n):]), true
		}
	}
	return value, ok
}

// isNamed reports whether a key stands for a name, of which none has a byte that must be escaped.
func isNamed(k []byte, name string) bool {
	return len(k) == len(name) && string(k) == name ||
		len(k) > len(name) && string(unescapeQuery(k)) == name
}

func unescapeQuery(s []byte) []byte {
	if bytes.IndexByte(s, '%') < 0 && bytes.IndexByte(s, '+') < 0 {
		return pyjson.ReplaceInvalid(s)
	}
	b := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '+' {
			c = ' '
		} else if c == '%' && i+2 < len(s) {
			if x, err := strconv.ParseUint(string(s[i+1:i+3]), 16, 8); err == nil {
				c = byte(x)
				i += 2
			}
		}
		b = append(b, c)
	}
	return pyjson.ReplaceInvalid(b)
}
