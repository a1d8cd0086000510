package predict

import "strings"

// isJSON reports whether a Content-Type announces JSON, as Python's email package reads it: what
// stands before the first semicolon must be application/json or application/...+json in any case.
func isJSON(contentType string) bool {
	if contentType == "application/json" {
		return true
	}
	// A header is Latin-1 to Python. Package strings would read it as UTF-8, where any byte that is
	// no character equals any other, and İ in lower case is i.
	t, _, _ := strings.Cut(contentType, ";")
	for t != "" && isLatin1Blank(t[0]) {
		t = t[1:]
	}
	for t != "" && isLatin1Blank(t[len(t)-1]) {
		t = t[:len(t)-1]
	}
	t = strings.Map(lowerASCII, t)
	sub, ok := strings.CutPrefix(t, "application/")
	return ok && !strings.Contains(sub, "/") && (sub == "json" || strings.HasSuffix(sub, "+json"))
}

// isLatin1Blank is true of what Python's strip takes off; net/http lets few of them into a header.
func isLatin1Blank(c byte) bool {
	return c == ' ' || '\t' <= c && c <= '\r' || 0x1C <= c && c <= 0x1F || c == 0x85 || c == 0xA0
}

func lowerASCII(r rune) rune {
	if 'A' <= r && r <= 'Z' {
		r += 'a' - 'A'
	}
	return r
}

// errNotJSON is the answer to a body of another type: it is no object but a string.
func errNotJSON(body []byte) *Error {
	if len(body) == 0 {
		return errMissingBody()
	}
	input := capEcho(appendString(nil, replaceInvalid(body)))
	return &Error{Status: 422,
		Issues: []Issue{{Rule: ruleBody, In: "body", Index: -1, Input: input}}}
}
