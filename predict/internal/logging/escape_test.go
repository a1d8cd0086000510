package logging

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"strings"
	"testing"
)

func TestControlsAreEscaped(t *testing.T) {
	const nasty = "a\x7f\u009b31m\u202e\u2066\u200f\u061c é\u00a0→\U0001f600\n\xff"
	var out strings.Builder
	h := NewHandler(&out, nil)
	slog.New(h).Info("m", "path", nasty)
	if err := h.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, r := range out.String() {
		if r >= 0x7f && isControl(r) {
			t.Errorf("%U stands in %q", r, out.String())
		}
	}
	var line struct{ Path string }
	if err := json.Unmarshal([]byte(out.String()), &line); err != nil {
		t.Fatal(err)
	}
	if want := strings.ToValidUTF8(nasty, "\ufffd"); line.Path != want {
		t.Errorf("got %q back, want %q", line.Path, want)
	}
}

func TestControlsAreEscapedInText(t *testing.T) {
	var out strings.Builder
	h := NewHandler(&out, func(w io.Writer) slog.Handler { return slog.NewTextHandler(w, nil) })
	slog.New(h).Info("m", "del", "a\x7fb", "c1", "a\u009b31m b", "bidi", "\u202eevil", "esc",
		"\x1b[31m")
	if err := h.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for _, r := range strings.TrimSuffix(out.String(), "\n") {
		if isControl(r) || r < ' ' {
			t.Errorf("%U stands in %q", r, out.String())
		}
	}
}

func FuzzEscapeControls(f *testing.F) {
	f.Add("plain")
	f.Add("\u009b\u202e\xc2")
	f.Fuzz(func(t *testing.T, s string) {
		data, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		want := string(data)
		escaped := escapeControls(data)
		var back string
		if err := json.Unmarshal(escaped, &back); err != nil {
			t.Fatalf("%q became %q: %v", want, escaped, err)
		}
		if back != strings.ToValidUTF8(s, "\ufffd") && !strings.Contains(s, "\ufffd") {
			var plain string
			json.Unmarshal([]byte(want), &plain)
			if back != plain {
				t.Fatalf("%q reads back as %q", s, back)
			}
		}
	})
}
