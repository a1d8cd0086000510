package predict

import (
	"math"
	"net/http"
	"slices"

	"tickercast/model/calendar"
	"tickercast/predict/pyjson"
)

const maxIssues = 100 // reported of one request

// requestFields are the names of a request's fields.
var requestFields = []string{"ticker", "days_ahead", "confidence_interval", "history", "as_of",
	"calendar", "levels"}

// decodeNode reads the request at a node. Fields are checked and reported in Pydantic's order. Only
// a strict request may not have others.
func decodeNode(d *pyjson.Document, root int, strict bool) (Request, error) {
	if d.Kind(root) != pyjson.Object {
		return Request{}, errValue(ruleBody, "", d.Input(root))
	}
	at := d.Fields(root, requestFields...)
	ticker, days, confidence, history := at[0], at[1], at[2], at[3]
	asOf, calendar, levels := at[4], at[5], at[6]
	c := checker{Document: d}
	r := Request{Days: DefaultDays, Confidence: DefaultConfidence}
	if ticker > 0 {
		r.Ticker = c.ticker(ticker)
	} else {
		c.fail(&ruleMissing, "ticker", -1, root)
	}
	if days > 0 {
		r.Days = c.days(days)
	}
	if confidence > 0 {
		r.Confidence = c.number("confidence_interval", -1, confidence, confidenceRule)
	}
	if present(d, history) {
		r.History = c.numbers("history", history, MinHistory, MaxHistory, closeRule)
	}
	if present(d, asOf) {
		r.AsOf, r.HasAsOf, r.asOfSent = c.date(asOf), true, c.Input(asOf)
	}
	if present(d, calendar) {
		r.Calendar = c.calendar(calendar, present(d, history))
	}
	if present(d, levels) {
		r.Levels = c.numbers("levels", levels, 1, MaxLevels, confidenceRule)
	}
	if strict {
		c.extra(root, requestFields...)
	}
	if len(c.issues) > 0 {
		return Request{}, &Error{Status: http.StatusUnprocessableEntity, Issues: c.issues}
	}
	return r, nil
}

// present reports whether an optional field was sent and is not null.
func present(d *pyjson.Document, i int) bool { return i > 0 && d.Kind(i) != pyjson.Null }

// checker collects the issues of one request.
type checker struct {
	*pyjson.Document
	issues []Issue
}

// fail records that a value breaks a rule, unless that is nil.
func (c *checker) fail(rule *pyjson.Rule, field string, index, node int) {
	if rule != nil && len(c.issues) < maxIssues {
		c.issues = append(c.issues, Issue{Rule: *rule, In: "body", Field: field,
			Index: index, Input: c.Input(node)})
	}
}

// scalar returns the kind and text of a value. A string with a lone surrogate breaks a rule before
// any other check.
func (c *checker) scalar(i int) (pyjson.Kind, []byte, *pyjson.Rule) {
	switch k := c.Kind(i); k {
	case pyjson.String:
		s := c.Text(i)
		if pyjson.HasSurrogate(s) {
			return k, nil, &ruleUnicode
		}
		return k, s, nil
	case pyjson.Integer, pyjson.Decimal:
		return k, c.Raw(i), nil
	default:
		return k, nil, nil
	}
}

func (c *checker) ticker(i int) []byte {
	k, s, rule := c.scalar(i)
	if rule == nil {
		rule = tickerRule(k, s)
	}
	c.fail(rule, "ticker", -1, i)
	return s
}

func tickerRule(k pyjson.Kind, s []byte) *pyjson.Rule {
	switch n := pyjson.CodePoints(s); {
	case k != pyjson.String:
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
	n := int64(0)
	if rule == nil {
		n, rule = toInt(k, s, MinDays, MaxDays)
	}
	c.fail(rule, "days_ahead", -1, i)
	return int(n)
}

// toInt reads an integer in low..high.
func toInt(k pyjson.Kind, text []byte, low, high int64) (int64, *pyjson.Rule) {
	n, rule := pyjson.ToInt(k, text)
	if rule == nil {
		rule = ruleRange(n, low, high)
	}
	return n, rule
}

func (c *checker) number(field string, index, i int, check func(float64) *pyjson.Rule) float64 {
	k, s, rule := c.scalar(i)
	x := 0.0
	if rule == nil {
		x, rule = toFloat(k, s, check)
	}
	c.fail(rule, field, index, i)
	return x
}

// toFloat reads a number that passes a check.
func toFloat(k pyjson.Kind, text []byte,
	check func(float64) *pyjson.Rule) (float64, *pyjson.Rule) {
	x, rule := pyjson.ToFloat(k, text)
	if rule == nil {
		rule = check(x)
	}
	return x, rule
}

func confidenceRule(x float64) *pyjson.Rule {
	switch {
	case !(x <= MaxConfidence): // NaN too
		return &ruleConfidenceHigh
	case x < MinConfidence:
		return &ruleConfidenceLow
	}
	return nil
}

func closeRule(x float64) *pyjson.Rule {
	switch {
	case math.IsInf(x, 0) || math.IsNaN(x):
		return &pyjson.Finite
	case x <= 0:
		return &rulePositive
	case x < MinClose:
		return &ruleCloseLow
	case x > MaxClose:
		return &ruleCloseHigh
	}
	return nil
}

// numbers checks a list: that it is not too long, then its items, then that it is not too short.
func (c *checker) numbers(field string, i, low, high int,
	check func(float64) *pyjson.Rule) []float64 {
	if c.Kind(i) != pyjson.Array {
		c.fail(&ruleListType, field, -1, i)
		return nil
	}
	n := c.Len(i)
	if n > high {
		c.fail(ruleLength(n, low, high), field, -1, i)
		return nil
	}
	list := make([]float64, 0, n)
	before := len(c.issues)
	for j := range c.Elements(i) {
		list = append(list, c.number(field, len(list), j, check))
	}
	if n < low && len(c.issues) == before {
		c.fail(ruleLength(n, low, high), field, -1, i)
	}
	return list
}

func (c *checker) date(i int) calendar.Date {
	k, s, rule := c.scalar(i)
	var date calendar.Date
	if rule == nil {
		date, rule = toDate(k, s)
	}
	c.fail(rule, "as_of", -1, i)
	return date
}

// toDate reads a date up to latest.
func toDate(k pyjson.Kind, text []byte) (calendar.Date, *pyjson.Rule) {
	days, rule := pyjson.ToDate(k, text)
	if rule == nil && calendar.Date(days) > latest {
		rule = &ruleDateHigh
	}
	return calendar.Date(days), rule
}

// calendar takes the exact name of a calendar.
func (c *checker) calendar(i int, history bool) *calendar.Calendar {
	k, s, rule := c.scalar(i)
	found, _ := calendar.Lookup(string(s))
	switch {
	case rule != nil:
	case k != pyjson.String || !slices.Contains(calendar.AllNames(), string(s)):
		rule = ruleCalendar()
	case !history:
		rule = &ruleCalendarAlone
	}
	c.fail(rule, "calendar", -1, i)
	return found
}
