package docs_test

import (
	"fmt"
	"slices"
)

// poorContrast lists the texts whose colour is too close to what is behind them.
const poorContrast = `(() => {
	const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
	const rgba = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return canvas.getImageData(0, 0, 1, 1).data; };
	const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, k, i) => {
		const v = c[i] / 255;
		return sum + k * (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
	}, 0);
	const behind = (e) => { for (; e; e = e.parentElement) { const c = rgba(getComputedStyle(e).backgroundColor); if (c[3] === 255) return c; } return rgba("white"); };
	const poor = new Set();
	const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
	while (walk.nextNode()) {
		const e = walk.currentNode.parentElement;
		if (!walk.currentNode.data.trim() || !e.checkVisibility({ visibilityProperty: true }) || ["OPTION", "NOSCRIPT"].includes(e.tagName)) continue;
		const style = getComputedStyle(e);
		const [a, b] = [light(rgba(e instanceof SVGElement ? style.fill : style.color)), light(behind(e))].sort((x, y) => y - x);
		const ratio = (a + 0.05) / (b + 0.05);
		if (ratio < 4.5) poor.add(ratio.toFixed(2) + " " + e.tagName + "." + e.getAttribute("class") + " " + walk.currentNode.data.trim().slice(0, 40));
	}
	return [...poor];
})()`

// nameless lists what can be focused and has no name in the tree that a screen reader is given.
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
