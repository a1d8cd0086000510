package cli

import (
	"bytes"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestIsTerminal(t *testing.T) {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer null.Close()
	file, err := os.Create(t.TempDir() + "/file")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	for _, f := range []*os.File{null, file, w} {
		if isTerminal(f) {
			t.Errorf("%s is taken for a terminal", f.Name())
		}
	}
	if isTerminal(new(bytes.Buffer)) {
		t.Error("a buffer is taken for a terminal")
	}
}

// TestScreen wants lines above the status, and the status below all of them.
func TestScreen(t *testing.T) {
	var out bytes.Buffer
	s := &screen{w: &out}
	log := s.over(&out)
	log.Write([]byte("one\n"))
	s.show("half")
	s.show("half") // draws nothing
	log.Write([]byte("two\n"))
	s.show("")
	log.Write([]byte("three\n"))
	const want = "one\n" + clearLine + "half" + clearLine + "two\nhalf" + clearLine + "three\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

// TestProgressIsDrawnSeldom wants nothing for short work, and for long work a line ten times a
// second at most.
func TestProgressIsDrawnSeldom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out bytes.Buffer
		p := &progress{screen: &screen{w: &out}}
		p.count("reading", 1)
		time.Sleep(each / 2)
		p.count("reading", 2)
		if out.Len() != 0 {
			t.Errorf("short work draws %q", out.String())
		}
		for i := range 100 {
			time.Sleep(each / 10)
			p.count("reading", 1000*(i+1))
		}
		if n := strings.Count(out.String(), clearLine); n < 9 || n > 11 {
			t.Errorf("drawn %d times in a second, want 10", n)
		}
		if !strings.HasSuffix(out.String(), ", 95,000 closes") {
			t.Errorf("got %q", out.String())
		}
		fit := p.of("training")
		fit(1, 8)
		time.Sleep(2 * each)
		fit(2, 8)
		if want := "training  25 %, 1s left"; !strings.HasSuffix(out.String(), want) {
			t.Errorf("got %q, want %q at the end", out.String(), want)
		}
		p.done()
		end := out.String()
		time.Sleep(each)
		fit(3, 8)
		if !strings.HasSuffix(end, clearLine) || out.String() != end {
			t.Errorf("after the end: %q", out.String())
		}
		(&progress{}).of("quiet")(1, 2) // in a pipe
	})
}

func TestThousands(t *testing.T) {
	for n, want := range map[int]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567",
		1000001: "1,000,001"} {
		if got := thousands(n); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestWrap(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"", ""}, {"one", "one"}, {"one two three four", "one two\n  three\n  four"},
		{"äöü äöü x", "äöü äöü\n  x"}, {"longer-than-a-line x", "longer-than-a-line\n  x"},
	} {
		if got := wrap(tt.text, 9, "  "); got != tt.want {
			t.Errorf("wrap(%q) = %q, want %q", tt.text, got, tt.want)
		}
	}
}
