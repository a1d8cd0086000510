package docs_test

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium spoken to over a pipe in the DevTools protocol: JSON messages,
// each ended by a NUL.
type browser struct {
	in io.Writer

	mu      sync.Mutex // guards what follows, and writing to in
	lastID  int
	waiting map[int]chan message
	tabs    map[string]*tab
	err     error // why reading ended
}

type message struct {
	ID        int             `json:"id,omitempty"`
	SessionID string          `json:"sessionId,omitempty"`
	Method    string          `json:"method,omitempty"`
	Params    json.RawMessage `json:"params,omitempty"`
	Result    json.RawMessage `json:"result,omitempty"`
	Error     *struct {
		Message string `json:"message"`
	} `json:"error,omitempty"`
}

// startBrowser skips the test where no Chromium is installed.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	var bin string
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome",
		"google-chrome-stable", "chrome"} {
		if p, err := exec.LookPath(name); err == nil {
			bin = p
			break
		}
	}
	if bin == "" {
		t.Skip("no Chromium in PATH: the page is not tested in a real browser")
	}
	toBrowser, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	// not t.TempDir, which fails if a child of the browser still writes
	profile, err := os.MkdirTemp("", "tickercast-docs")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, bin,
		"--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
		"--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--disable-extensions",
		"--disable-dev-shm-usage",
		"--hide-scrollbars", "--force-color-profile=srgb", "--lang=en-US",
		"--user-data-dir="+profile,
		"--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser} // its descriptors 3 and 4
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	toBrowser.Close()
	fromBrowser.Close()
	b := &browser{in: in, waiting: map[int]chan message{}, tabs: map[string]*tab{}}
	read := make(chan struct{})
	go func() { defer close(read); b.read(out) }()
	t.Cleanup(func() {
		// lets it finish its writes into the folder that is about to go
		b.send("", "Browser.close", nil)
		exited := make(chan struct{})
		go func() { cmd.Wait(); close(exited) }()
		select {
		case <-exited:
		case <-time.After(10 * time.Second):
		}
		cancel()
		<-exited
		in.Close()
		<-read
		out.Close()
		os.RemoveAll(profile)
	})
	return b
}

func (b *browser) read(out io.Reader) {
	r := bufio.NewReaderSize(out, 1<<20)
	for {
		line, err := r.ReadBytes(0)
		var m message
		if err == nil {
			err = json.Unmarshal(line[:len(line)-1], &m)
		}
		b.mu.Lock()
		switch {
		case err != nil:
			b.err = err
			for _, c := range b.waiting {
				close(c)
			}
			b.waiting = nil
		case m.ID != 0:
			b.waiting[m.ID] <- m
			delete(b.waiting, m.ID)
		case b.tabs[m.SessionID] != nil:
			b.tabs[m.SessionID].event(m)
		}
		b.mu.Unlock()
		if err != nil {
			return
		}
	}
}

// send writes one command and returns where its answer will arrive; the channel is closed when the
// browser has gone.
func (b *browser) send(session, method string, params any) (<-chan message, error) {
	raw, err := json.Marshal(params)
	if err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.err != nil {
		return nil, b.err
	}
	b.lastID++
	m := message{ID: b.lastID, SessionID: session, Method: method}
	if params != nil {
		m.Params = raw
	}
	line, err := json.Marshal(m)
	if err != nil {
		return nil, err
	}
	answer := make(chan message, 1)
	b.waiting[m.ID] = answer
	_, err = b.in.Write(append(line, 0))
	return answer, err
}

func (b *browser) call(t *testing.T, session, method string, params, result any) {
	t.Helper()
	answer, err := b.send(session, method, params)
	if err != nil {
		t.Fatalf("%s: %v", method, err)
	}
	select {
	case m, ok := <-answer:
		if !ok {
			t.Fatalf("%s: the browser has gone", method)
		}
		if m.Error != nil {
			t.Fatalf("%s: %s", method, m.Error.Message)
		}
		if result != nil {
			if err := json.Unmarshal(m.Result, result); err != nil {
				t.Fatalf("%s: %v", method, err)
			}
		}
	case <-time.After(60 * time.Second):
		t.Fatalf("%s: no answer in 60 s", method)
	}
}

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

func (b *browser) open(t *testing.T, url string, v view) *tab {
	t.Helper()
	var target struct{ TargetID, SessionID, BrowserContextID string }
	b.call(t, "", "Target.createBrowserContext", map[string]any{}, &target) // its own storage
	b.call(t, "", "Target.createTarget", map[string]any{"url": "about:blank",
		"browserContextId": target.BrowserContextID}, &target)
	b.call(t, "", "Target.attachToTarget", map[string]any{"targetId": target.TargetID,
		"flatten": true}, &target)
	p := &tab{t: t, b: b, session: target.SessionID}
	b.mu.Lock()
	b.tabs[p.session] = p
	b.mu.Unlock()
	for _, domain := range []string{"Page", "Runtime", "Log", "Network", "Accessibility"} {
		p.call(domain+".enable", nil, nil)
	}
	scheme := "light"
	if v.dark {
		scheme = "dark"
	}
	p.call("Emulation.setEmulatedMedia",
		map[string]any{"features": []any{map[string]any{"name": "prefers-color-scheme",
			"value": scheme}}}, nil)
	p.call("Emulation.setDeviceMetricsOverride",
		map[string]any{"width": v.width, "height": v.height, "deviceScaleFactor": 1,
			"mobile": v.width < 600}, nil)
	p.call("Page.navigate", map[string]any{"url": url}, nil)
	p.wait(`document.documentElement?.dataset.ready === "true"`)
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

// wait returns when an expression holds, looked at as often as the page is drawn.
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

// press types keys as a person would: names such as Tab, ArrowDown and Enter, or a single
// character.
func (p *tab) press(keys ...string) {
	p.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, "Escape": 27, "Backspace": 8, "End": 35,
		"Home":      36,
		"ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
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

// point moves the mouse to a share of the width and height of an element, and clicks there if
// asked.
func (p *tab) point(selector string, x, y float64, click bool) {
	p.t.Helper()
	var at struct{ X, Y float64 }
	p.eval(fmt.Sprintf(`(() => { const e = document.querySelector(%q); e.scrollIntoView({ block: "center" });
		const r = e.getBoundingClientRect(); return { X: r.left + r.width * %g, Y: r.top + r.height * %g }; })()`, selector, x, y), &at)
	mouse := func(kind string) {
		p.call("Input.dispatchMouseEvent", map[string]any{"type": kind, "x": at.X, "y": at.Y,
			"button": "left", "clickCount": 1}, nil)
	}
	mouse("mouseMoved")
	if click {
		mouse("mousePressed")
		mouse("mouseReleased")
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
		if !strings.HasPrefix(u, origin+"/") {
			p.t.Errorf("the page asks another host: %s", u)
		}
	}
}

// shot saves a picture of the page for a person to look at, into the folder that DOCS_SHOTS names,
// if it names one.
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
