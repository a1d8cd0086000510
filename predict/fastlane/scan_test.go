package fastlane

import (
	"bufio"
	"bytes"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
)

const typical = "POST /predict HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: " +
	"python-requests/2.32.3\r\nAccept-Encoding: gzip, deflate\r\n" +
	"Accept: */*\r\nConnection: keep-alive\r\nContent-Length: 59\r\nContent-Type: " +
	"application/json\r\n\r\n" +
	`{"ticker":"AAPL","days_ahead":1,"confidence_interval":0.95}`

func TestScan(t *testing.T) {
	g := newGrammar("/predict", []string{"X-Mine"})
	if r, v := g.scan([]byte(typical + "POST")); v != plain || r.size != len(typical) ||
		string(r.body) != typical[len(typical)-59:] {
		t.Errorf("a whole request and more: got %d, %+v", v, r)
	}
	head := strings.Index(typical, "\r\n\r\n") + 4
	for i := range len(typical) {
		want := partial
		if i >= head {
			want = headed
		}
		if _, got := g.scan([]byte(typical[:i])); got != want {
			t.Errorf("%q: got %d, want %d", typical[:i], got, want)
		}
	}
	// What is foreign is so as soon as its line is there.
	for _, header := range []string{
		"Transfer-Encoding: chunked", "transfer-encoding:x", "TE: trailers", "Trailer: a",
		"Expect: 100-continue", "Upgrade: h2c",
		"HTTP2-Settings: a", "Content-Encoding: gzip", "Authorization: a\r\nAuthorization: a",
		"X-Api-Key: a\r\nX-Api-Key:", "ORIGIN: a",
		"X-Forwarded-For: a\r\nX-Forwarded-For: b", "Range: a", "If-Match: *",
		"if-modified-since: a", "X-Request-Id: a", "TraceParent: a", "Tracestate: a", "x-mine: a",
		"Connection: close", "Connection: keep-alive, te",
		"Host: b", "Host:", "Content-Type: application/json", "Content-Type: text/json",
		"Content-Length: 59", "A : b", " a: b", "a", ": b",
		"a: \tb", "a: \x7f", "a: \x80", "a: \x00", "a: b\n", "a\x00: b",
		strings.Repeat("a", maxName+1) + ": b",
	} {
		b := strings.Replace(typical, "\r\n\r\n", "\r\n"+header+"\r\n\r\n", 1)
		if _, got := g.scan([]byte(b)); got != foreign {
			t.Errorf("with %q: got %d, want %d", header, got, foreign)
		}
		cut := b[:strings.LastIndex(b, "\r\n"+header)+2+len(header)+2]
		if _, got := g.scan([]byte(cut)); got != foreign {
			t.Errorf("up to %q: got %d, want %d", header, got, foreign)
		}
	}
	for _, header := range []string{"A: b", "a:b", "A:", "A:  b  ",
		strings.Repeat("a", maxName) + ": b", "Content-Type2: x", "Cookie: a=b; c=\"d\"", "If: a",
		"X_Mine: a"} {
		b := strings.Replace(typical, "\r\n\r\n", "\r\n"+header+"\r\n\r\n", 1)
		if _, got := g.scan([]byte(b)); got != plain {
			t.Errorf("with %q: got %d, want %d", header, got, plain)
		}
	}
}

// TestScanNames finds what a request calls itself, judged anew and remembered.
func TestScanNames(t *testing.T) {
	g := newGrammar("/predict", nil)
	g.validID = func(b []byte) bool { return len(b) > 0 && string(b) != "bad" }
	g.validTrace = func(b []byte) bool { return string(b) == "trace" }
	for _, tt := range []struct {
		headers, id, trace string
		verdict            verdict
	}{
		{"A: b", "", "", plain},
		{"X-Request-Id: one", "one", "", plain},
		{"x-request-id:  two words ", "two words", "", plain},
		{"X-REQUEST-ID:one\r\nTraceparent: trace\r\nTracestate: a=b", "one", "trace", plain},
		{"Tracestate: a=b", "", "", plain},
		{"X-Request-Id: bad", "", "", foreign},
		{"X-Request-Id:", "", "", foreign},
		{"X-Request-Id: one\r\nX-Request-Id: one", "", "", foreign},
		{"Traceparent: other", "", "", foreign},
		{"Traceparent: trace\r\nTraceparent: trace", "", "", foreign},
	} {
		b := []byte(strings.Replace(typical, "\r\n\r\n", "\r\n"+tt.headers+"\r\n\r\n", 1))
		var m memo
		for range 2 {
			r, v := m.scan(&g, b)
			if id, trace := string(r.id.of(b)), string(r.trace.of(b)); v != tt.verdict ||
				id != tt.id || trace != tt.trace {
				t.Errorf("with %q: got %d, id %q, trace %q; want %d, %q, %q", tt.headers, v, id,
					trace, tt.verdict, tt.id, tt.trace)
			}
		}
	}
}

