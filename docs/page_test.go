package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"tickercast/docs"
)

const prefix = "/some/prefix"

// backend answers every route of the document: with its own example where that will do, and for the studio with a
// fan that widens by a dollar a day. The page is so tested against what the document says, and nothing else.
type backend struct {
	*httptest.Server
	key    string // that requests must show, if any
	mu     sync.Mutex
	bodies []string // of POST /predict; guarded by mu
}

func startBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{}
	site := docs.New(docs.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", site.Page)
	mux.HandleFunc("GET /docs/{asset}", site.Asset)
	mux.HandleFunc("GET /openapi.json", site.OpenAPI)
	mux.HandleFunc("POST /predict", b.predict)
	mux.HandleFunc("GET /tickers", func(w http.ResponseWriter, r *http.Request) {
		q := strings.ToUpper(r.FormValue("q"))
		found := []any{}
		for _, name := range []string{"AAPL", "MSFT", "MSI", "NVDA"} {
			if strings.HasPrefix(name, q) {
				found = append(found, map[string]any{"ticker": name, "as_of": "2026-02-18", "close": 100})
			}
		}
		writeJSON(w, 200, map[string]any{"tickers": found, "total": len(found), "limit": 8, "offset": 0})
	})
	doc := parseDocument(t)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			pattern := strings.ToUpper(method) + " " + path
			if _, taken := mux.Handler(httptest.NewRequest(strings.ToUpper(method), path, nil)); taken != "" {
				continue
			}
			media, ok := op.Responses["200"].Content["application/json"]
			if !ok {
				t.Fatalf("%s: no JSON to answer with", pattern)
			}
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
				ticker := r.PathValue("ticker")
				if ticker == "ZZZZQ" {
					unknownTicker(w)
					return
				}
				answer := media.Example
				if o, ok := answer.(map[string]any); ok && ticker != "" {
					o = maps.Clone(o)
					o["ticker"] = ticker
					answer = o
				}
				writeJSON(w, 200, answer)
			})
		}
	}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open := r.URL.Path == "/openapi.json" || strings.HasPrefix(r.URL.Path, "/docs")
		if b.key != "" && !open && r.Header.Get("Authorization") != "Bearer "+b.key {
			writeJSON(w, 401, map[string]any{"detail": "Not authenticated"})
			return
		}
		if strings.HasPrefix(r.URL.Path, prefix) {
			http.StripPrefix(prefix, mux).ServeHTTP(w, r) // as a proxy does that publishes the server below a path
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *backend) predict(w http.ResponseWriter, r *http.Request) {
	q := struct {
		Ticker     string    `json:"ticker"`
		Days       int       `json:"days_ahead"`
		Confidence float64   `json:"confidence_interval"`
		Levels     []float64 `json:"levels"`
	}{Days: 1, Confidence: 0.95}
	var body strings.Builder
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&q); err != nil {
		writeJSON(w, 422, map[string]any{"detail": []any{map[string]any{
			"type": "json_invalid", "loc": []any{"body", 1}, "msg": "JSON decode error", "input": map[string]any{}, "ctx": map[string]any{"error": "Expecting value"}}}})
		return
	}
	fmt.Fprintf(&body, "%s %d %g", q.Ticker, q.Days, q.Confidence)
	b.mu.Lock()
	b.bodies = append(b.bodies, body.String())
	b.mu.Unlock()
	if q.Ticker == "ZZZZQ" {
		unknownTicker(w)
		return
	}
	rows := []any{}
	for day := 1; day <= q.Days; day++ {
		width := float64(day)
		row := map[string]any{"ticker": strings.ToUpper(q.Ticker), "date": fmt.Sprintf("2026-%02d-%02d", 3+day/29, 1+day%29), "model_version": "test",
			"predicted_price": 264, "confidence_lower": 264 - width*q.Confidence, "confidence_upper": 264 + width*q.Confidence}
		if q.Levels != nil {
			intervals := []any{}
			for _, c := range q.Levels {
				intervals = append(intervals, map[string]any{"confidence": c, "lower": 264 - width*c, "upper": 264 + width*c})
			}
			row["intervals"] = intervals
		}
		rows = append(rows, row)
	}
	writeJSON(w, 200, rows)
}

func (b *backend) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.bodies)
}

func unknownTicker(w http.ResponseWriter) {
	writeJSON(w, 404, map[string]any{"detail": "Unknown ticker 'ZZZZQ'"})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

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
		if got, want := p.text(`document.querySelectorAll("article").length`), fmt.Sprint(operations); got != want {
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
		if got, want := p.text(`document.querySelector("#answer").textContent`), "between 245.00 and 283.00"; !strings.Contains(got, want) {
			t.Errorf("the answer reads %q, want it to hold %q", got, want)
		}
		p.shot("desktop-light", false)
		p.shot("whole", true)
		p.quiet(s.URL)
	})

	t.Run("behind a prefix", func(t *testing.T) {
		p := b.open(t, s.URL+prefix+"/docs", desktop)
		p.wait(`document.querySelector(".median") && document.querySelector("article")`)
		if got, want := p.text(`document.querySelector("#code pre").textContent`), s.URL+prefix+"/predict"; !strings.Contains(got, want) {
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
		if got, want := p.text(`document.querySelector(".stage").getAttribute("aria-valuetext")`), "3 Mar 2026: AAPL 264.00"; !strings.HasPrefix(got, want) {
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
			if c.needs == "python3" && exec.CommandContext(t.Context(), "python3", "-c", "import requests").Run() != nil {
				t.Log("Python has no requests: its program was not run")
				continue
			}
			file := filepath.Join(t.TempDir(), c.file)
			if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
				t.Fatal(err)
			}
			out, err := exec.CommandContext(t.Context(), c.args[0], append(c.args[1:], file)...).CombinedOutput()
			if got := strings.Count(string(out), "predicted_price"); err != nil || got != 2 {
				t.Errorf("%s: %v, and %d rows instead of 2:\n%s\nfrom\n%s", c.file, err, got, out, program)
			}
		}
		p.point("#link", 0.5, 0.5, true)
		p.wait(`document.querySelector("#copied").textContent === "Copied."`)
	})

	t.Run("API key", func(t *testing.T) {
		guarded := startBackend(t)
		guarded.key = "secret"
		p := b.open(t, guarded.URL+"/docs", desktop)
		if got, want := p.text(`document.querySelector("#trouble").textContent`), "Not authenticated."; got != want {
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
		if got := p.text(`document.querySelector(".tip").textContent`); !strings.Contains(got, "median") || !strings.Contains(got, "99\u00a0%") {
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
					t.Errorf("%s %s with what its form is filled with: %.200q", method, path, got[op.OperationID])
				}
			}
		}
		p.eval(`document.querySelector("#predict_predict_post").scrollIntoView()`, nil)
		p.shot("try", false)
		p.quiet(s.URL)
	})

	for _, dark := range []bool{false, true} {
		t.Run(fmt.Sprintf("phone dark=%t", dark), func(t *testing.T) {
			p := b.open(t, s.URL+"/docs?t=AAPL,MSFT&d=30", view{width: 360, height: 780, dark: dark})
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
