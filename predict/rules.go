package predict

import (
	"strconv"

	"tickercast/model"
	"tickercast/model/market"
)

// Limits of the request. They are part of the wire contract, and of the OpenAPI document.
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
	ruleMissing = Rule{"missing", "Field required", ""}
	ruleBody    = Rule{"model_attributes_type",
		"Input should be a valid dictionary or object to extract fields from", ""}
	ruleStringType = Rule{"string_type", "Input should be a valid string", ""}
	ruleUnicode    = Rule{"string_unicode",
		"Input should be a valid string, unable to parse raw data as a unicode string", ""}
	ruleTooShort = Rule{"string_too_short", "String should have at least 1 character",
		`{"min_length":1}`}
	ruleTooLong = Rule{"string_too_long", "String should have at most 10 characters",
		`{"max_length":10}`}

	ruleIntType    = Rule{"int_type", "Input should be a valid integer", ""}
	ruleIntParsing = Rule{"int_parsing",
		"Input should be a valid integer, unable to parse string as an integer", ""}
	ruleIntFromFloat = Rule{"int_from_float",
		"Input should be a valid integer, got a number with a fractional part", ""}
	ruleIntSize = Rule{"int_parsing_size",
		"Unable to parse input string as an integer, exceeded maximum size", ""}
	ruleFinite       = Rule{"finite_number", "Input should be a finite number", ""}
	ruleFloatType    = Rule{"float_type", "Input should be a valid number", ""}
	ruleFloatParsing = Rule{"float_parsing",
		"Input should be a valid number, unable to parse string as a number", ""}

	ruleConfidenceLow = Rule{"greater_than_equal", "Input should be greater than or equal to 0.8",
		`{"ge":0.8}`}
	ruleConfidenceHigh = Rule{"less_than_equal", "Input should be less than or equal to 0.99",
		`{"le":0.99}`}
	rulePositive = Rule{"greater_than", "Input should be greater than 0", `{"gt":0.0}`}

	ruleListType = Rule{"list_type", "Input should be a valid list", ""}
	ruleDateType = Rule{"date_type", "Input should be a valid date", ""}
	ruleYearZero = Rule{"date_parsing",
		"Input should be a valid date in the format YYYY-MM-DD, year 0 is out of range",
		`{"error":"year 0 is out of range"}`}
	ruleDateHigh = Rule{"less_than_equal", "Input should be less than or equal to 9999-10-31",
		`{"le":"9999-10-31"}`}
	ruleAsOfAlone = Rule{"value_error", "Value error, as_of goes with history", `{"error":{}}`}
	ruleCloseLow  = Rule{"greater_than_equal",
		"Input should be greater than or equal to 0.000000000001", `{"ge":1e-12}`}
	ruleCloseHigh = Rule{"less_than_equal",
		"Input should be less than or equal to 1000000000000000", `{"le":1000000000000000.0}`}
)

// ruleRange is the rule of an integer that should have been in low..high, or nil; the upper limit
// is tested first.
func ruleRange(n, low, high int64) *Rule {
	switch {
	case n > high:
		limit := strconv.FormatInt(high, 10)
		return &Rule{"less_than_equal", "Input should be less than or equal to " + limit,
			`{"le":` + limit + `}`}
	case n < low:
		limit := strconv.FormatInt(low, 10)
		return &Rule{"greater_than_equal", "Input should be greater than or equal to " + limit,
			`{"ge":` + limit + `}`}
	}
	return nil
}

// ruleLength is the rule of a list of n items that should have had at least or at most limit.
func ruleLength(n, low, high int) *Rule {
	kind, word, key, limit := "too_short", "least", "min_length", low
	if n > high {
		kind, word, key, limit = "too_long", "most", "max_length", high
	}
	items := " items"
	if limit == 1 {
		items = " item"
	}
	l, got := strconv.Itoa(limit), strconv.Itoa(n)
	return &Rule{
		Type: kind,
		Msg:  "List should have at " + word + " " + l + items + " after validation, not " + got,
		Ctx:  `{"field_type":"List","` + key + `":` + l + `,"actual_length":` + got + `}`,
	}
}

// ruleDate is the rule of a string that is no ISO date.
func ruleDate(why string) *Rule {
	return &Rule{"date_from_datetime_parsing", "Input should be a valid date or datetime, " + why,
		`{"error":"` + why + `"}`}
}