// TestScanLoose finds the values that are not judged, whether the rest of the headers is judged
// anew or remembered, and whose they are although the memory is of another's.
func TestScanLoose(t *testing.T) {
	g := newGrammar("/predict", nil)
	with := func(headers string) []byte {
		return []byte(strings.Replace(typical, "Accept: */*", headers, 1))
	}
	var m memo
	for i, tt := range []struct {
		headers string
		values  [looseHeaders]string
		verdict verdict
	}{
		{"A: b", [looseHeaders]string{"", "", ""}, plain},
		{"Authorization: one", [looseHeaders]string{"one", "", ""}, plain},
		{"Authorization: two", [looseHeaders]string{"two", "", ""}, plain},
		{"Authorization:  x ", [looseHeaders]string{"x", "", ""}, plain},
		{"Authorization: \r\n\r", [looseHeaders]string{}, foreign},
		{"Authorization: a\rb", [looseHeaders]string{}, foreign},
		{"Authorization:    ", [looseHeaders]string{"", "", ""}, plain},
		{"Authorization: a\tb", [looseHeaders]string{}, foreign},
		{"authorization: one", [looseHeaders]string{"one", "", ""}, plain},
		{"X-Forwarded-For: 1\r\nX-API-Key: 2\r\nAuthorization: 3",
			[looseHeaders]string{"3", "2", "1"}, plain},
		{"X-Forwarded-For: 4\r\nX-API-Key: 5\r\nAuthorization: 6",
			[looseHeaders]string{"6", "5", "4"}, plain},
		{"X-Forwarded-For: 4\r\nX-API-Kez: 5\r\nAuthorization: 6",
			[looseHeaders]string{"6", "", "4"}, plain},
		{"X-Forwarded-For: 4\r\nX-API-Key: \x00\r\nAuthorization: 6", [looseHeaders]string{},
			foreign},
	} {
		b := with(tt.headers)
		for range 2 {
			r, v := m.scan(&g, b)
			if v != tt.verdict {
				t.Fatalf("%d, %q: got %d, want %d", i, tt.headers, v, tt.verdict)
			}
			for which, want := range tt.values {
				if got := string(r.value(which, b)); v == plain && got != want {
					t.Errorf("%d, %q: got %q for header %d, want %q", i, tt.headers, got, which,
						want)
				}
			}
			if v == plain && (r.size != len(b) || string(r.body) != typical[len(typical)-59:]) {
				t.Errorf("%d, %q: got size %d, body %q", i, tt.headers, r.size, r.body)
			}
		}
	}
	m.scan(&g, with("Authorization: secret\r\nX-Api-Key: secret"))
	if bytes.Contains(m.head[:], []byte("secret")) {
		t.Error("a secret is remembered")
	}
	if !m.knows(with("Authorization: other!\r\nX-Api-Key: public")) {
		t.Error("headers that differ in loose values alone are not recognised")
	}
}

func TestScanBounds(t *testing.T) {
	g := newGrammar("/predict", nil)
	fill := func(total int) []byte {
		b := strings.Replace(typical, "\r\n\r\n", "\r\nA: \r\n\r\n", 1)
		return []byte(strings.Replace(b, "A: ", "A: "+strings.Repeat("a", total-len(b)), 1))
	}
	if r, got := g.scan(fill(MaxRequest)); got != plain || r.size != MaxRequest {
		t.Errorf("%d bytes: got %d, size %d", MaxRequest, got, r.size)
	}
	if _, got := g.scan(fill(MaxRequest + 1)); got != foreign {
		t.Errorf("%d bytes: got %d, want %d", MaxRequest+1, got, foreign)
	}
}

