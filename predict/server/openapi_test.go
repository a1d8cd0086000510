package server

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/docs"
)

// An operation is the part of the document that must agree with the code.
type operation struct {
	Parameters  []parameter
	RequestBody struct {
		Content map[string]struct {
			Example  any
			Examples map[string]struct{ Value any }
		}
	}
}

type parameter struct {
	Ref      string `json:"$ref"`
	Name, In string
	Example  any
}

// document returns the operations by path and method, references of parameters followed.
func document(t *testing.T) map[string]map[string]operation {
	t.Helper()
	var doc struct {
		Paths      map[string]map[string]operation
		Components struct{ Parameters map[string]parameter }
	}
	require.NoError(t, json.Unmarshal(docs.JSON(), &doc))
	for _, methods := range doc.Paths {
		for _, op := range methods {
			for i, p := range op.Parameters {
				if name, ok := strings.CutPrefix(p.Ref, "#/components/parameters/"); ok {
					op.Parameters[i] = doc.Components.Parameters[name]
				}
			}
		}
	}
	return doc.Paths
}

func embeddedServing(t *testing.T) *serving {
	t.Helper()
	w, err := source{}.load(0)
	require.NoError(t, err)
	s, err := (&serveFlags{}).newServing(w, slog.New(slog.NewTextHandler(io.Discard, nil)))
	require.NoError(t, err)
	t.Cleanup(s.service.Close)
	return s
}

func TestDocumentHasTheRoutes(t *testing.T) {
	var got, want []string
	for path, methods := range document(t) {
		for method := range methods {
			got = append(got, strings.ToUpper(method)+" "+path)
		}
	}
	for _, r := range embeddedServing(t).routes() {
		want = append(want, r.pattern())
	}
	slices.Sort(got)
	slices.Sort(want)
	require.Equal(t, want, got)
}

// TestDocumentExamplesWork sends every example request of the document and wants an answer of a
// status that the document has for it: 200.
func TestDocumentExamplesWork(t *testing.T) {
	handler := embeddedServing(t).handler()
	sent := 0
	for path, methods := range document(t) {
		for method, op := range methods {
			target := path
			for _, p := range op.Parameters {
				if p.In != "path" {
					continue
				}
				example, ok := p.Example.(string)
				require.True(t, ok, "%s has no example for {%s}", path, p.Name)
				target = strings.ReplaceAll(target, "{"+p.Name+"}", example)
			}
			var bodies []any
			if c, ok := op.RequestBody.Content["application/json"]; ok {
				for _, e := range c.Examples {
					bodies = append(bodies, e.Value)
				}
				if c.Example != nil {
					bodies = append(bodies, c.Example)
				}
				require.NotEmpty(t, bodies, "%s %s has no example", method, path)
			} else {
				bodies = []any{nil}
			}
			for _, b := range bodies {
				body, err := json.Marshal(b)
				require.NoError(t, err)
				req := httptest.NewRequestWithContext(t.Context(), strings.ToUpper(method), target,
					strings.NewReader(string(body)))
				if b != nil {
					req.Header.Set("Content-Type", "application/json")
				}
				rec := httptest.NewRecorder()
				handler.ServeHTTP(rec, req)
				require.Equal(t, http.StatusOK, rec.Code, "%s %s %s: %s", method, target, body,
					rec.Body)
				sent++
			}
		}
	}
	require.Greater(t, sent, 12)
}
