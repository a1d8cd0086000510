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

// check reports what of a value does not fit a schema: a small JSON Schema for the keywords that
// the document uses. It refuses keywords that it does not know, so that none is passed over in
// silence, and fields that the schema does not name, because an example should show nothing that is
// not described.
func check(doc map[string]any, schema map[string]any, v any, at string) (faults []string) {
	fault := func(format string, args ...any) {
		faults = append(faults,
			at+": "+fmt.Sprintf(format, args...))
	}
	number := func(x any) float64 {
		f, err := x.(json.Number).Float64()
		if err != nil {
			fault("%v is no number", x)
		}
		return f
	}
	for keyword, want := range schema {
		switch keyword {
		case "$ref":
			faults = append(faults, check(doc, resolve(doc, want.(string)).(map[string]any), v,
				at)...)
		case "type":
			if !isType(want.(string), v) {
				fault("%v is no %v", v, want)
			}
		case "const":
			if v != want {
				fault("%v is not %v", v, want)
			}
		case "enum":
			if !slices.Contains(want.([]any), v) {
				fault("%v is none of %v", v, want)
			}
		case "anyOf":
			if !slices.ContainsFunc(want.([]any),
				func(s any) bool { return len(check(doc, s.(map[string]any), v, at)) == 0 }) {
				fault("%v fits no choice", v)
			}
		case "if":
			if len(check(doc, want.(map[string]any), v, at)) == 0 {
				faults = append(faults, check(doc, schema["then"].(map[string]any), v, at)...)
			}
		case "then", "additionalProperties": // see if and properties
		case "minimum", "maximum":
			if n, ok := v.(json.Number); ok {
				if x, limit := number(n), number(want); keyword == "minimum" && x < limit ||
					keyword == "maximum" && x > limit {
					fault("%v is beyond the %s %v", v, keyword, want)
				}
			}
		case "minLength", "maxLength", "minItems", "maxItems":
			n := -1
			if s, ok := v.(string); ok && strings.HasSuffix(keyword, "Length") {
				n = utf8.RuneCountInString(s)
			} else if l, ok := v.([]any); ok && strings.HasSuffix(keyword, "Items") {
				n = len(l)
			}
			limit := int(number(want))
			if n >= 0 && (strings.HasPrefix(keyword, "min") && n < limit ||
				strings.HasPrefix(keyword, "max") && n > limit) {
				fault("%d is beyond the %s %d", n, keyword, limit)
			}
		case "format":
			if s, ok := v.(string); want != "date" {
				fault("unknown format %v", want)
			} else if _, err := time.Parse(time.DateOnly, s); ok && err != nil {
				fault("%v", err)
			}
		case "items":
			if l, ok := v.([]any); ok {
				for i, e := range l {
					faults = append(faults, check(doc, want.(map[string]any), e,
						fmt.Sprintf("%s/%d", at, i))...)
				}
			}
		case "properties":
			if o, ok := v.(map[string]any); ok {
				for name, e := range o {
					p, ok := want.(map[string]any)[name].(map[string]any)
					if !ok {
						if schema["additionalProperties"] != true {
							fault("field %q is not described", name)
						}
						continue
					}
					faults = append(faults, check(doc, p, e, at+"/"+name)...)
				}
			}
		case "required":
			if o, ok := v.(map[string]any); ok {
				for _, name := range want.([]any) {
					if _, ok := o[name.(string)]; !ok {
						fault("field %q is missing", name)
					}
				}
			}
		case "title", "description", "default":
		default:
			fault("this checker does not know the keyword %q", keyword)
		}
	}
	return faults
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

// resolve follows a reference inside the document; nil means that it leads nowhere.
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
