package docs_test

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestStudio tries the studio in one browser, each part against a stage of its own.
func TestStudio(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	b := startBrowser(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, *browser, *stage)
	}{
		{"tickers of different dates", testDates},
		{"old prices", testOldPrices},
		{"slow server", testSlow},
		{"server that is gone for a while", testGone},
		{"too many requests", testTooMany},
		{"other prices and model", testOtherData},
		{"asks for a key", testGate},
		{"chips", testChips},
		{"unknown ticker", testUnknown},
		{"search", testSearchField},
		{"link", testLink},
		{"decimals", testDecimals},
		{"number fields", testNumbers},
		{"ranges and scale", testRanges},
		{"tags on the axes", testTags},
		{"touch", testTouch},
		{"downloads", testDownloads},
		{"own closes", testOwn},
		{"as of an earlier day", testAsOf},
		{"accessible in every state", testStates},
		{"labels", testLabels},
		{"layout shift", testShift},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, b, newStage(t))
		})
	}
}

const (
	said    = `document.querySelector("#answer").textContent`
	trouble = `document.querySelector("#trouble").textContent`
	drawn   = `document.querySelector(".chart .median")`
)

// contains compares a part of the value of an expression.
func (p *tab) contains(what, js, want string) {
	p.t.Helper()
	if got := p.text(js); !strings.Contains(got, want) {
		p.t.Errorf("%s: got %q, want it to contain %q", what, got, want)
	}
}

// until waits for something that the server sees.
func (p *tab) until(what string, holds func() bool) {
	p.t.Helper()
	for end := time.Now().Add(40 * time.Second); !holds(); {
		if time.Now().After(end) {
			p.t.Fatalf("after 40 s not so: %s", what)
		}
		p.eval(`new Promise((done) => setTimeout(done, 10))`, nil)
	}
}

// uncaught fails the test if a script of the page failed.
func (p *tab) uncaught() {
	p.t.Helper()
	for _, c := range p.complaints() {
		if strings.Contains(c, "Uncaught") {
			p.t.Errorf("the page complains: %s", c)
		}
	}
}

// testDates compares tickers whose prices end on different days, in both orders.
func testDates(t *testing.T, b *browser, s *stage) {
	for _, order := range []string{"AAPL,OLD", "OLD,AAPL"} {
		p := b.open(t, s.URL+"/docs?d=10&t="+order, desktop)
		row := func(name string) string {
			return p.text(`[...document.querySelectorAll("#answer tbody tr")].find((r) =>
				r.cells[0].textContent === "` + name + `").textContent`)
		}
		for name, want := range map[string][2]string{"AAPL": {"26 Nov 2026", "10 Dec 2026"},
			"OLD": {"30 Sep 2026", "14 Oct 2026"}} {
			got := row(name)
			if !strings.Contains(got, want[0]) || !strings.Contains(got, want[1]) {
				t.Errorf("%s: %s reads %q, want its own dates %q", order, name, got, want)
			}
		}
		// The forecast of OLD begins where its own closes end, weeks before that of AAPL.
		old := strings.Index(order, "OLD") / 4
		p.eval(`document.querySelector(".stage").focus()`, nil)
		at := p.text(`(() => {
			const start = (n) => +document.querySelector(".stage .series-" + n + " .median")
				.getAttribute("d").match(/^M([\d.]+)/)[1];
			const end = (n) => +document.querySelector(".stage .series-" + n + " .past")
				.getAttribute("d").match(/L([\d.]+) [\d.]+$/)[1];
			return [0, 1].every((n) => start(n) === end(n)) && start(` + string(rune('0'+1-old)) +
			`) - start(` + string(rune('0'+old)) + `) > 100;
		})()`)
		if at != "true" {
			t.Errorf("%s: forecasts do not begin at the last close of their own ticker", order)
		}
		p.contains("the older ticker is named", said, "The prices of OLD end about")
		p.quiet(s.URL)
	}
}

func testOldPrices(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs", desktop)
	p.same("remarks on fresh prices", `document.querySelectorAll(".stale-remark").length`, "0")
	s.set(func() { s.age = 196 })
	p = b.open(t, s.URL+"/docs", desktop)
	p.contains("old prices", said, "These prices end 196 trading days ago, on 26 Nov 2026.")
	p.click(".stale-remark a")
	p.wait(`document.querySelector("#newer").open`)
	p.contains("what to do", `document.querySelector("#newer").textContent`,
		"tickercast serve -prices")
	p.quiet(s.URL)
}

