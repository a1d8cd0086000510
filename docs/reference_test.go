package docs_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestReference tries the reference in one browser, against the program's own server.
func TestReference(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	b := startBrowser(t)
	url := startEmbedded(t, nil)
	for _, c := range []struct {
		name string
		test func(*testing.T, *browser, string)
	}{
		{"beside the text", testBeside},
		{"examples are answers", testExamples},
		{"errors are one line", testErrorsFolded},
		{"small until it is opened", testSmall},
		{"search", testSearch},
		{"current route", testCurrent},
		{"forms have limits", testLimits},
		{"keyboard sends", testCtrlEnter},
		{"words for schemas", testWords},
		{"folds of JSON", testFolds},
		{"headings", testHeadings},
		{"paper, forced colours, motion", testMedia},
		{"without JavaScript", testNoScript},
		{"loads at once", testLoads},
		{"accessible", testAxe},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, b, url)
		})
	}
}

// inRoute is JavaScript for an element of a route.
func inRoute(id, selector string) string {
	return fmt.Sprintf("document.querySelector(%q)", "#"+id+" "+selector)
}

// openRoute opens a route and waits until it is filled.
func (p *tab) openRoute(id string) {
	p.t.Helper()
	p.eval(fmt.Sprintf("document.getElementById(%q).open = true", id), nil)
	p.wait(inRoute(id, "form"))
}

const predictID = "predict_predict_post"

// testBeside wants request and answer in sight with the text, at its right or, on a phone, before
// the list of fields.
func testBeside(t *testing.T, b *browser, url string) {
	const box = `(s) => document.querySelector("#predict_predict_post " + s).getBoundingClientRect()`
	p := b.open(t, url+"/docs#"+predictID, view{width: 1440, height: 1000})
	p.same("the first route is open", inRoute(predictID, "form")+" !== null", "true")
	p.same("the panel is beside the text", `((box) => {
		const [about, panel, answer] = [box(".about"), box(".panel"), box(".result")];
		return panel.left >= about.right && Math.abs(panel.top - about.top) < 30
			&& answer.bottom < innerHeight;
	})(`+box+`)`, "true")
	p.shot("reference-light", false)
	p.quiet(url)

	p = b.open(t, url+"/docs#"+predictID, view{width: 390, height: 844, dark: true})
	p.same("the panel is between text and fields", `((box) =>
		box(".about").bottom <= box(".panel").top && box(".panel").bottom <= box(".parts").top
	)(`+box+`)`, "true")
	p.same("width of the page", `document.documentElement.scrollWidth`, "390")
	p.shot("reference-phone-dark", false)
	p.quiet(url)
}

// testExamples compares what the panels show before and after Send, for every example.
func testExamples(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs", desktop)
	var shown []struct{ Route, Example, Before, After string }
	p.eval(`(async () => {
		const out = [];
		const until = async (f) => { while (!f()) await new Promise((r) => setTimeout(r, 5)); };
		for (const route of document.querySelectorAll(".route")) {
			route.open = true;
			await until(() => route.querySelector("form"));
			const select = route.querySelector(".which select");
			const text = () => route.querySelector(".result pre").textContent;
			for (const i of select ? [...select.options].keys() : [0]) {
				if (select) {
					select.selectedIndex = i;
					select.dispatchEvent(new Event("change", { bubbles: true }));
				}
				const before = text();
				const status = route.querySelector(".result [role=status]");
				status.textContent = "";
				route.querySelector("form").requestSubmit();
				await until(() => status.textContent.includes("bytes"));
				out.push({ Route: route.id, Example: select?.value || "", Before: before,
					After: status.textContent.startsWith("200") ? text() : status.textContent });
			}
		}
		return out;
	})()`, &shown)
	if len(shown) < 22 {
		t.Errorf("only %d examples", len(shown))
	}
	for _, s := range shown {
		// The age of the prices and the build depend on the day and the program; page, style sheet
		// and document have no example.
		if s.Route == "server_metadata_v2_get" || s.Before == "" {
			continue
		}
		if s.Route == "model_model_get" {
			s.Before, s.After = beforeField(s.Before, "age_days"), beforeField(s.After, "age_days")
		}
		if s.Before != s.After {
			t.Errorf("%s %s: shown as example\n%s\nbut answered\n%s", s.Route, s.Example, s.Before,
				s.After)
		}
	}
	p.quiet(url)
}

func beforeField(text, name string) string {
	before, _, _ := strings.Cut(text, `"`+name+`"`)
	return before
}

func testErrorsFolded(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs#"+predictID, desktop)
	const errors = `document.querySelector("#predict_predict_post .others")`
	p.same("all errors are one line", errors+".querySelector('summary').textContent",
		"Errors400 401 404 405 408 413 414 422 429 431 500 503")
	p.same("which is filled when it is opened", errors+".childElementCount", "1")
	p.eval(errors+".open = true", nil)
	p.wait(errors + `.querySelectorAll(".status-row").length === 12`)
	p.same("the examples of 422", `[...`+errors+`.querySelectorAll(".status-row")]
		.find((r) => r.textContent.startsWith("422")).querySelectorAll("pre").length`, "3")
}

// testSmall counts the elements of the page before anything is opened.
func testSmall(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs", desktop)
	var n int
	p.eval(`document.querySelectorAll("*").length`, &n)
	if n > 1500 {
		t.Errorf("%d elements, want at most 1500", n)
	}
}

