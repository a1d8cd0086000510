package predict

import (
	"math"

	"tickercast/model/calendar"
)

const maxIssues = 100 // reported of one request; the rest of a long list of faults helps nobody

// The fields, in the order in which they are checked and reported.
const (
	fieldTicker = iota
	fieldDays
	fieldConfidence
	fieldHistory
	fieldAsOf
	fieldLevels
	numFields
)

var fieldNames = [numFields]string{"ticker", "days_ahead", "confidence_interval", "history",
	"as_of", "levels"}

// request checks the value at node root and returns the request that it describes.
func (d *document) request(root int) (Request, *Error) {
	switch d.nodes[root].kind {
	case kindNull:
		return Request{}, errMissingBody()
	case kindObject:
	default:
		return Request{}, &Error{Status: 422,
			Issues: []Issue{{Rule: ruleBody, In: "body", Index: -1, Input: d.echo(root)}}}
	}
	var at [numFields]int // node of each field, 0 for none
	for key, value := range d.members(root) {
		name := d.text(key)
		for f := range at {
			if string(name) == fieldNames[f] {
				at[f] = value
			}
		}
	}
	c := checker{document: d}
	r := Request{Days: DefaultDays, Confidence: DefaultConfidence}
	if i := at[fieldTicker]; i > 0 {
		r.Ticker = c.ticker(i)
	} else {
		c.issues = append(c.issues, Issue{Rule: ruleMissing, In: "body", Field: "ticker", Index: -1,
			Input: d.echo(root)})
	}
	if i := at[fieldDays]; i > 0 {
		r.Days = c.days(i)
	}
	if i := at[fieldConfidence]; i > 0 {
		r.Confidence = c.number(fieldConfidence, -1, i, confidenceRule)
	}
	if i := at[fieldHistory]; d.present(i) {
		r.History = c.numbers(fieldHistory, i, MinHistory, MaxHistory, closeRule)
	}
	if i := at[fieldAsOf]; d.present(i) {
		r.AsOf, r.HasAsOf = c.date(i), true
		if !d.present(at[fieldHistory]) && !c.failed(fieldAsOf) {
			c.fail(&ruleAsOfAlone, fieldAsOf, -1, i)
		}
	}
	if i := at[fieldLevels]; d.present(i) {
		r.Levels = c.numbers(fieldLevels, i, 1, MaxLevels, confidenceRule)
	}
	if len(c.issues) > 0 {
		return Request{}, &Error{Status: 422, Issues: c.issues}
	}
	return r, nil
}

// present reports whether an optional field was sent and is not null.
func (d *document) present(i int) bool { return i > 0 && d.nodes[i].kind != kindNull }

// checker collects what is wrong with the fields of one request.
type checker struct {
	*document
	issues []Issue
}

func (c *checker) fail(rule *Rule, field, index, node int) {
	if len(c.issues) < maxIssues {
		c.issues = append(c.issues, Issue{Rule: *rule, In: "body", Field: fieldNames[field],
			Index: index, Input: c.echo(node)})
	}
}

// failed reports whether the last issue is of the field.
func (c *checker) failed(field int) bool {
	n := len(c.issues)
	return n > 0 && c.issues[n-1].Field == fieldNames[field]
}

// scalar is the kind and text of a value; for a string with half a surrogate pair, which no check
// can take, a rule.
func (c *checker) scalar(i int) (kind, []byte, *Rule) {
	switch k := c.nodes[i].kind; k {
	case kindString:
		s := c.text(i)
		if hasSurrogate(s) {
			return k, nil, &ruleUnicode
		}
		return k, s, nil
	case kindInteger, kindDecimal:
		return k, c.raw(i), nil
	default:
		return k, nil, nil
	}
}

func (c *checker) ticker(i int) []byte {
	k, s, rule := c.scalar(i)
	if rule == nil {
		rule = tickerRule(k, s)
	}
	if rule != nil {
		c.fail(rule, fieldTicker, -1, i)
	}
	return s
}

func tickerRule(k kind, s []byte) *Rule {
	switch n := codePoints(s); {
	case k != kindString:
		return &ruleStringType
	case n == 0:
		return &ruleTooShort
	case n > MaxTicker:
		return &ruleTooLong
	}
	return nil
}

func (c *checker) days(i int) int {
	k, s, rule := c.scalar(i)
	var n int64
	if rule == nil {
		if n, rule = toInt(k, s); rule == nil {
			rule = ruleRange(n, MinDays, MaxDays)
		}
	}
	if rule != nil {
		c.fail(rule, fieldDays, -1, i)
	}
	return int(n)
}

func (c *checker) number(field, index, i int, check func(float64) *Rule) float64 {
	k, s, rule := c.scalar(i)
	x := 0.0
	if rule == nil {
		if x, rule = toFloat(k, s); rule == nil {
			rule = check(x)
		}
	}
	if rule != nil {
		c.fail(rule, field, index, i)
	}
	return x
}

func confidenceRule(x float64) *Rule {
	switch {
	case !(x <= MaxConfidence): // NaN too
		return &ruleConfidenceHigh
	case x < MinConfidence:
		return &ruleConfidenceLow
	}
	return nil
}

func closeRule(x float64) *Rule {
	switch {
	case math.IsInf(x, 0) || math.IsNaN(x):
		return &ruleFinite
	case x <= 0:
		return &rulePositive
	case x < MinClose:
		return &ruleCloseLow
	case x > MaxClose:
		return &ruleCloseHigh
	}
	return nil
}

// numbers checks a list: its length when that is too great, then its items, then its length when
// that is too small.
func (c *checker) numbers(field, i, low, high int, check func(float64) *Rule) []float64 {
	if c.nodes[i].kind != kindArray {
		c.fail(&ruleListType, field, -1, i)
		return nil
	}
	n := c.length(i)
	if n > high {
		c.fail(ruleLength(n, low, high), field, -1, i)
		return nil
	}
	list := make([]float64, 0, n)
	before := len(c.issues)
	for j := range c.elements(i) {
		list = append(list, c.number(field, len(list), j, check))
	}
	if n < low && len(c.issues) == before {
		c.fail(ruleLength(n, low, high), field, -1, i)
	}
	return list
}

// date takes an ISO date and nothing else: the reference would read a number as seconds since 1970,
// and a time behind the date when it is midnight.
func (c *checker) date(i int) calendar.Date {
	k, s, rule := c.scalar(i)
	var date calendar.Date
	switch {
	case rule != nil:
	case k != kindString:
		rule = &ruleDateType
	default:
		date, rule = toDate(s)
	}
	if rule != nil {
		c.fail(rule, fieldAsOf, -1, i)
	}
	return date
}
