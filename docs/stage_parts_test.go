package docs_test

import (
	"fmt"
	"strings"
	"testing"
)

const chips = `[...document.querySelectorAll(".chip")].map((c) => c.firstChild.data).join()`

// paste puts a text into the ticker field as a paste does.
func (p *tab) paste(text string) {
	p.eval(fmt.Sprintf(`(() => {
		const field = document.querySelector("#ticker");
		field.focus();
		field.value = %q;
		field.dispatchEvent(new InputEvent("input", { inputType: "insertFromPaste", bubbles: true }));
	})()`, text), nil)
}

func testChips(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs", desktop)
	p.same("the title names the ticker", "document.title", "AAPL – tickercast")
	p.paste("msft,AAPL, nvda\n")
	p.wait(chips + ` === "AAPL,MSFT,NVDA" && document.querySelectorAll(".median").length === 3`)
	p.same("title of several", "document.title", "AAPL, MSFT, NVDA – tickercast")
	p.paste("MSI OLD BIG")
	p.wait(chips + ` === "AAPL,MSFT,NVDA,MSI"`)
	p.contains("the limit is said, with what is left out", `document.querySelector("#picked").textContent`,
		"Up to four tickers at once: OLD, BIG are left out")
	p.eval(`document.querySelector("#ticker").focus()`, nil)
	p.press("O", "N", "E", "Enter")
	p.wait(`document.querySelector("#picked").textContent.includes("ONE is left out")`)
	p.same("a fifth replaces none", chips, "AAPL,MSFT,NVDA,MSI")

	p.click("#clear")
	p.wait(`!document.querySelector(".chip")`)
	p.same("nothing is chosen", said, "Choose a ticker to see its forecast.")
	p.same("that is no error", `document.querySelector("#trouble").hidden`, "true")
	p.same("nothing is drawn, and the chart is no slider",
		`[document.querySelector(".stage").childElementCount,
		document.querySelector(".stage").getAttribute("role"), document.title].join()`, "0,,tickercast")
	p.same("nothing can be saved", `["csv", "svg", "png", "copy-csv"].every((id) =>
		document.getElementById(id).disabled)`, "true")
	p.eval(`document.querySelector("#ticker").focus()`, nil)
	p.press("m", "s", "f", "t", ",", "a", "a", "p", "l", "Enter")
	p.wait(chips + ` === "MSFT,AAPL"`)

	p = b.open(t, s.URL+"/docs?t=AAPL,MSFT,NVDA,MSI,BIG", desktop)
	p.contains("a fifth in the address", `document.querySelector("#picked").textContent`,
		"BIG is left out")
	p.quiet(s.URL)
}

func testUnknown(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPLE", desktop)
	p.wait(trouble + `.includes("Did you mean")`)
	p.contains("nearest names", trouble, "Unknown ticker 'AAPLE'. Did you mean AAPL")
	p.same("the chart is no slider without a forecast",
		`document.querySelector(".stage").getAttribute("role")`, "null")
	p.click("#trouble button")
	p.wait(`document.title === "AAPL – tickercast"`)
	p.same("the message goes", `document.querySelector("#trouble").hidden`, "true")
	p.contains("the address is mended", "location.search", "?t=AAPL&")
	p.paste("apple zzzzq")
	p.wait(trouble + `.includes("Unknown ticker 'zzzzq'")`)
	p.same("unknown names go from the field and the address", chips+` + location.search`,
		"AAPL?t=AAPL&d=20&c=0.95&w=63")
	p.uncaught()
}

func testSearchField(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs", desktop)
	const list = `!document.querySelector("#ticker-list").hidden`
	p.eval(`document.querySelector("#ticker").focus()`, nil)
	p.same("the list opens on typing only", list, "false")
	p.press("b", "r", "k", ".", "b")
	p.wait(list + ` && document.querySelector("#ticker-list [role=option]").textContent.startsWith("BRK-B")`)
	p.press("Enter")
	p.wait(chips + ` === "AAPL,BRK-B"`)
	p.click(".chip")
	p.wait(chips + ` === "BRK-B"`)
	p.same("nor when a chip goes", list, "false")
	p.press("q", "q")
	p.wait(`document.querySelector(".list-end").textContent === "No such ticker here"`)
	p.same("options are the only children of the list", `[...document.querySelectorAll(
		"#ticker-list > *")].every((e) => e.getAttribute("role") === "option")`, "true")
	p.quiet(s.URL)
}

// testLink opens what Copy link gave, after newer prices came.
func testLink(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs", desktop)
	p.same("the address at first", "location.search", "?t=AAPL&d=20&c=0.95&w=63")
	p = b.open(t, s.URL+"/docs?t=A%2CB,OLD&d=7&c=0.9&w=22&y=log", desktop)
	p.same("a comma in a name", chips, "A,B,OLD")
	p.eval(`Object.defineProperty(navigator, "clipboard",
		{ value: { writeText: async (text) => { window.copied = text; } } })`, nil)
	p.click("#link")
	p.wait("window.copied")
	link := p.text("window.copied")
	if want := s.URL + "/docs?t=A%2CB,OLD&d=7&c=0.9&w=22&y=log&o=2026-11-26"; link != want {
		t.Errorf("the link is %s, want %s", link, want)
	}
	const median = `document.querySelector("#answer tbody").rows[0].cells[2].textContent`
	before := p.text(median)
	s.set(func() { s.tickers["A,B"] = listed{50, "2026-12-04"} })
	p = b.open(t, link, desktop)
	p.same("the median of that day", median, before)
	p.contains("closes that came since", said, "of 6 closes that came were inside")
	p.quiet(s.URL)
}

