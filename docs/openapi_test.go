package docs_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"tickercast/docs"
)

// document is the part of openapi.json that the tests read by name.
type document struct {
	Paths map[string]map[string]operation
}

type operation struct {
	OperationID, Summary, Description string
	Tags                              []string
	Responses                         map[string]struct {
		Content map[string]media
	}
}

type media struct {
	Example  any
	Examples map[string]struct{ Value any }
}

// first is an example, or nil where there is none.
func (m media) first() any {
	for _, name := range slices.Sorted(maps.Keys(m.Examples)) {
		return m.Examples[name].Value
	}
	return m.Example
}

func parseDocument(t *testing.T) (d document) {
	t.Helper()
	if err := json.Unmarshal(docs.JSON(), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// parseTree decodes JSON and keeps numbers as they are written.
func parseTree(t *testing.T, raw []byte) (tree map[string]any) {
	t.Helper()
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	if err := dec.Decode(&tree); err != nil {
		t.Fatal(err)
	}
	return tree
}

// walk visits every object of a tree. The visitor also gets the object's path.
func walk(at string, v any, visit func(at string, o map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(at, v)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			walk(at+"/"+strings.ReplaceAll(k, "/", "~1"), v[k], visit)
		}
	case []any:
		for i, e := range v {
			walk(fmt.Sprintf("%s/%d", at, i), e, visit)
		}
	}
}

func TestReferencesResolve(t *testing.T) {
	doc := parseTree(t, docs.JSON())
	used := map[string]bool{}
	walk("#", doc, func(_ string, o map[string]any) {
		for _, choice := range asList(o["security"]) {
			for name := range choice.(map[string]any) {
				used["#/components/securitySchemes/"+name] = true
			}
		}
		if ref, ok := o["$ref"].(string); ok {
			used[ref] = true
		}
	})
	for ref := range used {
		if resolve(doc, ref) == nil {
			t.Errorf("%s leads nowhere", ref)
		}
	}
	for kind, parts := range doc["components"].(map[string]any) {
		for name := range parts.(map[string]any) {
			if ref := "#/components/" + kind + "/" + name; !used[ref] {
				t.Errorf("nothing refers to %s", ref)
			}
		}
	}
}

func asList(v any) []any {
	l, _ := v.([]any)
	return l
}

func TestOperations(t *testing.T) {
	ids := map[string]string{}
	inPath := regexp.MustCompile(`\{(\w+)\}`)
	doc := parseTree(t, docs.JSON())
	for path, methods := range parseDocument(t).Paths {
		for method, op := range methods {
			name := method + " " + path
			if other, taken := ids[op.OperationID]; taken || op.OperationID == "" {
				t.Errorf("%s: operationId %q is that of %q", name, op.OperationID, other)
			}
			ids[op.OperationID] = name
			if len(op.Tags) != 1 || op.Summary == "" || op.Description == "" {
				t.Errorf("%s: want one tag, a summary and a description", name)
			}
			// Every route can answer these.
			for _, status := range []string{"200", "307", "405", "431"} {
				if _, ok := op.Responses[status]; !ok {
					t.Errorf("%s: status %s is not described", name, status)
				}
			}
			var want, got []string
			for _, m := range inPath.FindAllStringSubmatch(path, -1) {
				want = append(want, m[1])
			}
			raw := resolve(doc, "#/paths/"+strings.ReplaceAll(path, "/",
				"~1")+"/"+method).(map[string]any)
			for _, p := range asList(raw["parameters"]) {
				p := p.(map[string]any)
				if ref, ok := p["$ref"].(string); ok {
					p = resolve(doc, ref).(map[string]any)
				}
				if p["in"] == "path" {
					got = append(got, p["name"].(string))
				}
			}
			if !slices.Equal(got, want) {
				t.Errorf("%s: path parameters %q, want %q", name, got, want)
			}
		}
	}
	// Generated clients have methods of these names.
	for _, id := range []string{"predict_predict_post", "health_health_get"} {
		if _, ok := ids[id]; !ok {
			t.Errorf("no operation %s", id)
		}
	}
}

func TestExamplesFitTheirSchemas(t *testing.T) {
	doc := parseTree(t, docs.JSON())
	checked := 0
	walk("#", doc, func(at string, o map[string]any) {
		schema, ok := o["schema"].(map[string]any)
		if !ok {
			return
		}
		examples := map[string]any{}
		if e, ok := o["example"]; ok {
			examples["example"] = e
		}
		if named, ok := o["examples"].(map[string]any); ok {
			for name, e := range named {
				examples["examples/"+name] = e.(map[string]any)["value"]
			}
		}
		if len(examples) == 0 && strings.HasSuffix(at, "/application~1json") &&
			!strings.Contains(at, "openapi.json") {
			t.Errorf("%s: no example", at)
		}
		for name, e := range examples {
			checked++
			for _, fault := range check(doc, schema, e, at+"/"+name) {
				t.Error(fault)
			}
		}
	})
	if checked < 30 {
		t.Errorf("only %d examples were found", checked)
	}
}

// TestDefaultsFitTheirSchemas checks the default of each schema that has one.
func TestDefaultsFitTheirSchemas(t *testing.T) {
	doc := parseTree(t, docs.JSON())
	walk("#", doc, func(at string, o map[string]any) {
		if d, ok := o["default"]; ok {
			for _, fault := range check(doc, o, d, at) {
				t.Error(fault)
			}
		}
	})
}

func TestCheckerFindsFaults(t *testing.T) {
	doc := parseTree(t, docs.JSON())
	for _, c := range []struct{ schema, value, want string }{
		{"PredictionRequest", `{"days_ahead":5}`, `field "ticker" is missing`},
		{"PredictionRequest", `{"ticker":""}`, "minLength"},
		{"PredictionRequest", `{"ticker":"ABCDEFGHIJK"}`, "maxLength"},
		{"PredictionRequest", `{"ticker":"A","days_ahead":31}`, "maximum"},
		{"PredictionRequest", `{"ticker":"A","days_ahead":1.5}`, "is no integer"},
		{"PredictionRequest", `{"ticker":"A","confidence_interval":0.7}`, "minimum"},
		{"PredictionRequest", `{"ticker":"A","history":[1,2,3]}`, "fits no choice"},
		{"PredictionRequest", `{"ticker":"A","as_of":"2026-02-30"}`, "fits no choice"},
		{"PredictionRequest", `{"ticker":"A","calendar":"XNYS"}`, `field "history" is missing`},
		{"PredictionRequest", `{"ticker":"A","day":1}`, `field "day" is not described`},
		{"Health", `{"status":"ill"}`, "is not healthy"},
		{"Readiness", `{"status":"maybe","reasons":[]}`, "is none of"},
	} {
		schema := resolve(doc, "#/components/schemas/"+c.schema).(map[string]any)
		got := strings.Join(check(doc, schema, any(parseTree(t, []byte(c.value))), c.schema), "; ")
		if !strings.Contains(got, c.want) {
			t.Errorf("%s as %s: got faults %q, want one with %q", c.value, c.schema, got, c.want)
		}
	}
}

// TestHoldsTheInheritedDocument compares with the document of the FastAPI service whose contract
// this server answers, as FastAPI writes it. Clients were generated from it, so all of it must be
// in this one, with the same names, titles, limits and defaults.
func TestHoldsTheInheritedDocument(t *testing.T) {
	var compare func(at string, got, want any)
	compare = func(at string, got, want any) {
		w, ok := want.(map[string]any)
		if !ok {
			if g, w := fmt.Sprint(got), fmt.Sprint(want); g != w {
				t.Errorf("%s: got %s, want %s", at, g, w)
			}
			return
		}
		g, ok := got.(map[string]any)
		if !ok {
			t.Errorf("%s: got %v, want an object", at, got)
			return
		}
		for k := range w {
			compare(at+"/"+k, g[k], w[k])
		}
	}
	inherited, err := os.ReadFile("testdata/fastapi.json")
	if err != nil {
		t.Fatal(err)
	}
	compare("#", parseTree(t, docs.JSON()), parseTree(t, inherited))
}
