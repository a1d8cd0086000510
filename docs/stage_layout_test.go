package docs_test

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
)

var phone = view{width: 390, height: 844}

// touch puts a finger on a point of an element, moves it down by some pixels, and lifts it.
func (p *tab) touch(selector string, x, y, down float64) {
	p.t.Helper()
	var at struct{ X, Y float64 }
	p.eval(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		if (e.getBoundingClientRect().top < 0 || e.getBoundingClientRect().bottom > innerHeight) {
			e.scrollIntoView({ block: "center" });
		}
		const r = e.getBoundingClientRect();
		return { X: r.left + r.width * %g, Y: r.top + r.height * %g };
	})()`, selector, x, y), &at)
	finger := func(kind string, y float64) {
		points := []any{}
		if kind != "touchEnd" {
			points = append(points, map[string]any{"x": at.X, "y": y})
		}
		p.call("Input.dispatchTouchEvent", map[string]any{"type": kind, "touchPoints": points}, nil)
	}
	finger("touchStart", at.Y)
	for i := 1.0; i <= 4 && down != 0; i++ {
		finger("touchMove", at.Y+down*i/4)
	}
	finger("touchEnd", at.Y+down)
}

func testTouch(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPL,MSFT,BIG", phone)
	p.call("Emulation.setTouchEmulationEnabled", map[string]any{"enabled": true}, nil)
	const when = `document.querySelector(".tip .when").textContent`
	below := `document.querySelector("#flat").getBoundingClientRect().top + scrollY`
	at := p.text(below)
	rest := p.text(when)
	for _, x := range []float64{0.3, 0.6} {
		p.touch(".stage", x, 0.5, 0)
		p.wait(`document.querySelector(".cursor.on") && ` + when + ` !== "` + rest + `"`)
		p.same("what follows the chart stays where it is", below, at)
	}
	p.same("the interval is in sight", `[...document.querySelectorAll("#answer tr")].every((r) => {
		const box = r.cells[3].getBoundingClientRect();
		return box.left >= 0 && box.right <= 390 && r.cells[3].checkVisibility();
	})`, "true")
	p.contains("the theme button has a name", `document.querySelector("#theme").innerText`, "Theme")

	p.eval(`document.querySelector("#ticker").focus()`, nil)
	p.press("n")
	p.wait(`!document.querySelector("#ticker-list").hidden`)
	p.touch("#ticker-list li", 0.5, 0.5, -60)
	p.same("scrolling the list picks none", chips, "AAPL,MSFT,BIG")
	p.eval(`document.querySelector("#ticker").focus()`, nil)
	p.press("v")
	p.wait(`document.querySelector("#ticker-list li")?.textContent.startsWith("NVDA")`)
	p.touch("#ticker-list li", 0.5, 0.5, 0)
	p.wait(chips + ` === "AAPL,MSFT,BIG,NVDA"`)
	p.quiet(s.URL)
}

// testStates looks for faults of accessibility in the states of the studio.
func testStates(t *testing.T, b *browser, s *stage) {
	file := os.Getenv("TICKERCAST_AXE")
	if file == "" {
		t.Skip("TICKERCAST_AXE does not name axe.min.js of axe-core: not run")
	}
	axe, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	locked, gone := newStage(t), newStage(t)
	locked.key = "right"
	gone.refuse = func(w http.ResponseWriter) bool {
		writeJSON(w, 503, map[string]any{"detail": "Service Unavailable"})
		return true
	}
	tabs := map[int]*tab{}
	for _, c := range []struct {
		state, url, script, wait string
	}{
		{"at rest", s.URL + "/docs", "", drawn},
		{"old prices of an earlier day", s.URL + "/docs?t=AAPL&o=2026-10-30", "", drawn},
		{"list open", s.URL + "/docs", `(() => { const f = document.querySelector("#ticker");
			f.focus(); f.value = "n"; f.dispatchEvent(new InputEvent("input", { bubbles: true })); })()`,
			`!document.querySelector("#ticker-list").hidden`},
		{"unknown ticker", s.URL + "/docs?t=AAPLE", "", `document.querySelector("#trouble button")`},
		{"no key", locked.URL + "/docs", "", `!document.querySelector("#gate").hidden`},
		{"server gone", gone.URL + "/docs", "", `!document.querySelector("#retry").hidden`},
		{"comparison", s.URL + "/docs?t=AAPL,MSFT,OLD,BIG", "", drawn},
		{"all open", s.URL + "/docs?t=AAPL,MSFT", `document.querySelectorAll("#studio details")
			.forEach((d) => { d.open = true; })`, drawn},
		{"nothing chosen", s.URL + "/docs", `document.querySelector("#clear").click()`,
			`!document.querySelector(".chip")`},
	} {
		for _, v := range []view{{1440, 1000, false}, {390, 844, true}} {
			p := tabs[v.width]
			if p == nil {
				p = b.open(t, c.url, v)
				tabs[v.width] = p
			} else {
				p.load(c.url)
			}
			if c.script != "" {
				p.eval(c.script, nil)
			}
			p.wait(c.wait)
			p.eval(string(axe), nil)
			var faults []string
			p.eval(`axe.run("#studio", { resultTypes: ["violations"] }).then((r) => r.violations.map((v) =>
				[v.impact, v.id, ...v.nodes.slice(0, 2).map((n) => n.html.slice(0, 200))].join(" ")))`,
				&faults)
			for _, f := range faults {
				t.Errorf("%s, %d pixels: %s", c.state, v.width, f)
			}
			p.uncaught()
			p.shot(fmt.Sprintf("state-%s-%d", strings.ReplaceAll(c.state, " ", "-"), v.width), false)
		}
	}
}

// load shows another page in a tab and waits until it is drawn.
func (p *tab) load(url string) {
	p.t.Helper()
	p.eval(`delete document.documentElement.dataset.ready`, nil)
	p.call("Page.navigate", map[string]any{"url": url}, nil)
	p.wait(`document.documentElement?.dataset.ready === "true"`)
}

// overlapping lists texts of the chart that cover another one or leave the drawing, and texts of
// the studio that leave the screen or their box.
const overlapping = `(() => {
	const out = [];
	const svg = document.querySelector(".stage svg").getBoundingClientRect();
	const texts = [...document.querySelectorAll(".stage text")].filter((e) => !e.closest(".cursor"))
		.map((e) => [e.textContent, e.getBoundingClientRect()]);
	for (const [text, box] of texts) {
		if (box.left < svg.left - 0.5 || box.right > svg.right + 0.5 || box.top < svg.top - 0.5 ||
			box.bottom > svg.bottom + 0.5) out.push(text + " leaves the drawing");
	}
	texts.forEach(([text, a], i) => texts.slice(i + 1).forEach(([other, b]) => {
		if (Math.min(a.right, b.right) - Math.max(a.left, b.left) > 0.5 &&
			Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > 1.5) out.push(text + " covers " + other);
	}));
	const kids = [...document.querySelectorAll("#studio :is(p, button, label, th, td, output, span, small, input)")]
		.filter((e) => e.checkVisibility() && !e.closest("#table, #code, svg"));
	for (const e of kids) {
		const box = e.getBoundingClientRect();
		if (box.right > innerWidth + 0.5 || box.left < -0.5) out.push(e.outerHTML.slice(0, 80) + " leaves the screen");
		if (e.matches("button, th, td") && e.scrollWidth > e.clientWidth + 1) out.push(e.outerHTML.slice(0, 80) + " is clipped");
	}
	const cells = [...document.querySelectorAll("#answer tr")].map((r) => [...r.cells].filter((c) => c.checkVisibility()));
	for (const row of cells) for (let i = 1; i < row.length; i++) {
		const range = (c) => { const r = document.createRange(); r.selectNodeContents(c); return r.getBoundingClientRect(); };
		if (range(row[i]).left < range(row[i - 1]).right + 4) out.push(row[i].textContent + " touches " + row[i - 1].textContent);
	}
	if (document.documentElement.scrollWidth > innerWidth) out.push("the page is wider than the screen");
	return out;
})()`

// testLabels looks at the charts of dear and cheap tickers, one and four, for labels that no one
// can read.
func testLabels(t *testing.T, b *browser, s *stage) {
	cases := map[string]string{
		"one":      "t=AAPL",
		"four":     "t=AAPL,MSFT,NVDA,BRK-B",
		"cheap":    "t=ONE&w=252",
		"dear":     "t=BIG&w=126&d=30",
		"dear-day": "t=BIG&w=22&d=1&c=0.99",
		"mixed":    "t=ONE,BIG,OLD,LONGTICKER&w=252&d=30",
		"as-of":    "t=AAPL,BIG,ONE&o=2026-10-30&w=22",
		"log":      "t=LONGTICKER&y=log&w=252",
	}
	for _, width := range []int{1440, 390} {
		p := b.open(t, s.URL+"/docs", view{width: width, height: 1000})
		for name, query := range cases {
			p.load(s.URL + "/docs?" + query)
			for _, theme := range []string{"light", "dark"} {
				p.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{
					map[string]any{"name": "prefers-color-scheme", "value": theme}}}, nil)
				var faults []string
				p.eval(overlapping, &faults)
				for _, f := range faults {
					t.Errorf("%s at %d pixels, %s: %s", name, width, theme, f)
				}
				for _, f := range p.poorContrast() {
					t.Errorf("%s at %d pixels, %s: contrast below 4.5: %s", name, width, theme, f)
				}
				p.shot(fmt.Sprintf("label-%s-%d-%s", name, width, theme), false)
			}
		}
	}
}

// testShift loads the page over a slow line and sums up what moved without the reader's doing.
func testShift(t *testing.T, b *browser, s *stage) {
	s.age = 196 // a remark more
	for _, v := range []view{{390, 844, false}, {820, 1180, false}, {1440, 900, false}} {
		p := b.open(t, s.URL+"/docs", v)
		// The emulation of a phone changes its size at each load, and the browser leaves out what
		// moves after that.
		p.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": v.width,
			"height": v.height, "deviceScaleFactor": 1, "mobile": false}, nil)
		p.call("Network.emulateNetworkConditions", map[string]any{"offline": false, "latency": 150,
			"downloadThroughput": -1, "uploadThroughput": -1}, nil)
		for _, query := range []string{"?t=AAPL", "?t=AAPL,MSFT,NVDA,BRK-B", "?t=AAPLE"} {
			p.call("Page.navigate", map[string]any{"url": s.URL + "/docs" + query + "#studio"}, nil)
			p.wait(`document.documentElement?.dataset.ready === "true" && location.href.endsWith("#studio") &&
				(document.querySelector(".median") || document.querySelector("#trouble button"))`)
			var shift struct {
				Sum float64
				Of  []string
			}
			p.eval(`new Promise((done) => {
				const out = { Sum: 0, Of: [] };
				new PerformanceObserver((list) => {
					for (const e of list.getEntries()) if (!e.hadRecentInput) {
						out.Sum += e.value;
						out.Of.push(e.value.toFixed(3) + " " + e.sources.map((s) => (s.node?.id || s.node?.className || s.node?.nodeName) +
							" " + s.previousRect.y + ">" + s.currentRect.y).join(", "));
					}
				}).observe({ type: "layout-shift", buffered: true });
				requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => done(out))));
			})`, &shift)
			t.Logf("%d pixels, %q: %.3f", v.width, query, shift.Sum)
			if shift.Sum > 0.1 {
				t.Errorf("%d pixels, %q: layout shift %.3f, want at most 0.1: %q", v.width, query, shift.Sum, shift.Of)
			}
		}
	}
}
