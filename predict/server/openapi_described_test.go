package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// described is an answer as the document has it.
type described struct {
	Ref     string `json:"$ref"`
	Headers map[string]any
	Content map[string]struct {
		Example  any
		Examples map[string]struct{ Value any }
	}
}

// fits wants an answer to be as described: the headers, the type, and for JSON the fields of an
// example. It returns the type.
func (d described) fits(t *testing.T, key string, header http.Header, body string) string {
	t.Helper()
	for name := range d.Headers {
		require.NotEmpty(t, header.Get(name), "%s: header %s", key, name)
	}
	if len(d.Content) == 0 {
		require.Empty(t, body, key)
		return ""
	}
	kind, _, _ := strings.Cut(header.Get("Content-Type"), ";")
	media, ok := d.Content[kind]
	require.True(t, ok, "%s: comes as %q", key, kind)
	examples := []any{media.Example}
	for _, e := range media.Examples {
		examples = append(examples, e.Value)
	}
	if kind != "application/json" || len(examples) == 1 && media.Example == nil {
		return kind
	}
	var got any
	require.NoError(t, json.Unmarshal([]byte(body), &got), key)
	var want []string
	for _, e := range examples {
		want = append(want, shape(e))
	}
	require.Contains(t, want, shape(got), "%s: none of its examples is like %s", key, body)
	return kind
}

// examples are those of JSON.
func (d described) examples() (list []any) {
	media := d.Content["application/json"]
	for _, e := range media.Examples {
		list = append(list, e.Value)
	}
	if media.Example != nil {
		list = append(list, media.Example)
	}
	return list
}

// canonical writes equal values alike.
func canonical(t *testing.T, v any) string {
	raw, err := json.Marshal(v)
	require.NoError(t, err)
	return string(raw)
}

// shape is a value without its contents: field names and kinds, of a list the shapes that occur in
// it. The input and the ctx of an error are left out, since they depend on what was wrong.
func shape(v any) string {
	switch v := v.(type) {
	case map[string]any:
		var fields []string
		for _, name := range slices.Sorted(maps.Keys(v)) {
			if name != "input" && name != "ctx" {
				fields = append(fields, name+":"+shape(v[name]))
			}
		}
		return "{" + strings.Join(fields, ",") + "}"
	case []any:
		kinds := map[string]bool{}
		for _, e := range v {
			kinds[shape(e)] = true
		}
		return "[" + strings.Join(slices.Sorted(maps.Keys(kinds)), "|") + "]"
	default:
		return fmt.Sprintf("%T", v)
	}
}
