package docs_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"tickercast/docs"
	"tickercast/predict/server"
)

// languages are those of copied code, by the label of their tab.
var languages = []struct {
	tab, file, needs string
	run              []string
}{
	{"curl", "a.sh", "curl", []string{"sh"}},
	{"Python", "a.py", "python3", []string{"python3"}},
	{"Go", "a.go", "go", []string{"go", "run"}},
	{"JavaScript", "a.mjs", "node", []string{"node"}},
}

// runCode runs a program that was copied from the page, where its language is installed.
func runCode(t *testing.T, language int, program, key string) (out string, ran bool) {
	t.Helper()
	l := languages[language]
	if _, err := exec.LookPath(l.needs); err != nil {
		t.Logf("%s is not installed: its program was not run", l.needs)
		return "", false
	}
	file := filepath.Join(t.TempDir(), l.file)
	if err := os.WriteFile(file, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), l.run[0], append(l.run[1:], file)...)
	cmd.Env = append(os.Environ(), "TICKERCAST_KEY="+key)
	var said strings.Builder
	cmd.Stderr = &said
	printed, err := cmd.Output()
	if err != nil {
		t.Errorf("%s: %v\n%s\nof\n%s", l.tab, err, said.String(), program)
	}
	return string(printed), true
}

// TestCopiedCode runs the code of every example of the page, without and with keys, at the root and
// below a prefix, and compares what it prints with the answer that the page shows.
func TestCopiedCode(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser and many programs")
	}
	b := startBrowser(t)
	const key = "key-of-alice"
	sum := sha256.Sum256([]byte(key))
	keys := keysFile(t, hex.EncodeToString(sum[:])+" alice")
	openJudged, keyedJudged := make(judged), make(judged)
	for name, url := range map[string]string{
		"open": startEmbedded(t, func(c *server.Config) { c.Logger = slog.New(openJudged) }),
		"keys below a prefix": below(t, startEmbedded(t, func(c *server.Config) {
			c.KeysFile, c.Logger = keys, slog.New(keyedJudged)
		}), "/api/forecast"),
	} {
		t.Run(name, func(t *testing.T) {
			<-openJudged // which the examples show
			<-keyedJudged
			asked := name != "open"
			p := b.open(t, url+"/docs", desktop)
			if asked {
				p.eval(`document.querySelector("#key").value = "`+key+`"`, nil)
			}
			for i, l := range languages {
				for n, s := range p.programs(l.tab) {
					if strings.Contains(s.Code, key) {
						t.Errorf("%s shows the key:\n%s", s.Route, s.Code)
					}
					if !strings.Contains(s.Code, url+"/") {
						t.Errorf("%s does not ask %s:\n%s", s.Route, url, s.Code)
					}
					if held := strings.Contains(s.Code, "Bearer $TICKERCAST_KEY"); held !=
						(asked && s.Locked) {
						t.Errorf("%s with keys %t: a placeholder is %t:\n%s", s.Route, asked, held,
							s.Code)
					}
					// Each takes a second or so.
					if l.tab != "curl" && asked && n%4 > 0 || l.tab == "Go" && n%8 > 0 {
						continue
					}
					out, ran := runCode(t, i, s.Code, key)
					if ran && s.Shown != "" && !sameAnswer(out, s.Shown) {
						t.Errorf("%s of %s prints\n%s\nwant\n%s", l.tab, s.Route, out, s.Shown)
					}
				}
			}
		})
	}
}

// judged is the log of a server. It is closed when the server has judged its forecasts.
type judged chan struct{}

func (judged) Enabled(context.Context, slog.Level) bool { return true }
func (j judged) WithAttrs([]slog.Attr) slog.Handler     { return j }
func (j judged) WithGroup(string) slog.Handler          { return j }

func (j judged) Handle(_ context.Context, r slog.Record) error {
	if r.Message == "calibration" {
		close(j)
	}
	return nil
}

type program struct {
	Route, Code, Shown string
	Locked             bool
}

// programs are those of all routes and examples in a language, with the answers beside them.
func (p *tab) programs(language string) (list []program) {
	p.t.Helper()
	p.eval(fmt.Sprintf(`(async () => {
		const out = [];
		for (const route of document.querySelectorAll(".route")) {
			route.open = true;
			while (!route.querySelector("form")) await new Promise((r) => setTimeout(r, 5));
			[...route.querySelectorAll(".tabs button")].find((b) => b.textContent === %q).click();
			const select = route.querySelector(".which select");
			for (const i of select ? [...select.options].keys() : [0]) {
				if (select) {
					select.selectedIndex = i;
					select.dispatchEvent(new Event("change", { bubbles: true }));
				}
				out.push({ Route: route.id + " " + (select?.value || ""),
					Locked: !/docs|openapi|health|livez|readyz|_ready_/.test(route.id),
					Code: route.querySelector(".snippets code").textContent,
					Shown: route.querySelector(".result pre").textContent });
			}
		}
		return out;
	})()`, language), &list)
	return list
}

// sameAnswer compares JSON, but for what depends on the day and the program.
func sameAnswer(got, want string) bool {
	var g, w any
	if json.Unmarshal([]byte(got), &g) != nil || json.Unmarshal([]byte(want), &w) != nil {
		return strings.TrimSpace(got) == strings.TrimSpace(want)
	}
	for _, v := range []any{g, w} {
		if o, ok := v.(map[string]any); ok {
			delete(o, "age_days")
			if _, ok := o["extensions"]; ok {
				delete(o, "version")
			}
		}
	}
	return reflect.DeepEqual(g, w)
}

// TestBodiesAsTyped sends and copies bodies that a program would change by reading them.
func TestBodiesAsTyped(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser and many programs")
	}
	var mu sync.Mutex
	var got []string
	site := docs.New(docs.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", site.Page)
	mux.HandleFunc("GET /docs/{asset}", site.Asset)
	mux.HandleFunc("GET /openapi.json", site.OpenAPI)
	mux.HandleFunc("POST /predict", func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		got = append(got, string(body))
		mu.Unlock()
		writeJSON(w, 200, []any{})
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	b := startBrowser(t)
	p := b.open(t, s.URL+"/docs#"+predictID, desktop)
	for _, body := range []string{
		`{"ticker": "A", "x": 12345678901234567890, "y": 5.0, "ticker": "B"}`,
		"{\n  \"ticker\": \"it's $HOME `date` ${x} \\\" \\u00e9 \\\\\",\n  \"n\": 1e400\n}",
		"{\n\t'''\n", "@/etc/hostname", "`", "\n\\", "é €\u2028 \U0001F600 %41 '\\''",
	} {
		p.eval(fmt.Sprintf(`((e) => {
			e.value = %s;
			e.dispatchEvent(new Event("input", { bubbles: true }));
		})(document.querySelector("#predict_predict_post textarea"))`, asJSON(t, body)), nil)
		mu.Lock()
		got = nil
		mu.Unlock()
		p.click("#" + predictID + " .primary")
		p.wait(inRoute(predictID, ".result") + `.textContent.includes("bytes")`)
		p.eval(inRoute(predictID, ".result [role=status]")+`.textContent = ""`, nil)
		want := []string{body}
		for i := range languages {
			p.click(fmt.Sprintf("#%s .tabs button:nth-child(%d)", predictID, i+1))
			code := p.text(inRoute(predictID, ".snippets code") + ".textContent")
			if _, ran := runCode(t, i, code, ""); ran {
				want = append(want, body)
			}
		}
		mu.Lock()
		if !slices.Equal(got, want) {
			t.Errorf("of\n%q\nthe server got\n%q", body, got)
		}
		mu.Unlock()
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}
