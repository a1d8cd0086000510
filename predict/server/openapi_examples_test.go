package server_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"math"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/docs"
	"tickercast/predict/server"
)

var update = flag.Bool("update", false,
	"write the server's answers into the examples of docs/openapi.json")

// An example is a 200 of the document and the request that it answers.
type example struct {
	route, kind    string
	name           string // of one of several
	target, body   string
	operation      operation
	value          any
	pathOfResponse []string // where in the document it is
}

// examplesOf lists the examples of the document. The example of a request and that of its answer
// have the same name.
func examplesOf(t *testing.T) (list []example) {
	for _, route := range slices.Sorted(maps.Keys(document(t))) {
		op := document(t)[route]
		method, path, _ := strings.Cut(route, " ")
		target, query := path, url.Values{}
		for _, p := range op.Parameters {
			switch {
			case p.Name == "version":
				target = strings.ReplaceAll(target, "{version}", servedVersion())
			case p.In == "path":
				target = strings.ReplaceAll(target, "{"+p.Name+"}", p.Example.(string))
			case p.In == "query":
				query.Set(p.Name, fmt.Sprint(p.Example))
			}
		}
		if len(query) > 0 {
			target += "?" + query.Encode()
		}
		for kind, media := range op.Responses["200"].Content {
			if kind == "application/octet-stream" {
				continue // an example would show nothing
			}
			at := []string{"paths", path, strings.ToLower(method), "responses", "200", "content",
				kind}
			e := example{route: route, kind: kind, target: target, operation: op}
			requests := op.RequestBody.Content["application/json"].Examples
			require.Equal(t, slices.Sorted(maps.Keys(requests)),
				slices.Sorted(maps.Keys(media.Examples)), "%s: examples of requests and of %s",
				route, kind)
			for name, answer := range media.Examples {
				body, err := json.Marshal(requests[name].Value)
				require.NoError(t, err)
				e.name, e.body, e.value = name, string(body), answer.Value
				e.pathOfResponse = slices.Concat(at, []string{"examples", name, "value"})
				list = append(list, e)
			}
			if media.Example != nil {
				e.value, e.pathOfResponse = media.Example, slices.Concat(at, []string{"example"})
				list = append(list, e)
			}
		}
	}
	return list
}

// TestExamplesAreAnswers compares the examples of the document with what a server answers from the
// prices and the weights that it embeds. After a change of these,
//
//	go test ./predict/server -run TestExamplesAreAnswers -update
//
// writes the examples anew.
func TestExamplesAreAnswers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) {
			c.CalibrationDays = server.Default().CalibrationDays
		})
		time.Sleep(time.Minute) // until the calibration is judged
		doc := docs.JSON()
		compared := 0
		for _, e := range examplesOf(t) {
			method, _, _ := strings.Cut(e.route, " ")
			resp, body := r.public.ask(t, method, e.target, e.body, "Accept: "+e.kind)
			require.Equal(t, 200, resp.StatusCode, "%s %s: %s", e.route, e.name, body)
			var got any = body
			if e.kind == "application/json" {
				require.NoError(t, json.Unmarshal([]byte(body), &got))
			}
			if e.route == "GET /v2" { // a test is of no version
				got.(map[string]any)["version"] = e.value.(map[string]any)["version"]
				raw, err := json.Marshal(got)
				require.NoError(t, err)
				body = string(raw)
			}
			compared++
			if alike(e.value, got) {
				continue
			}
			if !*update {
				t.Errorf("%s, %s, example %q: the server answers %s", e.route, e.kind, e.name, body)
				continue
			}
			value := []byte(body)
			if e.kind != "application/json" {
				value, _ = json.Marshal(body)
			}
			from, to := span(t, doc, e.pathOfResponse)
			doc = slices.Concat(doc[:from], layout(t, value, doc[:from]), doc[to:])
		}
		require.Greater(t, compared, 15)
		from, to := span(t, doc, []string{"components", "parameters", "ModelVersion", "example"})
		if version := strconv.Quote(servedVersion()); *update {
			doc = slices.Concat(doc[:from], []byte(version), doc[to:])
		} else {
			require.Equal(t, version, string(doc[from:to]), "the version in the document")
		}
		if *update {
			require.NoError(t, os.WriteFile("../../docs/openapi.json", doc, 0o644))
		}
	})
}

// alike reports whether two values are the same but for the last digits of numbers, in which
// processors differ.
func alike(a, b any) bool {
	switch a := a.(type) {
	case float64:
		b, ok := b.(float64)
		return ok && math.Abs(a-b) <= 1e-6*math.Max(math.Abs(a), math.Abs(b))
	case []any:
		b, ok := b.([]any)
		return ok && slices.EqualFunc(a, b, alike)
	case map[string]any:
		b, ok := b.(map[string]any)
		return ok && maps.EqualFunc(a, b, alike)
	}
	return a == b
}

// span is where in a document the value at a path is.
func span(t *testing.T, doc []byte, path []string) (from, to int) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(doc))
	for _, name := range path {
		_, err := dec.Token() // the brace
		require.NoError(t, err)
		for {
			key, err := dec.Token()
			require.NoError(t, err, "no %q of %q", name, path)
			if key == name {
				break
			}
			require.NoError(t, dec.Decode(new(json.RawMessage)))
		}
	}
	var value json.RawMessage
	require.NoError(t, dec.Decode(&value))
	to = int(dec.InputOffset())
	return to - len(value), to
}

// layout writes a value as the document is written: on one line if it fits, otherwise an item a
// line. It goes behind the given text.
func layout(t *testing.T, value, before []byte) []byte {
	t.Helper()
	line := before[bytes.LastIndexByte(before, '\n')+1:]
	indent := line[:len(line)-len(bytes.TrimLeft(line, " "))]
	var wide bytes.Buffer
	require.NoError(t, json.Indent(&wide, value, string(indent), "  "))
	lines := strings.Split(string(line)+wide.String(), "\n")
	// A bracket and what it holds become one line where they fit, the innermost first.
	for i := len(lines) - 1; i >= 0; i-- {
		if !strings.HasSuffix(lines[i], "{") && !strings.HasSuffix(lines[i], "[") {
			continue
		}
		depth := func(s string) int { return len(s) - len(strings.TrimLeft(s, " ")) }
		end := i + 1
		for depth(lines[end]) > depth(lines[i]) {
			end++
		}
		short := lines[i]
		for j, l := range lines[i+1 : end+1] {
			if j > 0 && j < end-i-1 {
				short += " "
			}
			short += strings.TrimLeft(l, " ")
		}
		if len(short) <= 118 {
			lines = slices.Concat(lines[:i], []string{short}, lines[end+1:])
		}
	}
	return []byte(strings.Join(lines, "\n")[len(line):])
}
