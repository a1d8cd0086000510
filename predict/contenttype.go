package predict

import "strings"

// isJSON reports whether a Content-Type announces JSON, as Python's email package reads it: what stands before the first
// semicolon must be application/json or application/...+json in any case.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	t, _, _ := strings.Cut(contentType, ";")
	t = strings.ToLower(strings.Trim(t, " \t\x85\xa0")) // the blanks of Latin-1 that a header may hold
	sub, ok := strings.CutPrefix(t, "application/")
	return ok && !strings.Contains(sub, "/") && (sub == "json" || strings.HasSuffix(sub, "+json"))
}

// errNotJSON is the answer to a body of another type: it is no object but a string.
func errNotJSON(body []byte) *Error {
	if len(body) == 0 {
		return errMissingBody()
	}
	input := capEcho(appendString(nil, replaceInvalid(body)))
	return &Error{Status: 422, Issues: []Issue{{Rule: ruleBody, In: "body", Index: -1, Input: input}}}
}
