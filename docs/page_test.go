package docs_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestPage(t *testing.T) {
	b := startBrowser(t)
	s := startBackend(t)
	desktop := view{width: 1280, height: 1000}

	t.Run("draws", func(t *testing.T) {
		p := b.open(t, s.URL+"/docs", desktop)
		operations := 0
		for _, methods := range parseDocument(t).Paths {
			operations += len(methods)
		}
		if got, want := p.text(`document.querySelectorAll("article").length`),
			fmt.Sprint(operations); got != want {
			t.Errorf("the reference shows %s operations, want %s", got, want)
		}
		// One last close and 20 forecasts; four nested bands, the widest drawn first.
		if got := p.text(`document.querySelector(".median").getAttribute("d").match(/[ML]/g).length`); got != "21" {
			t.Errorf("the median has %s points, want 21", got)
		}
		if got := p.text(`document.querySelectorAll(".band").length`); got != "4" {
			t.Errorf("the fan has %s bands, want 4", got)
		}
		if got := p.text(`[...document.querySelectorAll(".band")].every((e, i, all) => !i || e.getBBox().height < all[i - 1].getBBox().height)`); got != "true" {
			t.Error("the bands are not nested")
		}
		if got := p.text(`document.querySelectorAll("#table tbody tr").length`); got != "20" {
			t.Errorf("the table has %s rows, want 20", got)
		}
		if got, want := p.text(`document.querySelector("#answer").textContent`),
			"between 245.00 and 283.00"; !strings.Contains(got, want) {
			t.Errorf("the answer reads %q, want it to hold %q", got, want)
		}
		p.shot("desktop-light", false)
		p.shot("whole", true)
		p.quiet(s.URL)
	})

	t.Run("behind a prefix", func(t *testing.T) {
		p := b.open(t, s.URL+prefix+"/docs", desktop)
		p.wait(`document.querySelector(".median") && document.querySelector("article")`)
		if got, want := p.text(`document.querySelector("#code pre").textContent`),
			s.URL+prefix+"/predict"; !strings.Contains(got, want) {
			t.Errorf("the request in code is %q, want it to go to %s", got, want)
		}
		p.quiet(s.URL)
	})

	t.Run("permalink", func(t *testing.T) {
		p := b.open(t, s.URL+"/docs?t=MSFT&d=5&c=0.8&w=22", desktop)
		if got := s.asked(); !slices.Contains(got, "MSFT 5 0.8") {
			t.Errorf("asked %q, want MSFT 5 0.8", got)
		}
		if got := p.text(`["days","confidence","window"].map((id) => document.getElementById(id).value).join()`); got != "5,80,22" {
			t.Errorf("the controls show %s, want 5,80,22", got)
		}
		p.quiet(s.URL)
	})

	t.Run("keyboard", func(t *testing.T) {
		p := b.open(t, s.URL+"/docs", desktop)
		p.press("Tab")
		if got := p.text(`document.activeElement.textContent`); got != "Skip to the reference" {
			t.Errorf("the first stop is %q, want the link past the studio", got)
		}
		p.eval(`document.querySelector("#ticker").focus()`, nil)
		p.press("m")
		p.wait(`document.querySelectorAll("#ticker-list [role=option]").length === 2`)
		p.press("ArrowDown", "Enter")
		p.wait(`location.search.includes("t=AAPL,MSI")`)
		p.press("n", "v", "Enter")
		p.wait(`location.search.includes("t=AAPL,MSI,NVDA")`)
		p.wait(`document.querySelectorAll(".chart .median").length === 3`)
		p.eval(`document.querySelector("#days").focus()`, nil)
		p.press("ArrowRight")
		p.wait(`location.search.includes("d=21")`)
		p.wait(`document.querySelectorAll("#table tbody tr").length === 63`)
		p.eval(`document.querySelector(".stage").focus()`, nil)
		p.press("ArrowRight", "ArrowRight")
		if got, want := p.text(`document.querySelector(".stage").getAttribute("aria-valuetext")`),
			"3 Mar 2026: AAPL 264.00"; !strings.HasPrefix(got, want) {
			t.Errorf("the chart reads %q, want it to begin with %q", got, want)
		}
		p.shot("compare", false)
		p.eval(`document.querySelector("#ticker").focus()`, nil)
		p.press("Backspace")
		p.wait(`document.querySelectorAll(".chart .median").length === 2`)
		p.quiet(s.URL)
	})

	t.Run("errors in words", func(t *testing.T) {
		const want = "Unknown ticker 'ZZZZQ'."
		p := b.open(t, s.URL+"/docs?t=ZZZZQ", desktop)
		if got := p.text(`document.querySelector("#trouble").textContent`); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		p = b.open(t, s.URL+"/docs?t=AAPL,ZZZZQ", desktop)
		if got := p.text(`document.querySelector("#trouble").textContent`); got != want {
			t.Errorf("beside a known ticker: got %q, want %q", got, want)
		}
		if got := p.text(`document.querySelectorAll(".median").length`); got != "1" {
			t.Errorf("beside a known ticker: %s medians are drawn, want 1", got)
		}
		p.eval(`document.querySelector("#predict_predict_post .attempt").open = true`, nil)
		p.wait(`document.querySelector("#predict_predict_post form")`)
		p.eval(`document.querySelector("#predict_predict_post textarea").value = "{"`, nil)
		p.point("#predict_predict_post .primary", 0.5, 0.5, true)
		p.wait(`document.querySelector("#predict_predict_post .result .error")`)
		if got, want := p.text(`document.querySelector("#predict_predict_post .result .error").textContent`), "1: JSON decode error: Expecting value."; got != want {
			t.Errorf("a body that is no JSON: got %q, want %q", got, want)
		}
	})

	t.Run("copy as", func(t *testing.T) {
		p := b.open(t, s.URL+"/docs?t=AAPL&d=2", desktop)
		p.eval(`document.querySelector("#code").open = true`, nil)
		for i, c := range []struct {
			file, needs string
			args        []string
		}{
			{"a.sh", "curl", []string{"sh"}},
			{"a.py", "python3", []string{"python3"}},
			{"a.go", "go", []string{"go", "run"}},
			{"a.mjs", "node", []string{"node"}},
		} {
			p.point(fmt.Sprintf("#code .tabs button:nth-child(%d)", i+1), 0.5, 0.5, true)
			program := p.text(`document.querySelector("#code pre").textContent`)
			if _, err := exec.LookPath(c.needs); err != nil {
				t.Logf("%s is not installed: its program was not run", c.needs)
				continue
			}
			if c.needs == "python3" && exec.CommandContext(t.Context(), "python3", "-c",
				"import requests").Run() != nil {
				t.Log("Python has no requests: its program was not run")
				continue
			}
			file := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), c.args[0],
				append(c.args[1:], file)...).CombinedOutput()
			if got := strings.Count(string(out), "predicted_price"); err != nil || got != 2 {
				t.Errorf("%s: %v, and %d rows instead of 2:\n%s\nfrom\n%s", c.file, err, got, out,
					program)
			}
		}
		p.point("#link", 0.5, 0.5, true)
		p.wait(`document.querySelector("#copied").textContent === "Copied."`)
	})

	t.Run("API key", func(t *testing.T) {
		guarded := startBackend(t)
		guarded.key = "secret"
		p := b.open(t, guarded.URL+"/docs", desktop)
		if got, want := p.text(`document.querySelector("#trouble").textContent`),
			"Not authenticated."; got != want {
			t.Errorf("without a key: got %q, want %q", got, want)
		}
		p.eval(`document.querySelector("#key").focus()`, nil) // shown by now, or this does nothing
		p.press("s", "e", "c", "r", "e", "t", "Tab")
		p.wait(`document.querySelector(".median") && document.querySelector("#served").textContent`)
		if got := p.text(`document.querySelector("#trouble").hidden`); got != "true" {
			t.Error("with a key: an error is shown")
		}
	})

	t.Run("hover and theme", func(t *testing.T) {
		p := b.open(t, s.URL+"/docs", view{width: 1280, height: 1000, dark: true})
		p.point(".stage", 0.85, 0.5, false)
		p.wait(`!document.querySelector(".tip").hidden`)
		if got := p.text(`document.querySelector(".tip").textContent`); !strings.Contains(got,
			"median") || !strings.Contains(got, "99\u00a0%") {
			t.Errorf("the tip reads %q, want median and bands", got)
		}
		p.shot("desktop-dark", false)
		paper := func() string { return p.text(`getComputedStyle(document.body).backgroundColor`) }
		dark := paper()
		p.point("#theme", 0.5, 0.5, true)
		p.wait(`document.documentElement.dataset.theme === "light"`)
		if light := paper(); light == dark {
			t.Errorf("light and dark have the same background %s", light)
		}
		p.quiet(s.URL)
	})

	t.Run("tries every route", func(t *testing.T) {
		p := b.open(t, s.URL+"/docs", desktop)
		var got map[string]string
		p.eval(`(async () => {
			const out = {};
			for (const article of document.querySelectorAll("article")) {
				const fold = article.querySelector(".attempt");
				fold.open = true;
				while (!fold.querySelector("form")) await new Promise((r) => setTimeout(r, 5));
				fold.querySelector("form").requestSubmit();
				while (!fold.querySelector(".result").childElementCount) await new Promise((r) => setTimeout(r, 5));
				out[article.id] = fold.querySelector(".result").textContent;
			}
			return out;
		})()`, &got)
		for path, methods := range parseDocument(t).Paths {
			for method, op := range methods {
				if !strings.HasPrefix(got[op.OperationID], "200 OK") {
					t.Errorf("%s %s with what its form is filled with: %.200q", method, path,
						got[op.OperationID])
				}
			}
		}
		p.eval(`document.querySelector("#predict_predict_post").scrollIntoView()`, nil)
		p.shot("try", false)
		p.quiet(s.URL)
	})

	for _, dark := range []bool{false, true} {
		t.Run(fmt.Sprintf("phone dark=%t", dark), func(t *testing.T) {
			p := b.open(t, s.URL+"/docs?t=AAPL,MSFT&d=30",
				view{width: 360, height: 780, dark: dark})
			p.shot(fmt.Sprintf("phone-dark=%t", dark), false)
			p.eval(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`, nil)
			p.wait(`document.querySelectorAll(".attempt form").length === document.querySelectorAll(".attempt").length`)
			if got := p.text(`document.documentElement.scrollWidth`); got != "360" {
				t.Errorf("the page is %s wide on a screen of 360", got)
			}
			var poor []string
			p.eval(poorContrast, &poor)
			for _, e := range poor {
				t.Errorf("contrast below 4.5: %s", e)
			}
			p.shot(fmt.Sprintf("phone-whole-dark=%t", dark), true)
			for _, e := range p.nameless() {
				t.Errorf("no name for a screen reader: %s", e)
			}
			p.quiet(s.URL)
		})
	}
}
