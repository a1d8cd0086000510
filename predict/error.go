package predict

import "strconv"

// Error is a refusal in the shape that FastAPI gives it: a text, or the list of what is wrong with
// the request's values. It is the only error that a client ever sees.
type Error struct {
	Status int
	Detail string  // used when Issues is empty
	Issues []Issue // of a 422

	RetryAfter int // seconds; 0 says nothing of it

	redact bool // leave out what the client sent
	closes bool // the connection cannot be used again
}

// Issue is one thing wrong with one value.
type Issue struct {
	Rule  Rule
	In    string // body, query or path
	Field string // empty for the body as a whole
	Index int    // of a list's item, or the position of a syntax error; -1 for none
	Input []byte // the value as JSON, cut at 2 KiB
}

// A Rule is a check by the name that Pydantic gives it. Ctx is a JSON object or empty.
type Rule struct {
	Type, Msg, Ctx string
}

// Error describes the refusal on one line.
func (e *Error) Error() string {
	if len(e.Issues) == 0 {
		return e.Detail
	}
	i := e.Issues[0]
	s := i.In
	if i.Field != "" {
		s += "." + i.Field
	}
	return s + ": " + i.Rule.Msg
}

// AppendJSON appends the body of the answer.
func (e *Error) AppendJSON(dst []byte) []byte {
	return append(e.appendDetail(append(dst, '{')), '}')
}

func (e *Error) appendDetail(dst []byte) []byte {
	dst = append(dst, `"detail":`...)
	if len(e.Issues) == 0 {
		return appendString(dst, []byte(e.Detail))
	}
	dst = append(dst, '[')
	for i := range e.Issues {
		if i > 0 {
			dst = append(dst, ',')
		}
		dst = e.Issues[i].appendJSON(dst, e.redact)
	}
	return append(dst, ']')
}

func (i *Issue) appendJSON(dst []byte, redact bool) []byte {
	dst = append(dst, `{"type":"`...)
	dst = append(dst, i.Rule.Type...)
	dst = append(dst, `","loc":["`...)
	dst = append(dst, i.In...)
	dst = append(dst, '"')
	if i.Field != "" {
		dst = append(dst, `,"`...)
		dst = append(dst, i.Field...)
		dst = append(dst, '"')
	}
	if i.Index >= 0 {
		dst = append(dst, ',')
		dst = strconv.AppendInt(dst, int64(i.Index), 10)
	}
	dst = append(dst, `],"msg":`...)
	dst = appendString(dst, []byte(i.Rule.Msg))
	if !redact {
		dst = append(dst, `,"input":`...)
		dst = append(dst, i.Input...)
	}
	if i.Rule.Ctx != "" {
		dst = append(dst, `,"ctx":`...)
		dst = append(dst, i.Rule.Ctx...)
	}
	return append(dst, '}')
}

func errUnreadable() *Error {
	return &Error{Status: 400, Detail: "There was an error parsing the body"}
}

func errSyntax(text string, position int) *Error {
	rule := Rule{"json_invalid", "JSON decode error",
		`{"error":` + string(appendString(nil, []byte(text))) + `}`}
	return &Error{Status: 422,
		Issues: []Issue{{Rule: rule, In: "body", Index: position, Input: []byte("{}")}}}
}

func errUnknownTicker(ticker []byte) *Error {
	return &Error{Status: 404, Detail: "Unknown ticker '" + string(ticker) + "'"}
}
