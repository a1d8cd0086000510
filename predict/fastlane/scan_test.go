package fastlane

import (
	"bufio"
	"bytes"
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

func testGrammar() grammar {
	l := &Lane{cfg: Config{Header: http.Header{}}}
	return grammar{routes: l.newRoutes([]Route{{Method: "GET", Path: "/predict/{ticker}"},
		{Method: "POST", Path: "/predict"}, {Method: "POST", Path: "/predict/batch"},
		{Method: "GET", Path: "/health"}})}
}

const line = "POST /predict HTTP/1.1\r\n"

func TestScan(t *testing.T) {
	var r Request
	g := testGrammar()
	if v := g.scan([]byte(typical+"POST"), &r); v != plain || string(r.whole) != typical ||
		string(r.Body) != typical[len(typical)-59:] {
		t.Errorf("a whole request and more: got %d, %q, body %q", v, r.whole, r.Body)
	}
	head := strings.Index(typical, "\r\n\r\n") + 4
	for i := range len(typical) {
		want := needMore
		if i >= head {
			want = needBody
		}
		if got := g.scan([]byte(typical[:i]), &r); got != want {
			t.Errorf("%q: got %d, want %d", typical[:i], got, want)
		}
	}
	// An unsupported header is found as soon as its line is complete.
	for _, header := range []string{
		"Transfer-Encoding: chunked", "transfer-encoding:x", "TE: trailers", "Trailer: a",
		"Expect: 100-continue", "Upgrade: h2c",
		"HTTP2-Settings: a", "Content-Encoding: gzip", "Prefer: handling=strict", "Inference-Header-Content-Length: 2",
		"Authorization: a\r\nAuthorization: a",
		"X-Api-Key: a\r\nX-Api-Key:", "ORIGIN: a",
		"X-Forwarded-For: a\r\nX-Forwarded-For: b", "Range: a", "Accept: a", "Cookie: a\r\nCookie: b",
		"If-None-Match: a\r\nIf-None-Match: a", "Proxy-Authorization: a", "If-Match: *",
		"if-modified-since: a", "X-Request-Id: a", "TraceParent: a", "Tracestate: a",
		"Connection: keep-alive, te", "Connection: close\r\nConnection: close",
		"Host: b", "Host:", "Content-Type: application/json", "Content-Type: text/json",
		"Content-Length: 59", "A : b", " a: b", "a", ": b",
		"a: \tb", "a: \x7f", "a: \x80", "a: \x00", "a: b\n", "a\x00: b",
		strings.Repeat("a", maxName+1) + ": b",
	} {
		b := strings.Replace(typical, "\r\n\r\n", "\r\n"+header+"\r\n\r\n", 1)
		if got := g.scan([]byte(b), &r); got != unsupported {
			t.Errorf("with %q: got %d, want %d", header, got, unsupported)
		}
		cut := b[:strings.LastIndex(b, "\r\n"+header)+2+len(header)+2]
		if got := g.scan([]byte(cut), &r); got != unsupported {
			t.Errorf("up to %q: got %d, want %d", header, got, unsupported)
		}
	}
	for _, header := range []string{"A: b", "a:b", "A:", "A:  b  ",
		strings.Repeat("a", maxName) + ": b", "Content-Type2: x", "Cookie: a=b; c=\"d\"", "If: a"} {
		b := strings.Replace(typical, "\r\n\r\n", "\r\n"+header+"\r\n\r\n", 1)
		if got := g.scan([]byte(b), &r); got != plain {
			t.Errorf("with %q: got %d, want %d", header, got, plain)
		}
	}
}

// TestScanNames finds the ids of requests, with and without the cache.
func TestScanNames(t *testing.T) {
	g := testGrammar()
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
		{"X-Request-Id: bad", "", "", unsupported},
		{"X-Request-Id:", "", "", unsupported},
		{"X-Request-Id: one\r\nX-Request-Id: one", "", "", unsupported},
		{"Traceparent: other", "", "", unsupported},
		{"Traceparent: trace\r\nTraceparent: trace", "", "", unsupported},
	} {
		b := []byte(strings.Replace(typical, "\r\n\r\n", "\r\n"+tt.headers+"\r\n\r\n", 1))
		var cache headCache
		for range 2 {
			var r Request
			v := cache.scan(&g, b, &r)
			if id := string(r.value(requestID)); v != tt.verdict || id != tt.id ||
				string(r.Trace()) != tt.trace {
				t.Errorf("with %q: got %d, id %q, trace %q; want %d, %q, %q", tt.headers, v, id,
					r.Trace(), tt.verdict, tt.id, tt.trace)
			}
		}
	}
}

