package docs_test

import (
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// check reports what of a value does not fit a schema. It knows the JSON Schema keywords that the
// document uses and refuses all others, so that none is passed over in silence. It also refuses
// fields that the schema does not name, because an example should show only what is described.
func check(doc, schema map[string]any, v any, at string) []string {
	c := &checker{doc: doc}
	c.value(schema, v, at)
	return c.faults
}

type checker struct {
	doc    map[string]any
	faults []string
}

func (c *checker) fault(at, format string, args ...any) {
	c.faults = append(c.faults, at+": "+fmt.Sprintf(format, args...))
}

func (c *checker) fits(schema, v any) bool {
	return len(check(c.doc, schema.(map[string]any), v, "")) == 0
}

func (c *checker) value(schema map[string]any, v any, at string) {
	for keyword, want := range schema {
		switch keyword {
		case "$ref":
			c.value(resolve(c.doc, want.(string)).(map[string]any), v, at)
		case "type":
			if !isType(want.(string), v) {
				c.fault(at, "%v is no %v", v, want)
			}
		case "const":
			if v != want {
				c.fault(at, "%v is not %v", v, want)
			}
		case "enum":
			if !slices.Contains(want.([]any), v) {
				c.fault(at, "%v is none of %v", v, want)
			}
		case "anyOf":
			if !slices.ContainsFunc(want.([]any), func(s any) bool { return c.fits(s, v) }) {
				c.fault(at, "%v fits no choice", v)
			}
		case "if":
			then, _ := schema["then"].(map[string]any)
			if !c.fits(want, v) {
				then, _ = schema["else"].(map[string]any)
			}
			c.value(then, v, at)
		case "format":
			if s, ok := v.(string); want != "date" {
				c.fault(at, "unknown format %v", want)
			} else if _, err := time.Parse(time.DateOnly, s); ok && err != nil {
				c.fault(at, "%v", err)
			}
		case "minimum", "maximum":
			c.limit(keyword, want, v, at)
		case "multipleOf":
			if n, ok := v.(json.Number); ok && math.Mod(c.number(n, at), c.number(want, at)) != 0 {
				c.fault(at, "%v is no multiple of %v", v, want)
			}
		case "minLength", "maxLength", "minItems", "maxItems":
			c.length(keyword, want, v, at)
		case "items":
			list, _ := v.([]any)
			for i, e := range list {
				c.value(want.(map[string]any), e, fmt.Sprintf("%s/%d", at, i))
			}
		case "properties":
			c.properties(schema, v, at)
		case "required":
			c.required(want.([]any), v, at)
		case "then", "else", "additionalProperties", "title", "description", "default":
			// The first three belong to if and properties, the others say nothing of the value.
		default:
			c.fault(at, "this checker does not know the keyword %q", keyword)
		}
	}
}

func (c *checker) number(x any, at string) float64 {
	f, err := x.(json.Number).Float64()
	if err != nil {
		c.fault(at, "%v is no number", x)
	}
	return f
}

func (c *checker) limit(keyword string, want, v any, at string) {
	n, ok := v.(json.Number)
	if !ok {
		return
	}
	x, limit := c.number(n, at), c.number(want, at)
	if keyword == "minimum" && x < limit || keyword == "maximum" && x > limit {
		c.fault(at, "%v is beyond the %s %v", v, keyword, want)
	}
}

func (c *checker) length(keyword string, want, v any, at string) {
	n := -1
	if s, ok := v.(string); ok && strings.HasSuffix(keyword, "Length") {
		n = utf8.RuneCountInString(s)
	} else if l, ok := v.([]any); ok && strings.HasSuffix(keyword, "Items") {
		n = len(l)
	}
	limit := int(c.number(want, at))
	if n >= 0 && (strings.HasPrefix(keyword, "min") && n < limit ||
		strings.HasPrefix(keyword, "max") && n > limit) {
		c.fault(at, "%d is beyond the %s %d", n, keyword, limit)
	}
}

func (c *checker) properties(schema map[string]any, v any, at string) {
	o, _ := v.(map[string]any)
	for name, e := range o {
		p, ok := schema["properties"].(map[string]any)[name].(map[string]any)
		if ok {
			c.value(p, e, at+"/"+name)
		} else if schema["additionalProperties"] != true {
			c.fault(at, "field %q is not described", name)
		}
	}
}

func (c *checker) required(names []any, v any, at string) {
	o, ok := v.(map[string]any)
	if !ok {
		return
	}
	for _, name := range names {
		if _, ok := o[name.(string)]; !ok {
			c.fault(at, "field %q is missing", name)
		}
	}
}

func isType(name string, v any) bool {
	switch name {
	case "string":
		_, ok := v.(string)
		return ok
	case "array":
		_, ok := v.([]any)
		return ok
	case "object":
		_, ok := v.(map[string]any)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "null":
		return v == nil
	case "number", "integer":
		n, ok := v.(json.Number)
		if !ok {
			return false
		}
		f, err := n.Float64()
		return err == nil && (name == "number" || f == math.Trunc(f))
	}
	return false
}

// resolve follows a reference inside the document. A reference that leads nowhere gives nil.
func resolve(doc map[string]any, ref string) any {
	var at any = doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		o, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = o[strings.ReplaceAll(part, "~1", "/")]
	}
	return at
}