func testDecimals(t *testing.T, b *browser, s *stage) {
	for ticker, want := range map[string]int{"ONE": 3, "BIG": 0, "AAPL": 2} {
		p := b.open(t, s.URL+"/docs?t="+ticker, desktop)
		var bounds [][]string
		p.eval(`[document.querySelector("#answer").textContent.match(/between ([\d.,]*\d) and ([\d.,]*\d) /)
			.slice(1)]`, &bounds)
		for _, x := range bounds[0] {
			_, decimals, _ := strings.Cut(x, ".")
			if len(decimals) != want {
				t.Errorf("%s: the bounds are %s, want %d decimals at both ends", ticker, bounds[0], want)
			}
		}
		p.same(ticker+": each row of the table has the same decimals", `(() => {
			const found = [...document.querySelectorAll("#table tbody td")].map((c) => c.textContent)
				.filter((x) => x.includes("–")).flatMap((x) => x.split(" – "))
				.map((x) => (x.split(".")[1] || "").length);
			return new Set(found).size;
		})()`, "1")
	}
	p := b.open(t, s.URL+"/docs?t=AAPL&c=0.97", desktop)
	p.same("levels are sorted and numbers stand to the right", `[
		[...document.querySelectorAll("#table th[scope=col]")].slice(4).map((c) => c.textContent).join(),
		getComputedStyle(document.querySelector("#table td")).textAlign].join(" ")`,
		"80\u00a0%,90\u00a0%,95\u00a0%,97\u00a0%,99\u00a0% right")
}

func testNumbers(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPL&c=0.955", desktop)
	p.same("a confidence between two steps", `document.querySelector("#confidence-number").value`, "95.5")
	p.eval(`document.querySelector("#days").focus()`, nil)
	p.press("ArrowRight")
	p.wait(`document.querySelectorAll("#table tbody tr").length === 21`)
	p.contains("moving the days keeps it", "location.search", "c=0.955")
	type value struct{ id, typed, want string }
	for _, v := range []value{{"confidence-number", "97.5", "c=0.975"}, {"days-number", "7", "d=7"}} {
		p.eval(fmt.Sprintf(`(() => {
			const field = document.querySelector("#%s");
			field.value = %q;
			field.dispatchEvent(new InputEvent("input", { bubbles: true }));
		})()`, v.id, v.typed), nil)
		p.wait(`location.search.includes("` + v.want + `")`)
	}
	p.wait(`document.querySelectorAll("#table tbody tr").length === 7`)
	p.same("sliders follow", `["days", "confidence"].map((id) => document.getElementById(id).value).join()`,
		"7,97.5")
	last := s.questions()[len(s.questions())-1]
	if last.Confidence != 0.975 || last.Days != 7 {
		t.Errorf("asked for %g and %d days, want 0.975 and 7", last.Confidence, last.Days)
	}
	p.eval(`(() => {
		const field = document.querySelector("#days-number");
		field.value = "99";
		for (const name of ["input", "change"]) field.dispatchEvent(new Event(name, { bubbles: true }));
	})()`, nil)
	p.same("what is outside of the limits goes", `document.querySelector("#days-number").value`, "7")
	p.quiet(s.URL)
}

func testRanges(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPL&w=22", desktop)
	const points = `document.querySelector(".past").getAttribute("d").match(/[ML]/g).length`
	p.same("closes of a month", points, "22")
	for i, n := range []string{"22", "63", "126", "252"} {
		p.click(fmt.Sprintf("#window button:nth-child(%d)", i+1))
		p.same("closes drawn", points, n)
		p.contains("the address follows", "location.search", "w="+n)
	}
	p.same("the range is pressed", `document.querySelector("#window [aria-pressed=true]").textContent`, "1Y")
	asked := len(s.questions())
	ticks := `[...document.querySelectorAll(".tick")].map((e) => e.getAttribute("y")).join()`
	linear := p.text(ticks)
	p.click("#log")
	p.contains("the address has the scale", "location.search", "y=log")
	if p.text(ticks) == linear {
		t.Error("the ticks stand where they stood before the log scale")
	}
	p.same("equal ratios have equal heights", `(() => {
		const at = [...document.querySelectorAll(".tick[text-anchor=end]")].map((e) =>
			[Math.log(+e.textContent), +e.getAttribute("y")]).filter(([v]) => v > 0).sort((a, b) => a[0] - b[0]);
		const slopes = at.slice(1).map(([v, y], i) => (y - at[i][1]) / (v - at[i][0]));
		return slopes.length > 1 && slopes.every((s) => Math.abs(s / slopes[0] - 1) < 0.01);
	})()`, "true")
	if n := len(s.questions()); n != asked {
		t.Errorf("ranges and scale ask the server %d times, want none", n-asked)
	}
	p.contains("why the median is flat", `document.querySelector("#flat").textContent`,
		"No direction is forecast")
	p.quiet(s.URL)
}

func testTags(t *testing.T, b *browser, s *stage) {
	p := b.open(t, s.URL+"/docs?t=AAPL", desktop)
	p.hover(".stage", 0.5, 0.5)
	p.wait(`document.querySelector(".cursor.on") && !document.querySelector(".tip.rest")`)
	p.same("a value and a day are on the axes", `(() => {
		const [value, day] = [...document.querySelectorAll(".tag")];
		const ticks = [...document.querySelectorAll(".tick[text-anchor=end]")].map((e) => +e.textContent)
			.filter(Boolean);
		const v = +value.textContent;
		return v > Math.min(...ticks) && v < Math.max(...ticks) && /^\d+ \w{3} 2026$/.test(day.textContent);
	})()`, "true")
	p.quiet(s.URL)
}
