package docs_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// tab is a page of the browser. It records what the page asked for and what it complained about.
type tab struct {
	t       *testing.T
	b       *browser
	session string

	requests []string // URLs; guarded by b.mu
	problems []string // console errors, exceptions, refused loads; guarded by b.mu
}

// view is the screen that a tab is shown on.
type view struct {
	width, height int
	dark          bool
}

// open shows a page in a tab with storage of its own, and waits until all is drawn that needs no
// click. The tab closes with the test.
func (b *browser) open(t *testing.T, url string, v view) *tab {
	t.Helper()
	p := b.openWith(t, url, v, nil)
	p.ready()
	return p
}

// ready waits until the page has drawn itself.
func (p *tab) ready() {
	p.t.Helper()
	p.wait(`document.documentElement?.dataset.ready === "true"`)
}

// openWith shows a page in a tab that is set up before, and does not wait.
func (b *browser) openWith(t *testing.T, url string, v view, setUp func(*tab)) *tab {
	t.Helper()
	var target struct{ TargetID, SessionID, BrowserContextID string }
	b.call(t, "", "Target.createBrowserContext", map[string]any{}, &target)
	b.call(t, "", "Target.createTarget", map[string]any{"url": "about:blank",
		"browserContextId": target.BrowserContextID}, &target)
	b.call(t, "", "Target.attachToTarget", map[string]any{"targetId": target.TargetID,
		"flatten": true}, &target)
	p := &tab{t: t, b: b, session: target.SessionID}
	b.mu.Lock()
	b.tabs[p.session] = p
	b.mu.Unlock()
	t.Cleanup(func() {
		b.mu.Lock()
		delete(b.tabs, p.session)
		b.mu.Unlock()
		b.send("", "Target.disposeBrowserContext",
			map[string]any{"browserContextId": target.BrowserContextID})
	})
	for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
		p.call(domain+".enable", nil, nil)
	}
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	p.call("Emulation.setEmulatedMedia", map[string]any{"features": []any{
		map[string]any{"name": "prefers-color-scheme", "value": scheme}}}, nil)
	p.call("Emulation.setDeviceMetricsOverride", map[string]any{"width": v.width,
		"height": v.height, "deviceScaleFactor": 1, "mobile": v.width < 600}, nil)
	// Each of several tabs behaves as if it were the one in front.
	p.call("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true}, nil)
	if setUp != nil {
		setUp(p)
	}
	p.call("Page.navigate", map[string]any{"url": url}, nil)
	return p
}

func (p *tab) event(m message) {
	var e struct {
		Request          struct{ URL string }
		Type             string
		Args             []struct{ Value, Description any }
		Entry            struct{ Level, Text, URL string }
		ExceptionDetails struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	if json.Unmarshal(m.Params, &e) != nil {
		return
	}
	switch m.Method {
	case "Network.requestWillBeSent":
		p.requests = append(p.requests, e.Request.URL)
	case "Runtime.consoleAPICalled":
		if e.Type == "error" || e.Type == "warning" {
			p.problems = append(p.problems, fmt.Sprint(e.Args))
		}
	case "Runtime.exceptionThrown":
		p.problems = append(p.problems,
			e.ExceptionDetails.Text+" "+e.ExceptionDetails.Exception.Description)
	case "Log.entryAdded":
		p.problems = append(p.problems, e.Entry.Level+": "+e.Entry.Text+" "+e.Entry.URL)
	}
}

func (p *tab) call(method string, params, result any) {
	p.t.Helper()
	p.b.call(p.t, p.session, method, params, result)
}

// eval runs JavaScript, waits for a promise, and returns the value through JSON.
func (p *tab) eval(js string, result any) {
	p.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Exception struct{ Description string } }
	}
	p.call("Runtime.evaluate", map[string]any{"expression": js, "awaitPromise": true,
		"returnByValue": true}, &r)
	if r.ExceptionDetails != nil {
		p.t.Fatalf("%s\n%s", js, r.ExceptionDetails.Exception.Description)
	}
	if result != nil {
		if err := json.Unmarshal(r.Result.Value, result); err != nil {
			p.t.Fatalf("%s: %v in %s", js, err, r.Result.Value)
		}
	}
}

