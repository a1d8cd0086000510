package server_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tickercast/docs"
)

// An operation is the part of the document that must agree with the server.
type operation struct {
	Parameters  []parameter
	RequestBody struct {
		Content map[string]struct {
			Example  any
			Examples map[string]struct{ Value any }
		}
	}
	Responses map[string]described
}

type parameter struct {
	Ref      string `json:"$ref"`
	Name, In string
	Example  any
}

// document returns the operations by route, "GET /health", with references followed.
func document(t *testing.T) map[string]operation {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]operation
		Components struct {
			Parameters map[string]parameter
			Responses  map[string]described
		}
	}
	require.NoError(t, json.Unmarshal(docs.JSON(), &doc))
	operations := map[string]operation{}
	for path, methods := range doc.Paths {
		for method, op := range methods {
			for i, p := range op.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					op.Parameters[i] = doc.Components.Parameters[name]
				}
			}
			for status, d := range op.Responses {
				if name, ok := strings.CutPrefix(d.Ref, "#/components/responses/"); ok {
					op.Responses[status] = doc.Components.Responses[name]
				}
			}
			operations[strings.ToUpper(method)+" "+path] = op
		}
	}
	return operations
}

var aSeries = regexp.MustCompile(
	`(?m)^http_request_duration_seconds_count\{method="([A-Z]+)",route="([^"]+)"\} `)

// routes are those that the server measures, which are all that it has.
func (r *running) routes() (routes []string) {
	for _, m := range aSeries.FindAllStringSubmatch(r.metrics(), -1) {
		routes = append(routes, m[1]+" "+m[2])
	}
	slices.Sort(routes)
	return routes
}

func TestDocumentHasTheRoutes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		want := slices.Sorted(maps.Keys(document(t)))
		require.Equal(t, want, start(t, inMemory(), nil).routes())
	})
}

// TestDocumentExamplesWork sends every example request of the document. Each must get a 200, which
// must be one of the answers that the document has.
func TestDocumentExamplesWork(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), nil)
		sent := 0
		for route, op := range document(t) {
			require.Contains(t, op.Responses, "200", route)
			method, target, _ := strings.Cut(route, " ")
			for _, p := range op.Parameters {
				if p.In != "path" {
					continue
				}
				example, ok := p.Example.(string)
				require.True(t, ok, "%s has no example for {%s}", route, p.Name)
				if p.Name == "version" {
					example = servedVersion() // the document's own is only like it
				}
				target = strings.ReplaceAll(target, "{"+p.Name+"}", example)
			}
			bodies := []string{""}
			if c, ok := op.RequestBody.Content["application/json"]; ok {
				examples := []any{}
				for _, e := range c.Examples {
					examples = append(examples, e.Value)
				}
				if c.Example != nil {
					examples = append(examples, c.Example)
				}
				require.NotEmpty(t, examples, "%s has no example", route)
				bodies = nil
				for _, e := range examples {
					body, err := json.Marshal(e)
					require.NoError(t, err)
					bodies = append(bodies, string(body))
				}
			}
			for _, body := range bodies {
				resp, answer := r.public.ask(t, method, target, body)
				require.Equal(t, http.StatusOK, resp.StatusCode, "%s %s: %s", route, body, answer)
				sent++
			}
		}
		require.Greater(t, sent, 12)
	})
}
