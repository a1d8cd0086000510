package docs_test

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// testHeadings wants each heading once, one level below the last.
func testHeadings(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs", desktop)
	p.openAll()
	var headings []struct {
		Level int
		Text  string
	}
	p.eval(`[...document.querySelectorAll("h1, h2, h3, h4, h5, h6")]
		.map((h) => ({ Level: +h.tagName[1], Text: h.textContent }))`, &headings)
	seen, last := map[string]bool{}, 0
	for _, h := range headings {
		if seen[h.Text] {
			t.Errorf("heading %q stands twice", h.Text)
		}
		if h.Level > last+1 {
			t.Errorf("heading %q: level %d follows %d", h.Text, h.Level, last)
		}
		seen[h.Text], last = true, h.Level
	}
	p.same("elements with a label but no role",
		`document.querySelectorAll("pre[aria-label]:not([role]), div[aria-label]:not([role])").length`,
		"0")
}

// openAll opens all folds, also those within others, and waits until they are filled.
func (p *tab) openAll() {
	p.t.Helper()
	p.eval(`(async () => {
		for (let shut; (shut = document.querySelectorAll("details:not([open])")).length;) {
			for (const d of shut) d.open = true;
			await new Promise((r) => setTimeout(r, 5));
		}
	})()`, nil)
}

func (p *tab) media(kind string, features ...string) {
	p.t.Helper()
	list := []any{}
	for i := 0; i < len(features); i += 2 {
		list = append(list, map[string]any{"name": features[i], "value": features[i+1]})
	}
	p.call("Emulation.setEmulatedMedia", map[string]any{"media": kind, "features": list}, nil)
}

func testMedia(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs", desktop)
	p.eval(`document.querySelector("#calibration").scrollIntoView()`, nil)
	p.wait(`document.querySelector(".reliability svg")`)
	p.eval(`dispatchEvent(new Event("beforeprint"))`, nil)
	p.media("print")
	p.same("everything is open on paper", `document.querySelectorAll(".route:not([open])").length`,
		"0")
	p.same("controls on paper", `[...document.querySelectorAll("button, input, select, textarea")]
		.filter((e) => e.checkVisibility()).length`, "0")
	p.same("swatches on paper", `[...document.querySelectorAll(".legend i")]
		.every((e) => getComputedStyle(e).printColorAdjust === "exact")`, "true")
	p.same("titles stay with what follows", `[...document.querySelectorAll(".route > summary")]
		.every((e) => getComputedStyle(e).breakAfter === "avoid")`, "true")
	p.shot("print", true)
	p.media("screen")
	p.eval(`dispatchEvent(new Event("afterprint"))`, nil)
	p.same("and shut again", `document.querySelectorAll(".route[open]").length`, "1")

	p.media("", "forced-colors", "active")
	p.same("swatches in forced colours", `[...document.querySelectorAll(".legend i")]
		.every((e) => getComputedStyle(e).forcedColorAdjust === "none")`, "true")
	p.shot("forced-colours", false)
	p.media("", "prefers-reduced-motion", "reduce")
	p.same("elements that move", `[...document.querySelectorAll("*")]
		.filter((e) => parseFloat(getComputedStyle(e).transitionDuration) > 0).length`, "0")
	p.media("", "prefers-color-scheme", "dark")
	var placeholder []string
	p.eval(`(() => {
		const e = document.querySelector("#ticker");
		const s = getComputedStyle(e, "::placeholder");
		return [s.color, s.opacity, getComputedStyle(document.querySelector(".hint")).color];
	})()`, &placeholder)
	if placeholder[0] != placeholder[2] || placeholder[1] != "1" {
		t.Errorf("a placeholder has the colour %s of opacity %s, want that of a hint, %s",
			placeholder[0], placeholder[1], placeholder[2])
	}
}

// testNoScript reads the page as a browser without JavaScript shows it.
func testNoScript(t *testing.T, b *browser, url string) {
	p := b.openWith(t, url+"/docs", desktop, func(p *tab) {
		p.call("Emulation.setScriptExecutionDisabled", map[string]any{"value": true}, nil)
	})
	// No script waits here, so the document is read through the protocol.
	whole, end := "", time.Now().Add(40*time.Second)
	for time.Now().Before(end) && (!strings.Contains(whole, "OpenAPI document") ||
		strings.Contains(whole, "Trading days")) { // the styles may not have come
		whole = p.rendered()
	}
	for path, methods := range parseDocument(t).Paths {
		for method, op := range methods {
			if !strings.Contains(whole, op.Summary) || !strings.Contains(whole,
				strings.ToUpper(method)+" "+path) {
				t.Errorf("%s %s is not listed", method, path)
			}
		}
	}
	for _, dead := range []string{"Trading days", "Past shown", "Copy link", "Do the intervals"} {
		if strings.Contains(whole, dead) {
			t.Errorf("a page that cannot act shows %q", dead)
		}
	}
	if !strings.Contains(whole, "Without JavaScript") {
		t.Errorf("the page does not say what is missing: %s", whole)
	}
	p.shot("no-script", false)
}

