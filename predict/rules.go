package predict

import (
	"strconv"
	"strings"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/market"
	"tickercast/predict/pyjson"
)

// Limits of a request. They are part of the wire contract and stand in the OpenAPI document.
const (
	MaxTicker         = 10 // code points
	MinDays           = 1
	MaxDays           = model.MaxDays
	DefaultDays       = 1
	MinConfidence     = model.MinConfidence
	MaxConfidence     = model.MaxConfidence
	DefaultConfidence = 0.95
	MinHistory        = market.MinHistory
	MaxHistory        = 2000
	MinClose          = market.MinPrice // of history, as of every price file
	MaxClose          = market.MaxPrice
	MaxLevels         = 8
)

var (
	ruleMissing = rule("missing", "Field required", "")
	ruleBody    = rule("model_attributes_type",
		"Input should be a valid dictionary or object to extract fields from", "")

	ruleStringType = rule("string_type", "Input should be a valid string", "")
	ruleUnicode    = rule("string_unicode",
		"Input should be a valid string, unable to parse raw data as a unicode string", "")
	ruleTooShort = rule("string_too_short", "String should have at least 1 character",
		`{"min_length":1}`)
	ruleTooLong = rule("string_too_long", "String should have at most 10 characters",
		`{"max_length":10}`)

	ruleConfidenceLow  = atLeast("0.8", "0.8")
	ruleConfidenceHigh = atMost("0.99", "0.99")

	rulePositive  = rule("greater_than", "Input should be greater than 0", `{"gt":0.0}`)
	ruleCloseLow  = atLeast("0.000000000001", "1e-12")
	ruleCloseHigh = atMost("1000000000000000", "1000000000000000.0")

	ruleListType = rule("list_type", "Input should be a valid list", "")
	ruleDateType = rule("date_type", "Input should be a valid date", "")
	ruleYearZero = rule("date_parsing",
		"Input should be a valid date in the format YYYY-MM-DD, year 0 is out of range",
		`{"error":"year 0 is out of range"}`)
	ruleDateHigh  = atMost("9999-10-31", `"9999-10-31"`)
	ruleAsOfShort = rule("value_error", "Value error, as_of is too early for a forecast",
		`{"error":{}}`)

	ruleCalendarAlone = rule("value_error", "Value error, calendar goes with history",
		`{"error":{}}`)
)

func rule(typ, msg, ctx string) pyjson.Rule { return pyjson.Rule{Type: typ, Msg: msg, Ctx: ctx} }

func atLeast(limit, json string) pyjson.Rule {
	return rule("greater_than_equal", "Input should be greater than or equal to "+limit,
		`{"ge":`+json+`}`)
}

func atMost(limit, json string) pyjson.Rule {
	return rule("less_than_equal", "Input should be less than or equal to "+limit,
		`{"le":`+json+`}`)
}

// ruleRange is the rule that an integer outside of low..high breaks, or nil.
func ruleRange(n, low, high int64) *pyjson.Rule {
	if low <= n && n <= high {
		return nil
	}
	if n > high {
		limit := strconv.FormatInt(high, 10)
		return new(atMost(limit, limit))
	}
	limit := strconv.FormatInt(low, 10)
	return new(atLeast(limit, limit))
}

// ruleLength is the rule that a list of n items breaks, where there should be low..high.
func ruleLength(n, low, high int) *pyjson.Rule {
	kind, word, key, limit := "too_short", "least", "min_length", low
	if n > high {
		kind, word, key, limit = "too_long", "most", "max_length", high
	}
	items := " items"
	if limit == 1 {
		items = " item"
	}
	l, got := strconv.Itoa(limit), strconv.Itoa(n)
	return new(rule(kind,
		"List should have at "+word+" "+l+items+" after validation, not "+got,
		`{"field_type":"List","`+key+`":`+l+`,"actual_length":`+got+`}`))
}

// ruleCalendar is the rule that another value than the name of a calendar breaks.
func ruleCalendar() *pyjson.Rule {
	names := calendar.AllNames()
	last := len(names) - 1
	list := "'" + strings.Join(names[:last], "', '") + "' or '" + names[last] + "'"
	return new(rule("literal_error", "Input should be "+list, `{"expected":"`+list+`"}`))
}

// ruleAsOfOutside is the rule that an as_of without a history breaks, outside of the prices.
func ruleAsOfOutside(first, last calendar.Date) *pyjson.Rule {
	return new(rule("value_error", "Value error, as_of must be from "+first.String()+" to "+
		last.String(), `{"error":{}}`))
}

// ruleDate is the rule that a string which is no ISO date breaks.
func ruleDate(why string) *pyjson.Rule {
	return new(rule("date_from_datetime_parsing",
		"Input should be a valid date or datetime, "+why, `{"error":"`+why+`"}`))
}
