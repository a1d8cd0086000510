package docs_test

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"
)

// browser is a headless Chromium. It is driven over a pipe in the DevTools protocol: JSON messages,
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

// startBrowser starts the browser for the time of a test. Without Chromium the test is skipped.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	bin := findChromium(t)
	toBrowser, in, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	out, fromBrowser, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	// t.TempDir would fail the test if a child of the browser still writes.
	profile, err := os.MkdirTemp("", "tickercast-docs")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cmd := exec.CommandContext(ctx, bin, "--headless", "--no-sandbox", "--disable-gpu",
		"--no-first-run", "--disable-background-networking", "--disable-component-update",
		"--disable-sync", "--disable-extensions", "--disable-dev-shm-usage", "--hide-scrollbars",
		"--force-color-profile=srgb", "--lang=en-US", "--user-data-dir="+profile,
		"--remote-debugging-pipe", "about:blank")
	cmd.ExtraFiles = []*os.File{toBrowser, fromBrowser} // descriptors 3 and 4
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
		// A browser that closes by itself has finished writing to its profile.
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

func findChromium(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome",
		"google-chrome-stable", "chrome"} {
		if bin, err := exec.LookPath(name); err == nil {
			return bin
		}
	}
	t.Skip("no Chromium in PATH: the page is not tested in a real browser")
	return ""
}

// read hands answers to the calls that wait for them, and events to their tabs, until the browser
// has gone.
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

// send writes one command and returns the channel of its answer. The channel is closed when the
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
