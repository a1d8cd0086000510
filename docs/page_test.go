package docs_test

import (
	"fmt"
	"strings"
	"testing"
)

var desktop = view{width: 1280, height: 1000}

// TestPage tries the page in one browser, a tab or two at a time.
func TestPage(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	b := startBrowser(t)
	s := startBackend(t)
	for _, c := range []struct {
		name string
		test func(*testing.T, *browser, *backend)
	}{
		{"copy as", testCopyAs},
		{"phone dark=false", testPhone(false)},
		{"phone dark=true", testPhone(true)},
		{"keyboard", testKeyboard},
		{"errors in words", testErrors},
		{"draws", testDraws},
		{"tries every route", testRoutes},
		{"behind a prefix", testPrefix},
		{"permalink", testPermalink},
		{"API key", testKey},
		{"hover and theme", testTheme},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.test(t, b, s)
		})
	}
}

// testPrefix loads the page as a proxy publishes it that puts the server below a path.
func testPrefix(t *testing.T, b *browser, s *backend) {
	p := b.open(t, s.URL+prefix+"/docs", desktop)
	p.wait(`document.querySelector(".median") && document.querySelector(".route")`)
	if got, want := p.text(`document.querySelector("#code pre").textContent`),
		s.URL+prefix+"/predict"; !strings.Contains(got, want) {
		t.Errorf("the request in code is %q, want it to go to %s", got, want)
	}
	p.quiet(s.URL)
}

// testRoutes sends each form of the reference as it is filled in.
func testRoutes(t *testing.T, b *browser, s *backend) {
	p := b.open(t, s.URL+"/docs", desktop)
	var got map[string]string
	p.eval(`(async () => {
		const out = {};
		for (const route of document.querySelectorAll(".route")) {
			route.open = true;
			while (!route.querySelector("form")) await new Promise((r) => setTimeout(r, 5));
			const status = route.querySelector(".result [role=status]");
			status.textContent = "";
			route.querySelector("form").requestSubmit();
			while (!status.textContent) await new Promise((r) => setTimeout(r, 5));
			out[route.id] = status.textContent;
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
}

// testPhone shows all that the page can show on a small screen.
func testPhone(dark bool) func(*testing.T, *browser, *backend) {
	return func(t *testing.T, b *browser, s *backend) {
		p := b.open(t, s.URL+"/docs?t=AAPL,MSFT&d=30", view{width: 360, height: 780, dark: dark})
		p.shot(fmt.Sprintf("phone-dark=%t", dark), false)
		p.openAll()
		p.same("width of the page", `document.documentElement.scrollWidth`, "360")
		for _, e := range p.poorContrast() {
			t.Errorf("contrast below 4.5: %s", e)
		}
		p.shot(fmt.Sprintf("phone-whole-dark=%t", dark), true)
		for _, e := range p.nameless() {
			t.Errorf("no name for a screen reader: %s", e)
		}
		p.quiet(s.URL)
	}
}