// rendered are the texts that a page shows.
func (p *tab) rendered() string {
	p.t.Helper()
	var tree struct {
		Documents []struct{ Layout struct{ Text []int } }
		Strings   []string
	}
	p.call("DOMSnapshot.captureSnapshot", map[string]any{"computedStyles": []string{}}, &tree)
	var b strings.Builder
	for _, d := range tree.Documents {
		for _, i := range d.Layout.Text {
			if i >= 0 {
				fmt.Fprintln(&b, tree.Strings[i])
			}
		}
	}
	return b.String()
}

// testLoads measures what the first visit and the second transfer.
func testLoads(t *testing.T, b *browser, url string) {
	const took = `performance.getEntriesByType("resource").map((e) =>
		({ Name: e.name.replace(location.origin, ""), Bytes: e.transferSize, By: e.initiatorType,
			Start: e.startTime, End: e.responseEnd }))`
	type resource struct {
		Name, By   string
		Bytes      int
		Start, End float64
	}
	for _, width := range []int{390, 820, 1440} {
		p := b.openWith(t, url+"/docs", view{width: width, height: 900}, func(p *tab) {
			p.call("Page.addScriptToEvaluateOnNewDocument", map[string]any{"source": `
				window.shift = 0;
				new PerformanceObserver((list) => {
					for (const e of list.getEntries()) if (!e.hadRecentInput) shift += e.value;
				}).observe({ type: "layout-shift", buffered: true });`}, nil)
			p.call("Network.emulateNetworkConditions", map[string]any{"offline": false,
				"latency": 150, "downloadThroughput": -1, "uploadThroughput": -1}, nil)
		})
		p.ready()
		var list []resource
		p.eval(took, &list)
		sum, app := 0, resource{}
		for _, r := range list {
			sum += r.Bytes
			if strings.HasPrefix(r.Name, "/docs/bundle.js") {
				app = r
			}
		}
		var page int
		p.eval(`performance.getEntriesByType("navigation")[0].transferSize`, &page)
		t.Logf("%d pixels: %d bytes in %d files", width, sum+page, len(list)+1)
		if sum+page > 100_000 {
			t.Errorf("%d bytes are transferred, want at most 100,000: %v", sum+page, list)
		}
		for _, r := range list {
			// All files of the page are asked for at once, before the first of them has come.
			if strings.HasPrefix(r.Name, "/docs/") && r.By != "other" && r.Start > app.End {
				t.Errorf("%s is asked for at %.0f ms, after bundle.js has come at %.0f", r.Name,
					r.Start, app.End)
			}
		}
		var shift float64
		p.eval("shift", &shift)
		t.Logf("layout shift %.3f", shift)
		if shift >= 0.1 {
			t.Errorf("%d pixels: layout shift %.3f, want below 0.1", width, shift)
		}
		if width < 1440 {
			continue
		}
		p.call("Page.reload", nil, nil)
		p.wait(`performance.getEntriesByType("navigation")[0].type === "reload"`)
		p.ready()
		p.eval(took, &list)
		for _, r := range list {
			if strings.HasPrefix(r.Name, "/docs/") && r.Bytes > 0 {
				t.Errorf("on the second visit %s is transferred again: %d bytes", r.Name, r.Bytes)
			}
		}
		p.quiet(url)
	}
}

// testAxe runs axe-core on the page in all its states.
func testAxe(t *testing.T, b *browser, url string) {
	file := os.Getenv("TICKERCAST_AXE")
	if file == "" {
		t.Skip("TICKERCAST_AXE does not name axe.min.js of axe-core: not run")
	}
	axe, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for _, width := range []int{390, 1440} {
		for _, dark := range []bool{false, true} {
			p := b.open(t, url+"/docs", view{width: width, height: 900, dark: dark})
			p.eval(string(axe), nil)
			name := fmt.Sprintf("%d pixels, dark %t", width, dark)
			p.axe(name + ", at rest")
			p.click("#" + predictID + " .primary")
			p.wait(inRoute(predictID, ".result") + `.textContent.includes("bytes")`)
			p.eval(`document.querySelector("#calibration").scrollIntoView()`, nil)
			p.wait(`document.querySelector(".reliability svg")`)
			p.chord("k")
			p.press("m", "s", "f")
			p.wait(`document.querySelector("#search-Tickers")`)
			p.axe(name + ", searching")
			p.press("Escape")
			if dark == (width > 1000) { // it takes half a minute
				p.openAll()
				p.axe(name + ", all open")
			}
		}
	}
}

// axe fails the test for each fault that axe-core finds.
func (p *tab) axe(state string) {
	p.t.Helper()
	var found []struct {
		ID, Impact string
		Nodes      []struct{ HTML string }
	}
	p.eval(`axe.run(document, { resultTypes: ["violations"] }).then((r) => r.violations.map((v) =>
		({ ID: v.id, Impact: v.impact, Nodes: v.nodes.map((n) => ({ HTML: n.html })) })))`, &found)
	for _, f := range found {
		html, _ := json.Marshal(f.Nodes)
		p.t.Errorf("%s: %s (%s) at %d: %.400s", state, f.ID, f.Impact, len(f.Nodes), html)
	}
}
