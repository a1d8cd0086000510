package docs_test

import (
	"fmt"
	"os"
	"slices"
)

// poorContrast lists the texts whose colour is too close to that of their background.
func (p *tab) poorContrast() (out []string) {
	p.t.Helper()
	js, err := os.ReadFile("testdata/contrast.js")
	if err != nil {
		p.t.Fatal(err)
	}
	p.eval(string(js), &out)
	return out
}

// nameless lists the elements that can take the focus but have no name for a screen reader.
func (p *tab) nameless() (out []string) {
	type value struct{ Value any }
	var tree struct {
		Nodes []struct {
			Ignored    bool
			Role, Name value
			Properties []struct {
				Name  string
				Value value
			}
		}
	}
	// Enabled only here, as it makes each later change of the page slower.
	p.call("Accessibility.enable", nil, nil)
	p.call("Accessibility.getFullAXTree", nil, &tree)
	seen := 0
	for _, n := range tree.Nodes {
		focusable := slices.ContainsFunc(n.Properties, func(q struct {
			Name  string
			Value value
		}) bool {
			return q.Name == "focusable" && q.Value.Value == true
		})
		if n.Ignored || !focusable || n.Role.Value == "RootWebArea" {
			continue
		}
		seen++
		if n.Name.Value == nil || n.Name.Value == "" {
			out = append(out, fmt.Sprint(n.Role.Value))
		}
	}
	if seen < 50 {
		p.t.Errorf("only %d elements can be focused: the tree was not read", seen)
	}
	return out
}