// testSlow waits for an answer, and lets a later question overtake an earlier one.
func testSlow(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPL&d=20", desktop)
	first, second := make(chan struct{}), make(chan struct{})
	s.set(func() { s.hold["AAPL 21"], s.hold["AAPL 22"] = first, second })
	p.eval(`document.querySelector("#days").focus()`, nil)
	p.press("ArrowRight")
	p.wait(`document.querySelector(".chart.pending")`)
	p.same("the drawing is dimmed, its texts are not", `[".median", ".tick", ".end"].map((c) =>
		+getComputedStyle(document.querySelector(".stage " + c)).opacity < 1).join()`,
		"true,false,false")
	for _, e := range p.poorContrast() {
		t.Errorf("contrast below 4.5 while the server is asked: %s", e)
	}
	p.same("busy", `document.querySelector("#studio").getAttribute("aria-busy")`, "true")
	p.press("ArrowRight")
	p.until("questions for 20, 21 and 22 days", func() bool { return len(s.questions()) == 3 })
	close(second)
	p.wait(`document.querySelectorAll("#table tbody tr").length === 22`)
	close(first)
	p.wait(`!document.querySelector(".chart.pending")`)
	p.same("an earlier answer does not replace a later one",
		`document.querySelectorAll("#table tbody tr").length`, "22")
	p.quiet(s.URL)
}

// testGone has no server for the first answers, then one that comes back.
func testGone(t *testing.T, b *browser, s *stage) {
	s.set(func() {
		s.refuse = func(w http.ResponseWriter) bool {
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				c.Close()
			}
			return true
		}
	})
	p := b.open(t, s.URL+"/docs?t=AAPL", desktop)
	p.same("no server", trouble, "The server does not answer. Is it running?")
	p.wait(`document.querySelector("#retry").textContent.startsWith("Trying again in")`)
	s.set(func() { s.refuse = nil })
	p.wait(drawn)
	p.same("the message goes", `document.querySelector("#trouble").hidden`, "true")
	p.same("the countdown goes", `document.querySelector("#retry").hidden`, "true")
	p.wait(`document.querySelector("#served").textContent.includes("prices to 26 Nov 2026")`)
	p.uncaught()
}

func testTooMany(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPL&d=20", desktop)
	s.set(func() {
		s.refuse = func(w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "17")
			writeJSON(w, 429, map[string]any{"detail": "Too Many Requests"})
			return true
		}
	})
	p.eval(`document.querySelector("#days").focus()`, nil)
	p.press("ArrowRight")
	p.wait(`document.querySelector("#retry").textContent.startsWith("Trying again in 1")`)
	p.same("the ticker stays", `document.querySelector(".chip").textContent`, "AAPL×")
	s.set(func() { s.refuse = nil })
	p.click("#retry button")
	p.wait(`document.querySelectorAll("#table tbody tr").length === 21`)
	p.same("the message goes", `document.querySelector("#trouble").hidden`, "true")
	p.uncaught()
}

// testOtherData swaps model and prices under an open page.
func testOtherData(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPL&d=20", desktop)
	s.set(func() {
		s.version, s.age = "two", 0
		for name, l := range s.tickers {
			s.tickers[name] = listed{l.price * 2, "2026-11-27"}
		}
	})
	p.eval(`document.querySelector("#days").focus()`, nil)
	p.press("ArrowRight")
	p.wait(`document.querySelector("#served").textContent.includes("prices to 27 Nov 2026")`)
	p.contains("model in the header", `document.querySelector("#served").textContent`, "two")
	p.contains("the close is the new one", said, "on 27 Nov 2026")
	p.same("last close and forecast are of the same prices", `(() => {
		const [close, median] = document.querySelector("#answer").textContent
			.match(/closed at ([\d.]+).*median is ([\d.]+)/).slice(1).map(Number);
		return Math.abs(median / close - 1) < 0.01;
	})()`, "true")
	p.quiet(s.URL)
}

func testGate(t *testing.T, b *browser, s *stage) {
	s.key = "right"
	p := b.open(t, s.URL+"/docs", desktop)
	p.contains("no key", `document.querySelector("#gate").innerText`,
		"This server asks for an API key")
	p.same("the field has the focus", `document.activeElement.id`, "key")
	p.same("no chart and no dead button", `[".chart", "#link", "#csv"].map((c) =>
		document.querySelector(c).checkVisibility()).join()`, "false,false,false")
	p.press("w", "r", "o", "n", "g", "Enter")
	p.wait(`document.querySelector("#gate").innerText.includes("Invalid API key.")`)
	p.press("r", "i", "g", "h", "t", "Enter")
	p.wait(drawn)
	p.same("the gate closes", `document.querySelector("#gate").checkVisibility()`, "false")
	p.eval(`delete document.documentElement.dataset.ready`, nil)
	p.call("Page.reload", nil, nil)
	p.wait(`document.documentElement?.dataset.ready === "true" && ` + drawn)
	p.eval(`document.querySelector("#code").open = true`, nil)
	p.contains("code for readers", `document.querySelector("#code pre").textContent`,
		"Authorization: Bearer $TICKERCAST_KEY")
	p.same("the key is in no code", `document.querySelector("#code").textContent.includes("right")`,
		"false")
	p.uncaught()
}
