package predict

import (
	"cmp"
	"errors"
	"net/http"
	"time"

	"tickercast/model/calendar"
	"tickercast/predict/internal/limits"
	"tickercast/predict/pyjson"
)

// Request is a valid request for a forecast.
type Request struct {
	Ticker     []byte  // as sent; may alias the decoded body
	Days       int     // trading days to forecast, 1 to 30
	Confidence float64 // of the central interval, 0.8 to 0.99

	History  []float64     // closes of the client's own series, oldest first; nil: a listed ticker
	AsOf     calendar.Date // of the last close that counts, if HasAsOf
	HasAsOf  bool
	asOfSent []byte             // AsOf as JSON, for an error
	Calendar *calendar.Calendar // of History; nil means that of New York
	Levels   []float64          // more confidences to report, in the order asked for
}

// calendar is that of a history.
func (r *Request) calendar() *calendar.Calendar { return cmp.Or(r.Calendar, calendar.Default()) }

// asOf is the date of the last close of a history.
func (r *Request) asOf(now time.Time) calendar.Date {
	if r.HasAsOf {
		return r.AsOf
	}
	return r.calendar().LastClosed(now)
}

// asOfFault is what a client is told of an asOfError. Other errors are as they were.
func (r *Request) asOfFault(err error) error {
	if e, ok := errors.AsType[*asOfError](err); ok {
		return errValue(*e.rule, "as_of", r.asOfSent)
	}
	return err
}

// Decode reads a JSON body as FastAPI and Pydantic do: strict about JSON, lax about the kinds of
// its values. An error is always an *Error. A request in the usual form costs no allocation but
// those of its lists.
func Decode(body []byte) (Request, error) { return decode(body, false, nil) }

// decode is Decode of a request that may be strict, with memory that held counts.
func decode(body []byte, strict bool, held *limits.Hold) (Request, error) {
	var r Request
	if n, ok := decodeFast(body, &r); ok && onlyBlanks(body[n:]) {
		return r, nil
	}
	return decodeFull(body, strict, held)
}

// decodeFull is decode without the fast path. All errors come from it.
func decodeFull(body []byte, strict bool, held *limits.Hold) (Request, error) {
	var r Request
	err := withTree(body, held, func() error {
		d, err := parse(body)
		if err == nil {
			r, err = decodeNode(d, 0, strict)
		}
		return err
	})
	return r, err
}

// withTree calls do while held counts the tree of a body.
func withTree(body []byte, held *limits.Hold, do func() error) error {
	tree := pyjson.TreeBytes(body)
	if err := grow(held, tree); err != nil {
		return err
	}
	defer held.Shrink(tree)
	return do()
}

// parse parses a body. The error is FastAPI's answer to one that is no JSON.
func parse(body []byte) (*pyjson.Document, error) {
	if len(body) == 0 {
		return nil, errMissingBody()
	}
	d, err := pyjson.Parse(body)
	if err == nil {
		return d, nil
	}
	fault, ok := errors.AsType[*pyjson.SyntaxError](err)
	if !ok {
		return nil, errUnreadable()
	}
	invalid := rule("json_invalid", "JSON decode error",
		`{"error":`+string(pyjson.AppendString(nil, []byte(fault.Msg)))+`}`)
	return nil, &Error{Status: http.StatusUnprocessableEntity,
		Issues: []Issue{{Rule: invalid, In: "body", Index: fault.Position, Input: []byte("{}")}}}
}

// countItems returns how many elements the list has of which b begins behind the bracket, or -1 if
// it does not end. It looks only at brackets, commas and strings.
func countItems(b []byte) int {
	i := skipBlanks(b, 0)
	if i < len(b) && b[i] == ']' {
		return 0
	}
	n, depth := 1, 1
	for ; i < len(b); i++ {
		switch b[i] {
		case '"':
			for i++; i < len(b) && b[i] != '"'; i++ {
				if b[i] == '\\' {
					i++
				}
			}
		case '[', '{':
			depth++
		case ']', '}':
			if depth--; depth == 0 {
				return n
			}
		case ',':
			if depth == 1 {
				n++
			}
		}
	}
	return -1
}
