package docs

import (
	"bytes"
	"encoding/json"
	"fmt"
	"html"
	"strings"
)

// complete fills in what index.html leaves open: the routes for readers without JavaScript, and
// whether requests need a key.
func complete(page, document []byte, keys bool) []byte {
	page = bytes.Replace(page, []byte("<!-- routes -->\n"), []byte(routes(document)), 1)
	if keys {
		page = bytes.Replace(page, []byte(`<html lang="en">`),
			[]byte(`<html lang="en" data-keys="asked">`), 1)
		page = bytes.Replace(page, []byte(`<form id="auth" hidden>`), []byte(`<form id="auth">`), 1)
	}
	return page
}

// routes lists the operations of a document as HTML, by tag, in the order of the document.
func routes(document []byte) string {
	var doc struct {
		Tags  []struct{ Name, Description string }
		Paths ordered[ordered[struct {
			OperationID, Summary, Description string
			Tags                              []string
		}]]
	}
	if err := json.Unmarshal(document, &doc); err != nil {
		panic(err) // cannot happen: the document is embedded
	}
	var b strings.Builder
	for _, tag := range doc.Tags {
		fmt.Fprintf(&b, "<h2>%s</h2>\n<dl>\n", html.EscapeString(tag.Name))
		for _, item := range doc.Paths {
			for _, op := range item.value {
				if len(op.value.Tags) == 0 || op.value.Tags[0] != tag.Name {
					continue
				}
				fmt.Fprintf(&b, "<dt id=\"%s\">%s <code>%s %s</code></dt>\n<dd>%s</dd>\n",
					op.value.OperationID, html.EscapeString(op.value.Summary),
					strings.ToUpper(op.key), html.EscapeString(item.key),
					html.EscapeString(strings.ReplaceAll(op.value.Description, "`", "")))
			}
		}
		b.WriteString("</dl>\n")
	}
	return b.String()
}

// ordered is a JSON object whose fields keep their order, unlike those of a map.
type ordered[T any] []entry[T]

type entry[T any] struct {
	key   string
	value T
}

func (o *ordered[T]) UnmarshalJSON(raw []byte) error {
	dec := json.NewDecoder(bytes.NewReader(raw))
	if _, err := dec.Token(); err != nil { // the brace
		return err
	}
	for dec.More() {
		key, err := dec.Token()
		if err != nil {
			return err
		}
		var e entry[T]
		e.key, _ = key.(string)
		if err := dec.Decode(&e.value); err != nil {
			return err
		}
		*o = append(*o, e)
	}
	return nil
}