func TestVisible(t *testing.T) {
	slow := func(b []byte) int {
		for i, c := range b {
			if c < 0x20 || c > 0x7e {
				return i
			}
		}
		return len(b)
	}
	var b [40]byte
	for n := range len(b) {
		for at := range n {
			for c := range 256 {
				for i := range b {
					b[i] = byte(' ' + (i*37+c)%95)
				}
				b[at] = byte(c)
				if got, want := visible(b[:n]), slow(b[:n]); got != want {
					t.Fatalf("%q: got %d, want %d", b[:n], got, want)
				}
			}
		}
	}
	r := rand.New(rand.NewPCG(1, 2))
	for range 100_000 { // several odd bytes, where borrows could mislead
		for i := range b {
			b[i] = []byte{0, 0x1f, 0x20, 0x21, 0x7e, 0x7f, 0x80, 0xff, 'a', 'a', 'a',
				'a'}[r.IntN(12)]
		}
		if got, want := visible(b[:]), slow(b[:]); got != want {
			t.Fatalf("%q: got %d, want %d", b, got, want)
		}
	}
}

// FuzzScan holds what the grammar takes to what net/http reads in the same bytes.
func FuzzScan(f *testing.F) {
	for _, s := range []string{
		typical, typical + typical, strings.ToUpper(typical),
		strings.ReplaceAll(typical, "\r\n", "\n"),
		strings.Replace(typical, "Accept", "Transfer-Encoding: chunked\r\nAccept", 1),
		strings.Replace(typical, "59", "60", 1), strings.Replace(typical, "59", "0059", 1),
		strings.Replace(typical, "59", "+59", 1),
		strings.Replace(typical, "Accept: ", "Accept:\r\n ", 1),
		strings.Replace(typical, "Host: ", "Host: a\r\nHost: ", 1),
	} {
		f.Add([]byte(s))
	}
	f.Add([]byte(strings.Replace(typical, "Accept: */*",
		"Authorization: Bearer a\r\nX-Api-Key: b\r\nX-Forwarded-For: 192.0.2.1", 1)))
	g := newGrammar("/predict", nil)
	var m memo
	f.Fuzz(func(t *testing.T, b []byte) {
		got, v := g.scan(b)
		if again, w := m.scan(&g, b); w != v || v == plain &&
			(!bytes.Equal(again.body, got.body) || again.size != got.size ||
				again.loose != got.loose) {
			t.Fatalf("with a memory: got %d, %+v, without %d, %+v", w, again, v, got)
		}
		if v != plain {
			return
		}
		rest := bufio.NewReaderSize(bytes.NewReader(b), len(b)+16)
		r, err := http.ReadRequest(rest)
		if err != nil {
			t.Fatalf("taken, but net/http says %v: %q", err, b)
		}
		body, err := io.ReadAll(r.Body)
		if err != nil || !bytes.Equal(body, got.body) || rest.Buffered() != len(b)-got.size {
			t.Errorf("got body %q and %d bytes, want %q, %d and %v", got.body, got.size, body,
				len(b)-rest.Buffered(), err)
		}
		for which, name := range []string{"Authorization", "X-Api-Key", "X-Forwarded-For"} {
			if got, want := string(got.value(which, b)), r.Header.Get(name); got != want ||
				len(r.Header[name]) > 1 {
				t.Errorf("got %q for %s, want %q", got, name, r.Header[name])
			}
		}
		if r.Method != "POST" || r.RequestURI != "/predict" || !r.ProtoAtLeast(1, 1) || r.Close ||
			r.TransferEncoding != nil || r.Trailer != nil || r.Host == "" {
			t.Errorf("got %+v", r)
		}
	})
}

func TestScanDoesNotAllocate(t *testing.T) {
	for name, g := range map[string]grammar{"plain": newGrammar("/predict", nil),
		"special": newGrammar("/predict", []string{"A", "B"})} {
		b := []byte(typical)
		if got := testing.AllocsPerRun(1000, func() { g.scan(b) }); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func BenchmarkScan(b *testing.B) {
	g := newGrammar("/predict", nil)
	in := []byte(typical)
	b.SetBytes(int64(len(in)))
	for b.Loop() {
		g.scan(in)
	}
}

// BenchmarkReadRequest is what net/http takes to the same bytes.
func BenchmarkReadRequest(b *testing.B) {
	in := []byte(typical)
	b.SetBytes(int64(len(in)))
	src := bytes.NewReader(in)
	r := bufio.NewReader(src)
	for b.Loop() {
		src.Reset(in)
		r.Reset(src)
		if _, err := http.ReadRequest(r); err != nil {
			b.Fatal(err)
		}
	}
}
