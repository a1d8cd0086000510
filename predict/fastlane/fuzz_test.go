package fastlane

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"strings"
	"testing"
)

func get(target string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: a\r\nIf-None-Match: \"b\"\r\nAccept: */*\r\n\r\n"
}

// FuzzScan compares what scan reads with what net/http reads in the same bytes.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		typical, typical + typical, strings.ToUpper(typical),
		strings.ReplaceAll(typical, "\r\n", "\n"),
		strings.Replace(typical, "Accept", "Transfer-Encoding: chunked\r\nAccept", 1),
		strings.Replace(typical, "59", "60", 1), strings.Replace(typical, "59", "0059", 1),
		strings.Replace(typical, "59", "+59", 1),
		strings.Replace(typical, "Accept: ", "Accept:\r\n ", 1),
		strings.Replace(typical, "Host: ", "Host: a\r\nHost: ", 1),
		get("/predict/AAPL?a=%20&b"), get("/predict/BRK.B"), get("/predict/^GSPC?"),
		get("/predict/batch"), get("/predict/.."), get("/predict/a/b"), get("/health"),
		get("/health?a"), get("/predict/%41"), strings.Replace(typical, "/predict", "/predict/batch", 1),
	} {
		f.Add([]byte(s))
	}
	f.Add([]byte(strings.Replace(typical, "Accept: */*",
		"Authorization: Bearer a\r\nX-Api-Key: b\r\nX-Forwarded-For: 192.0.2.1", 1)))
	g := testGrammar()
	var cache headCache
	f.Fuzz(func(t *testing.T, b []byte) {
		var got, again Request
		v := g.scan(b, &got)
		w := cache.scan(&g, b, &again)
		if w != v || !bytes.Equal(again.Body, got.Body) || !bytes.Equal(again.whole, got.whole) {
			t.Fatalf("with the cache: got %d, %q, without %d, %q", w, again.whole, v, got.whole)
		}
		for which := range numHeaders {
			was, is := bytes.Trim(got.value(which), " "), bytes.Trim(again.value(which), " ")
			if !bytes.Equal(was, is) {
				t.Errorf("header %d: with the cache %q, without %q: %q", which, is, was, b)
			}
		}
		if v != plain {
			return
		}
		rest := bufio.NewReaderSize(bytes.NewReader(b), len(b)+16)
		r, err := http.ReadRequest(rest)
		if err != nil {
			t.Fatalf("accepted, but net/http says %v: %q", err, b)
		}
		body, err := io.ReadAll(r.Body)
		if size := len(b) - rest.Buffered(); err != nil || !bytes.Equal(body, got.Body) ||
			size != len(got.whole) {
			t.Errorf("got body %q and %d bytes, want %q, %d and %v", got.Body, len(got.whole), body,
				size, err)
		}
		for name, value := range map[string][]byte{"Authorization": got.Authorization(),
			"X-Api-Key": got.APIKey(), "X-Forwarded-For": got.ForwardedFor(),
			"Accept": got.Accept(), "If-None-Match": got.IfNoneMatch()} {
			if string(value) != r.Header.Get(name) || len(r.Header[name]) > 1 {
				t.Errorf("got %q for %s, want %q", value, name, r.Header[name])
			}
		}
		if r.Method != got.target.Method || r.URL.Path != got.Path() ||
			r.URL.RawQuery != string(got.Query()) || r.URL.EscapedPath() != got.Path() &&
			len(got.Segment()) == 0 || !r.ProtoAtLeast(1, 1) || r.Close != got.closes() ||
			r.TransferEncoding != nil || r.Trailer != nil || r.Host == "" {
			t.Errorf("got %+v", r)
		}
	})
}

// FuzzHeader checks that header judges a value as scan does the whole line, and that it finds each
// value that it accepts.
func FuzzHeader(f *testing.F) {
	for _, s := range []string{"Host:a", "content-length: 5 ", "Content-Type:application/json",
		"Connection: Keep-Alive", "Authorization: a b", "If-Match: *", "X-Request-Id: a", "A:"} {
		name, value, _ := strings.Cut(s, ":")
		f.Add(name, value)
	}
	g := testGrammar()
	g.validID = func(b []byte) bool { return len(b) > 0 }
	g.validTrace = g.validID
	f.Fuzz(func(t *testing.T, name, value string) {
		b := []byte(name + ":" + value)
		for _, c := range []byte(name) {
			if tokens[c] == 0 {
				return
			}
		}
		if name == "" || len(b) > MaxRequest-len(line)-10 || visible([]byte(value)) < len(value) {
			return
		}
		var found headers
		lower := []byte(strings.ToLower(name))
		at := span{uint16(len(name) + 1), uint16(len(b))}
		got := len(name) <= maxName && g.header(&found, lower, b, at)
		var r Request
		want := g.scan([]byte(line+string(b)+"\r\nA"), &r) == needMore
		if got != want {
			t.Errorf("%q: got %v, in a request %v", b, got, want)
		}
		for which, where := range found {
			if where.to > 0 && string(where.of(b)) != strings.Trim(value, " ") {
				t.Errorf("%q: header %d at %v", b, which, where)
			}
		}
	})
}
