package predict

import (
	"bytes"
	"net/http"
	"slices"
	"strings"

	"tickercast/predict/pyjson"
)

// vary names request headers that an answer depends on, for caches between here and the client.
func vary(w http.ResponseWriter, headers string) { w.Header().Add("Vary", headers) }

// isStrict reports whether a request says Prefer: handling=strict (RFC 7240): then a field that is
// not known is an error. It tells the client that this holds.
func isStrict(w http.ResponseWriter, r *http.Request) bool {
	if r.Header["Prefer"] == nil {
		return false
	}
	for item := range strings.SplitSeq(strings.Join(r.Header["Prefer"], ","), ",") {
		item, _, _ = strings.Cut(item, ";")
		name, value, _ := strings.Cut(item, "=")
		if !strings.EqualFold(strings.Trim(name, " \t"), "handling") {
			continue
		}
		if !strings.EqualFold(strings.Trim(value, " \t\""), "strict") {
			return false // the first one counts
		}
		w.Header().Set("Preference-Applied", "handling=strict")
		return true
	}
	return false
}

var ruleExtra = rule("extra_forbidden", "Extra inputs are not permitted", "")

// A format is what an answer is written in.
type format int

const (
	formatJSON format = iota
	formatLines
	formatCSV
)

// around is what encloses the answers to a batch.
func (f format) around() (start, end string) {
	switch f {
	case formatJSON:
		return resultsOpen, resultsClose
	case formatCSV:
		return csvHead + ",error\n", ""
	}
	return "", ""
}

const (
	csvType   = "text/csv"
	linesType = "application/x-ndjson"
)

var ruleFormat = rule("literal_error", "Input should be 'json' or 'csv'",
	`{"expected":"'json' or 'csv'"}`)

// format returns what a request asks for by its query or, without one, by Accept. lines says
// whether JSON on lines is to be had.
func (q *query) format(accept []byte, lines bool) format {
	v, ok := q.value("format")
	switch {
	case !ok:
		return acceptedFormat(accept, lines)
	case string(v) == "csv":
		return formatCSV
	case string(v) != "json":
		q.fail(&ruleFormat, "query", "format", v)
	}
	return formatJSON
}

// acceptedFormat is JSON unless Accept names another one. CSV must be liked better than JSON, or as
// well and stand before it. A range such as */* is no name.
func acceptedFormat(accept []byte, lines bool) format {
	if len(accept) < len(csvType) { // such as */*, which most clients send
		return formatJSON
	}
	if lines && wantsNDJSON(accept) {
		return formatLines
	}
	likes, which := 0.0, formatJSON
	for more := len(accept) > 0; more; {
		var item []byte
		item, accept, more = bytes.Cut(accept, []byte(","))
		name, params, _ := bytes.Cut(item, []byte(";"))
		f := formatJSON
		switch name = bytes.Trim(name, " \t"); {
		case bytes.EqualFold(name, []byte(csvType)):
			f = formatCSV
		case !bytes.EqualFold(name, []byte("application/json")):
			continue
		}
		if w := weight(string(params)); w > likes {
			likes, which = w, f
		}
	}
	return which
}

// extra records the parameters of a strict request that have none of these names.
func (q *query) extra(names ...string) {
	for pair := range bytes.SplitSeq(q.raw, []byte("&")) {
		k, v, _ := bytes.Cut(pair, []byte("="))
		if name := string(unescapeQuery(k)); len(pair) > 0 && !slices.Contains(names, name) &&
			len(q.issues) < maxIssues {
			q.fail(&ruleExtra, "query", clip(name), unescapeQuery(v))
		}
	}
}

// extra records the fields of an object that have none of these names.
func (c *checker) extra(object int, names ...string) {
	for name, value := range c.Others(object, names...) {
		c.fail(&ruleExtra, clip(string(pyjson.ReplaceInvalid(name))), -1, value)
	}
}