func testSearch(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs", desktop)
	const option = `[...document.querySelectorAll("#search [role=option]")]`
	p.chord("k")
	p.wait(`document.querySelector("#search").open`)
	p.same("the field has the focus", `document.activeElement.id`, "search-input")
	p.same("routes at first", option+".length", "18")
	p.press("l", "e", "v", "e", "l", "s")
	p.wait(option + `[0]?.textContent.startsWith("levels")`)
	p.press("Enter")
	p.wait(`!document.querySelector("#search").open`)
	p.wait(`document.querySelector("#predict_predict_post .found")`)
	p.same("it is in sight", `((r) => r.top >= 0 && r.bottom <= innerHeight)(
		document.querySelector(".found").getBoundingClientRect())`, "true")

	p.press("/") // the other key for it
	p.wait(`document.querySelector("#search").open`)
	p.press("m", "a", "n", "y")
	p.wait(option + `[0]?.textContent.startsWith("Predict many")`)
	p.press("Enter")
	p.wait(`document.querySelector("#predict_batch_predict_batch_post").open`)
	p.same("the address", `location.hash`, "#predict_batch_predict_batch_post")

	p.chord("k")
	p.press("n", "v", "d", "a")
	p.wait(`document.querySelector("#search-Tickers")`)
	p.shot("search", false)
	p.press("Enter")
	p.wait(`document.querySelector("#answer")?.textContent.startsWith("NVDA")`)

	p.chord("k")
	p.wait(`document.querySelector("#search").open`)
	p.press("?", "?", "?")
	p.wait(`document.querySelector("#search > [role=status]").textContent === "Nothing found."`)
	p.press("Escape")
	p.wait(`!document.querySelector("#search").open`)
}

func testCurrent(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs", desktop)
	const current = `document.querySelector(".contents [aria-current]")?.getAttribute("href")`
	p.same("none above the reference", current, "undefined")
	p.eval(`document.querySelector('.contents a[href="#model_model_get"]').click()`, nil)
	p.wait(current + ` === "#model_model_get"`)
	p.same("it is open", `document.querySelector("#model_model_get").open`, "true")
	p.same("names come first", `document.querySelector(".contents a").textContent`, "PredictPOST")
	p.same("the header stays", `document.querySelector("header.top").getBoundingClientRect().top`,
		"0")
	p.eval(`document.querySelector("#livez_livez_get").scrollIntoView()`, nil)
	p.wait(current + ` !== "#model_model_get"`)
}

func testLimits(t *testing.T, b *browser, url string) {
	const id = "predict_ticker_predict__ticker__get"
	p := b.open(t, url+"/docs#"+id, desktop)
	p.openRoute(id)
	var days map[string]string
	p.eval(`((e) => ({ type: e.type, min: e.min, max: e.max, step: e.step }))(
		document.querySelector("#`+id+`-days_ahead"))`, &days)
	if got, want := fmt.Sprint(days), "map[max:30 min:1 step:1 type:number]"; got != want {
		t.Errorf("days_ahead: got %s, want %s", got, want)
	}
	p.same("letters of a ticker", `document.querySelector("#`+id+`-ticker").maxLength`, "10")
	for value, valid := range map[string]string{"": "false", ".": "false", "..": "false",
		"BRK.B": "true", "A/B": "true", "...": "true"} {
		p.eval(fmt.Sprintf(`((e) => {
			e.value = %q;
			e.dispatchEvent(new Event("input", { bubbles: true }));
		})(document.querySelector("#%s-ticker"))`, value, id), nil)
		p.same(fmt.Sprintf("%q is valid", value), inRoute(id, "form")+".checkValidity()", valid)
		code := p.text(inRoute(id, ".snippets code") + ".textContent")
		if strings.HasPrefix(code, "curl") != (valid == "true") {
			t.Errorf("for the ticker %q the code is %q", value, code)
		}
	}
	p.eval(`document.querySelector("#`+id+` .attempt").open = false`, nil)
	p.eval(`document.querySelector("#`+id+`-ticker").value = ".."`, nil)
	p.click("#" + id + " .primary")
	p.wait(`document.querySelector("#` + id + ` .attempt").open`)
	p.same("nothing was sent", inRoute(id, ".result [role=status]")+".textContent", "200 OKexample")
	p.quiet(url)
}

func testCtrlEnter(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs#"+predictID, desktop)
	p.eval(inRoute(predictID, ".attempt")+".open = true", nil)
	p.eval(inRoute(predictID, "textarea")+".focus()", nil)
	p.chord("Enter")
	p.wait(inRoute(predictID, ".result") + `.textContent.includes("bytes")`)
	p.eval(inRoute(predictID, "textarea")+`.value = "{"`, nil)
	p.click("#" + predictID + " .primary")
	p.wait(inRoute(predictID, ".result") + `.textContent.startsWith("422")`)
	if got := p.text(inRoute(predictID, ".result .error") + ".textContent"); !strings.Contains(got,
		"JSON decode error") {
		t.Errorf("the error reads %q", got)
	}
}

func testWords(t *testing.T, b *browser, url string) {
	p := b.open(t, url+"/docs#predict_batch_predict_batch_post", desktop)
	for js, want := range map[string]string{
		inRoute(predictID, ".part .prose, .part > p:not(.label)"): "A request with calendar must",
		inRoute(predictID, "[data-field=as_of] .type"):            "string (YYYY-MM-DD) or number (-19999958400 to",
		inRoute("predict_batch_predict_batch_post", "[data-field=requests] .type"): "list of " +
			"PredictionRequest",
		`document.querySelector(".base code")`: url,
	} {
		if got := p.text(js + "?.textContent"); !strings.Contains(got, want) {
			t.Errorf("%s reads %q, want %q", js, got, want)
		}
	}
	whole := p.text(`document.querySelector("#reference").textContent`)
	for _, odd := range []string{"or anything", "[object", "undefined", "NaN"} {
		if strings.Contains(whole, odd) {
			t.Errorf("the reference says %q", odd)
		}
	}
}