// TestScanOpaque finds the values of opaque headers, with and without the cache, also when the
// cache was filled by another client.
func TestScanOpaque(t *testing.T) {
	g := testGrammar()
	with := func(headers string) []byte {
		return []byte(strings.Replace(typical, "Accept: */*", headers, 1))
	}
	type values [3]string
	var cache headCache
	for i, tt := range []struct {
		headers string
		values  values
		verdict verdict
	}{
		{"A: b", values{"", "", ""}, plain},
		{"Authorization: one", values{"one", "", ""}, plain},
		{"Authorization: two", values{"two", "", ""}, plain},
		{"Authorization:  x ", values{"x", "", ""}, plain},
		{"Authorization: \r\n\r", values{}, unsupported},
		{"Authorization: a\rb", values{}, unsupported},
		{"Authorization:    ", values{"", "", ""}, plain},
		{"Authorization: a\tb", values{}, unsupported},
		{"authorization: one", values{"one", "", ""}, plain},
		{"X-Forwarded-For: 1\r\nX-API-Key: 2\r\nAuthorization: 3", values{"3", "2", "1"}, plain},
		{"X-Forwarded-For: 4\r\nX-API-Key: 5\r\nAuthorization: 6", values{"6", "5", "4"}, plain},
		{"X-Forwarded-For: 4\r\nX-API-Kez: 5\r\nAuthorization: 6", values{"6", "", "4"}, plain},
		{"X-Forwarded-For: 4\r\nX-API-Key: \x00\r\nAuthorization: 6", values{}, unsupported},
	} {
		b := with(tt.headers)
		for range 2 {
			var r Request
			v := cache.scan(&g, b, &r)
			got := values{string(r.Authorization()), string(r.APIKey()), string(r.ForwardedFor())}
			if v != tt.verdict || got != tt.values {
				t.Errorf("%d, %q: got %d, %q; want %d, %q", i, tt.headers, v, got, tt.verdict,
					tt.values)
			}
			if v == plain && (len(r.whole) != len(b) ||
				string(r.Body) != typical[len(typical)-59:]) {
				t.Errorf("%d, %q: got %q, body %q", i, tt.headers, r.whole, r.Body)
			}
		}
	}
	var r Request
	cache.scan(&g, with("Authorization: secret\r\nX-Api-Key: secret"), &r)
	if bytes.Contains(cache.head[:], []byte("secret")) {
		t.Error("a secret is remembered")
	}
	if cache.match(with("Authorization: other!\r\nX-Api-Key: public")[len(line):]) != 59 {
		t.Error("headers that differ only in opaque values are not recognised")
	}
}

// TestScanLengths sends bodies of different lengths behind the same headers.
func TestScanLengths(t *testing.T) {
	g := testGrammar()
	var cache headCache
	for _, tt := range []struct {
		length, body string
		verdict      verdict
	}{
		{"59", strings.Repeat("a", 59), plain}, {"60", strings.Repeat("b", 60), plain},
		{"09", "123456789", plain}, {"00", "", plain}, {"0", "", plain}, {"9 ", "123456789", plain},
		{" 9", "123456789", plain}, {"99", strings.Repeat("c", 98), needBody},
		{"5x", "", unsupported}, {"+5", "12345", unsupported}, {"", "", unsupported},
		{"4000", "", unsupported}, {"3000", strings.Repeat("d", 3000), plain},
		{"3900", strings.Repeat("e", 3900), unsupported},
	} {
		head, _, _ := strings.Cut(typical, "{")
		b := []byte(strings.Replace(head, "59", tt.length, 1) + tt.body)
		for range 2 {
			var r Request
			if v := cache.scan(&g, b, &r); v != tt.verdict ||
				v == plain && (string(r.Body) != tt.body || len(r.whole) != len(b)) {
				t.Errorf("length %q: got %d, body %.80q; want %d", tt.length, v, r.Body, tt.verdict)
			}
		}
	}
}

func TestScanBounds(t *testing.T) {
	g := testGrammar()
	fill := func(total int) []byte {
		b := strings.Replace(typical, "\r\n\r\n", "\r\nA: \r\n\r\n", 1)
		return []byte(strings.Replace(b, "A: ", "A: "+strings.Repeat("a", total-len(b)), 1))
	}
	var r Request
	if got := g.scan(fill(MaxRequest), &r); got != plain || len(r.whole) != MaxRequest {
		t.Errorf("%d bytes: got %d, size %d", MaxRequest, got, len(r.whole))
	}
	if got := g.scan(fill(MaxRequest+1), &r); got != unsupported {
		t.Errorf("%d bytes: got %d, want %d", MaxRequest+1, got, unsupported)
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
	for range 100_000 { // several odd bytes, to test borrows
		for i := range b {
			b[i] = []byte{0, 0x1f, 0x20, 0x21, 0x7e, 0x7f, 0x80, 0xff, 'a', 'a', 'a',
				'a'}[r.IntN(12)]
		}
		if got, want := visible(b[:]), slow(b[:]); got != want {
			t.Fatalf("%q: got %d, want %d", b, got, want)
		}
	}
}

func TestScanDoesNotAllocate(t *testing.T) {
	g, b := testGrammar(), []byte(typical)
	var r Request
	if got := testing.AllocsPerRun(1000, func() { g.scan(b, &r) }); got != 0 {
		t.Errorf("got %v allocations, want 0", got)
	}
}

func BenchmarkScan(b *testing.B) {
	g, in := testGrammar(), []byte(typical)
	var r Request
	b.Run("grammar", func(b *testing.B) {
		b.SetBytes(int64(len(in)))
		for b.Loop() {
			g.scan(in, &r)
		}
	})
	b.Run("cache", func(b *testing.B) {
		var cache headCache
		b.SetBytes(int64(len(in)))
		for b.Loop() {
			cache.scan(&g, in, &r)
		}
	})
}

// BenchmarkReadRequest parses the same bytes with net/http.
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