func (p *tab) text(js string) string {
	p.t.Helper()
	var s string
	p.eval("String("+js+")", &s)
	return s
}

// same compares the value of an expression, as a string, with what it should be.
func (p *tab) same(what, js, want string) {
	p.t.Helper()
	if got := p.text(js); got != want {
		p.t.Errorf("%s: got %q, want %q", what, got, want)
	}
}

// wait returns when a condition holds. The page checks it every 10 ms.
func (p *tab) wait(condition string) {
	p.t.Helper()
	var ok bool
	p.eval(`new Promise((done) => {
		const end = performance.now() + 40000;
		const look = () => {
			if (`+condition+`) return done(true);
			if (performance.now() > end) return done(false);
			setTimeout(look, 10);
		};
		look();
	})`, &ok)
	if !ok {
		p.t.Fatalf("after 40 s not so: %s\nproblems: %q", condition, p.complaints())
	}
}

// press types keys, each a single character or a name such as Tab, ArrowDown and Enter.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, "Backspace": 8, "ArrowRight": 39,
		"ArrowDown": 40, "Escape": 27}
	for _, k := range keys {
		down := map[string]any{"type": "keyDown", "key": k, "code": k,
			"windowsVirtualKeyCode": codes[k]}
		switch {
		case len(k) == 1:
			down = map[string]any{"type": "keyDown", "key": k, "text": k}
		case k == "Enter":
			down["text"] = "\r"
		}
		p.call("Input.dispatchKeyEvent", down, nil)
		p.call("Input.dispatchKeyEvent", map[string]any{"type": "keyUp", "key": k, "code": k,
			"windowsVirtualKeyCode": codes[k]}, nil)
	}
}

// chord presses a key together with Ctrl.
func (p *tab) chord(key string) {
	p.t.Helper()
	const ctrl = 2
	for _, kind := range []string{"rawKeyDown", "keyUp"} {
		p.call("Input.dispatchKeyEvent", map[string]any{"type": kind, "key": key,
			"modifiers": ctrl}, nil)
	}
}

// hover moves the mouse to a share of the width and height of an element, and click clicks in its
// middle.
func (p *tab) hover(selector string, x, y float64) { p.mouse(selector, x, y, "mouseMoved") }

func (p *tab) click(selector string) {
	p.mouse(selector, 0.5, 0.5, "mouseMoved", "mousePressed", "mouseReleased")
}

func (p *tab) mouse(selector string, x, y float64, events ...string) {
	p.t.Helper()
	var at struct{ X, Y float64 }
	p.eval(fmt.Sprintf(`(() => {
		const e = document.querySelector(%q);
		e.scrollIntoView({ block: "center" });
		const r = e.getBoundingClientRect();
		return { X: r.left + r.width * %g, Y: r.top + r.height * %g };
	})()`, selector, x, y), &at)
	for _, event := range events {
		p.call("Input.dispatchMouseEvent", map[string]any{"type": event, "x": at.X, "y": at.Y,
			"button": "left", "clickCount": 1}, nil)
	}
}

func (p *tab) complaints() []string {
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	return slices.Clone(p.problems)
}

// quiet fails the test if the page complained of anything or asked any host but its own.
func (p *tab) quiet(origin string) {
	p.t.Helper()
	for _, c := range p.complaints() {
		p.t.Errorf("the page complains: %s", c)
	}
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
	for _, u := range p.requests {
		// The browser's own field for dates has a picture in a URL.
		if !strings.HasPrefix(u, origin+"/") && !strings.HasPrefix(u, "data:") {
			p.t.Errorf("the page asks another host: %s", u)
		}
	}
}

// shot saves a picture of the page into the folder that DOCS_SHOTS names, if it names one.
func (p *tab) shot(name string, whole bool) {
	p.t.Helper()
	dir := os.Getenv("DOCS_SHOTS")
	if dir == "" {
		return
	}
	var png struct{ Data string }
	p.call("Page.captureScreenshot", map[string]any{"captureBeyondViewport": whole}, &png)
	raw, err := base64.StdEncoding.DecodeString(png.Data)
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, name+".png"), raw, 0o644)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}
