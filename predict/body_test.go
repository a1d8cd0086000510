package predict

import (
	"io"
	"mime"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
	"unicode"
)

// TestDeclaredBodyTakesNoMemory: a client gets memory for what it sends, not for what it says.
func TestDeclaredBodyTakesNoMemory(t *testing.T) {
	const limit = 1 << 20
	for _, sent := range []int{0, 1, 5000, 100_000} {
		r := httptest.NewRequest("POST", "/",
			io.MultiReader(strings.NewReader(strings.Repeat("x", sent)),
				iotest.ErrReader(io.ErrUnexpectedEOF)))
		r.ContentLength = limit
		got, err := readBody(nil, r, nil, limit, nil)
		if err == nil || len(got) != sent {
			t.Errorf("%d bytes of %d: got %d and %v, want an error", sent, limit, len(got), err)
		}
		if most := 3*sent + 2*firstRead; cap(got) > most {
			t.Errorf("%d bytes of %d took room for %d, want %d at most", sent, limit, cap(got),
				most)
		}
	}
}

// TestBodyWhole reads bodies of lengths around those at which the buffer grows, byte by byte.
func TestBodyWhole(t *testing.T) {
	for _, n := range []int{0, 1, firstRead - 1, firstRead, firstRead + 1, 2*firstRead + 1,
		64 << 10} {
		want := strings.Repeat("0123456789abcde", n/15+1)[:n]
		for _, length := range []int64{int64(n), -1} {
			r := httptest.NewRequest("POST", "/", iotest.OneByteReader(strings.NewReader(want)))
			r.ContentLength = length
			got, err := readBody(httptest.NewRecorder(), r, make([]byte, 0, 7), 64<<10, nil)
			if err != nil || string(got) != want {
				t.Errorf("%d bytes, declared %d: got %d and %v", n, length, len(got), err)
			}
			if length >= 0 && n > 7 && cap(got) > 2*n+firstRead {
				t.Errorf("%d bytes took room for %d", n, cap(got))
			}
		}
	}
}

// TestContentTypeIsLatin1: bytes above ASCII are characters of Latin-1, of which two are blanks.
func TestContentTypeIsLatin1(t *testing.T) {
	for s, want := range map[string]bool{
		"\xa0application/json\x85": true, "\x1capplication/json\x1f": true,
		"application/\xe9+JSON": true, "application/+json": true,
		"\x80application/json": false, "application/json\xff": false,
		"\xc2\xa0application/json": false,
		"\ufffdapplication/json":   false, "appl\u0130cation/json": false,
		"application/j\u017fon": false,
	} {
		if got := isJSON(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

// FuzzContentType: what package mime reads as JSON is JSON, and what it reads as something else is
// not. Package mime reads UTF-8, so only ASCII is compared.
func FuzzContentType(f *testing.F) {
	for _, s := range []string{"", "application/json", "Application/JSON; charset=utf-8",
		"application/x+json", "application/jsonx", "text/json", "application/json/x",
		"application/", ";", "AppliCAtion/json\f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, _, err := mime.ParseMediaType(s)
		if err != nil || strings.ContainsFunc(s,
			func(r rune) bool { return r > unicode.MaxASCII }) {
			return
		}
		want := m == "application/json" || strings.HasPrefix(m, "application/") &&
			strings.HasSuffix(m, "+json")
		if got := isJSON(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	})
}
