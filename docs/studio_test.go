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

func testDraws(t *testing.T, b *browser, s *backend) {
	p := b.open(t, s.URL+"/docs", desktop)
	operations := 0
	for _, methods := range parseDocument(t).Paths {
		operations += len(methods)
	}
	p.same("operations of the reference", `document.querySelectorAll(".route").length`,
		fmt.Sprint(operations))
	p.same("points of the median: one last close and 20 forecasts",
		`document.querySelector(".median").getAttribute("d").match(/[ML]/g).length`, "21")
	p.same("bands of the fan", `document.querySelectorAll(".band").length`, "4")
	p.same("bands are nested, the widest drawn first",
		`[...document.querySelectorAll(".band")].every((e, i, all) =>
			!i || e.getBBox().height < all[i - 1].getBBox().height)`, "true")
	p.same("rows of the table", `document.querySelectorAll("#table tbody tr").length`, "20")
	if got, want := p.text(`document.querySelector("#answer").textContent`),
		"between 245.00 and 283.00"; !strings.Contains(got, want) {
		t.Errorf("the answer reads %q, want it to hold %q", got, want)
	}
	p.shot("desktop-light", false)
	p.shot("whole", true)
	p.quiet(s.URL)
}

func testPermalink(t *testing.T, b *browser, s *backend) {
	p := b.open(t, s.URL+"/docs?t=MSFT&d=5&c=0.8&w=22", desktop)
	if got := s.asked(); !slices.Contains(got, "MSFT 5 0.8") {
		t.Errorf("asked %q, want MSFT 5 0.8", got)
	}
	p.same("controls", `[...["days", "confidence"].map((id) => document.getElementById(id).value),
		document.querySelector("#window [aria-pressed=true]").textContent].join()`, "5,80,1M")
	p.quiet(s.URL)
}

func testKeyboard(t *testing.T, b *browser, s *backend) {
	p := b.open(t, s.URL+"/docs", desktop)
	p.press("Tab")
	p.same("the first stop leads past the studio", `document.activeElement.textContent`,
		"Skip to the reference")

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
}

func testErrors(t *testing.T, b *browser, s *backend) {
	const trouble = `document.querySelector("#trouble").textContent`
	p := b.open(t, s.URL+"/docs?t=ZZZZQ", desktop)
	p.same("an unknown ticker", trouble, "Unknown ticker 'ZZZZQ'.")
	p = b.open(t, s.URL+"/docs?t=AAPL,ZZZZQ", desktop)
	p.same("an unknown ticker beside a known one", trouble, "Unknown ticker 'ZZZZQ'.")
	p.same("medians drawn beside an unknown ticker",
		`document.querySelectorAll(".median").length`, "1")

	p.eval(`document.querySelector("#predict_predict_post textarea").value = "{"`, nil)
	p.click("#predict_predict_post .primary")
	const fault = `document.querySelector("#predict_predict_post .result .error")`
	p.wait("!" + fault + ".hidden")
	p.same("a body that is no JSON", fault+".textContent",
		"1: JSON decode error: Expecting value.")
}

// testCopyAs runs the programs that the page writes, each where its language is installed.
func testCopyAs(t *testing.T, b *browser, s *backend) {
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
		p.click(fmt.Sprintf("#code .tabs button:nth-child(%d)", i+1))
		program := p.text(`document.querySelector("#code pre").textContent`)
		if _, err := exec.LookPath(c.needs); err != nil {
			t.Logf("%s is not installed: its program was not run", c.needs)
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
	p.click("#link")
	p.wait(`document.querySelector("#copied").textContent === "Copied."`)
}

func testKey(t *testing.T, b *browser, _ *backend) {
	guarded := startBackend(t)
	guarded.key = "secret"
	p := b.open(t, guarded.URL+"/docs", desktop)
	// The field has the focus.
	p.press("s", "e", "c", "r", "e", "t", "Tab")
	p.wait(`document.querySelector(".median") && document.querySelector("#served").textContent`)
	p.same("with a key no error is shown", `document.querySelector("#trouble").hidden`, "true")
}

func testTheme(t *testing.T, b *browser, s *backend) {
	p := b.open(t, s.URL+"/docs", view{width: 1280, height: 1000, dark: true})
	p.hover(".stage", 0.85, 0.5)
	p.wait(`!document.querySelector(".tip").hidden`)
	if got := p.text(`document.querySelector(".tip").textContent`); !strings.Contains(got,
		"median") || !strings.Contains(got, "99\u00a0%") {
		t.Errorf("the tip reads %q, want median and bands", got)
	}
	p.shot("desktop-dark", false)
	paper := func() string { return p.text(`getComputedStyle(document.body).backgroundColor`) }
	dark := paper()
	p.click("#theme")
	p.wait(`document.documentElement.dataset.theme === "light"`)
	if light := paper(); light == dark {
		t.Errorf("light and dark have the same background %s", light)
	}
	p.quiet(s.URL)
}
