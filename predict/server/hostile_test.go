package server

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Parts of requests.
const (
	line    = "POST /predict HTTP/1.1\r\n"
	host    = "Host: x\r\n"
	json17  = "Content-Type: application/json\r\nContent-Length: 17\r\n"
	chunked = "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n"
	good    = line + host + json17 + "\r\n" + aForecast
	// would be answered 404 if anybody took it for a request
	inner = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	probe = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: probe\r\n\r\n"
)

// hostile requests with what must come: the statuses of the answers, and whether the connection can
// be used after them. Where it cannot, nothing behind the request is ever taken for another. Where
// RFC 9112 leaves a choice it is net/http's: lines may end in LF alone, a folded header is
// unfolded, a Content-Length may be repeated, blank lines before a first request are refused. Of
// the server errors only 501 and 505 come: for a transfer encoding and a version that are not
// known.
var hostile = []struct{ name, request, want string }{
	{"good", good, "200 open"},
	{"good twice", good + good, "200 200 open"},
	{"good, known and unknown", good + line + host +
		"Content-Type: application/json\r\nContent-Length: 19\r\n\r\n" + `{"ticker":"NOSUCH"}`,
		"200 404 open"},

	// Length and framing: RFC 9112, section 6.
	{"no length, no body", line + host + "Content-Type: application/json\r\n\r\n", "422 open"},
	{"length 0", line + host + "Content-Type: application/json\r\nContent-Length: 0\r\n\r\n",
		"422 open"},
	{"length with plus",
		line + host + "Content-Type: application/json\r\nContent-Length: +17\r\n\r\n" + aForecast,
		"400 closed"},
	{"length negative", line + host + "Content-Length: -17\r\n\r\n" + aForecast, "400 closed"},
	{"length hex", line + host + "Content-Length: 0x11\r\n\r\n" + aForecast, "400 closed"},
	{"length with underscore", line + host + "Content-Length: 1_7\r\n\r\n" + aForecast,
		"400 closed"},
	{"length with fraction", line + host + "Content-Length: 17.0\r\n\r\n" + aForecast,
		"400 closed"},
	{"length empty", line + host + "Content-Length:\r\n\r\n" + inner, "400 closed"},
	{"length of blanks", line + host + "Content-Length: \t \r\n\r\n" + inner, "400 closed"},
	{"length with zeros in front", line + host +
		"Content-Type: application/json\r\nContent-Length: 0017\r\n\r\n" + aForecast, "200 open"},
	{"length beyond 64 bits", line + host + "Content-Length: 99999999999999999999\r\n\r\n" +
		aForecast, "400 closed"},
	{"length of 2^63", line + host + "Content-Length: 9223372036854775808\r\n\r\n" + aForecast,
		"400 closed"},
	{"length of 2^63-1",
		line + host + "Content-Type: application/json\r\nContent-Length: 9223372036854775807\r\n\r\n" + aForecast, "413 closed"},
	{"length twice, equal", line + host + json17 + "Content-Length: 17\r\n\r\n" + aForecast,
		"200 open"},
	{"length twice, different", line + host + json17 + "Content-Length: 0\r\n\r\n" + inner,
		"400 closed"},
	{"length as a list, equal", line + host +
		"Content-Type: application/json\r\nContent-Length: 17, 17\r\n\r\n" + aForecast,
		"400 closed"},
	{"length as a list, different", line + host + "Content-Length: 17, 0\r\n\r\n" + aForecast,
		"400 closed"},
	{"length in Arabic digits", line + host + "Content-Length: \u0661\u0667\r\n\r\n" + aForecast,
		"400 closed"},
	{"space before the colon of the length", line + host + "Content-Length : 17\r\n\r\n" +
		aForecast, "400 closed"},
	{"tab before the colon of the length", line + host + "Content-Length\t: 17\r\n\r\n" + aForecast,
		"400 closed"},
	{"length too small",
		line + host + "Content-Type: application/json\r\nContent-Length: 16\r\n\r\n" + aForecast,
		"422 400 closed"},
	{"length and chunks", line + host + json17 + "Transfer-Encoding: chunked\r\n\r\n11\r\n" +
		aForecast + "\r\n0\r\n\r\n", "200 closed"},
	{"length 0 and chunks",
		line + host + "Content-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"422 closed"},
	{"length that covers a second request, and chunks",
		line + host + "Content-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + inner,
		"422 closed"},
	{"chunks", line + host + chunked + "\r\n11\r\n" + aForecast + "\r\n0\r\n\r\n", "200 closed"},
	{"chunks in lower case",
		line + host + "content-type: application/json\r\ntransfer-encoding: CHUNKED\r\n\r\n11\r\n" +
			aForecast + "\r\n0\r\n\r\n", "200 closed"},
	{"chunk with an extension", line + host + chunked + "\r\n11;a=b\r\n" + aForecast +
		"\r\n0\r\n\r\n", "200 closed"},
	{"chunk with a bad extension", line + host + chunked + "\r\n11;a=\x01\r\n" + aForecast +
		"\r\n0\r\n\r\n", "200 closed"},
	{"chunk size with a blank", line + host + chunked + "\r\n11 \r\n" + aForecast + "\r\n0\r\n\r\n",
		"200 closed"},
	{"chunk size with 0x", line + host + chunked + "\r\n0x11\r\n" + aForecast + "\r\n0\r\n\r\n",
		"400 closed"},
	{"chunk size negative", line + host + chunked + "\r\n-11\r\n" + aForecast + "\r\n0\r\n\r\n",
		"400 closed"},
	{"chunk size beyond 64 bits", line + host + chunked + "\r\n10000000000000011\r\n" + aForecast +
		"\r\n0\r\n\r\n", "400 closed"},
	{"chunk size empty", line + host + chunked + "\r\n\r\n" + aForecast + "\r\n0\r\n\r\n",
		"400 closed"},
	{"chunk with a bare LF", line + host + chunked + "\r\n11\n" + aForecast + "\n0\n\n",
		"400 closed"},
	{"chunk longer than it says", line + host + chunked + "\r\n5\r\n" + aForecast + "\r\n0\r\n\r\n",
		"400 closed"},
	{"chunks without an end, then a request",
		line + host + chunked + "\r\n11\r\n" + aForecast + "\r\n" + inner, "400 closed"},
	{"trailer", line + host + chunked + "Trailer: X-T\r\n\r\n11\r\n" + aForecast +
		"\r\n0\r\nX-T: 1\r\n\r\n", "200 closed"},
	{"trailer with a length", line + host + chunked + "\r\n11\r\n" + aForecast +
		"\r\n0\r\nContent-Length: 5\r\n\r\n", "200 closed"},
	{"many one-byte chunks with long extensions",
		line + host + chunked + "\r\n" + strings.Repeat("1;"+strings.Repeat("x", 200)+"\r\n \r\n",
			400) + "0\r\n\r\n", "400 closed"},
	{"encoding gzip", line + host + "Transfer-Encoding: gzip\r\n\r\n" + inner, "501 closed"},
	{"encoding gzip, chunked", line + host + "Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n" +
		inner, "501 closed"},
	{"encoding chunked, identity", line + host +
		"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n" + inner, "501 closed"},
	{"encoding twice",
		line + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" +
			inner, "501 closed"},
	{"encoding identity", line + host + "Transfer-Encoding: identity\r\n" + json17 + "\r\n" +
		aForecast, "501 closed"},
	{"encoding with a vertical tab", line + host + "Transfer-Encoding: \vchunked\r\n\r\n0\r\n\r\n" +
		inner, "400 closed"},
	{"encoding quoted", line + host + "Transfer-Encoding: \"chunked\"\r\n\r\n0\r\n\r\n" + inner,
		"501 closed"},
	{"space before the colon of the encoding",
		line + host + "Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n" + inner, "400 closed"},
	{"encoding in HTTP/1.0",
		"POST /predict HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\nConnection: " +
			"keep-alive\r\n\r\n" + inner, "422 closed"},
	{"encoding as X-", line + host + json17 + "X-Transfer-Encoding: chunked\r\n\r\n" + aForecast,
		"200 open"},
	{"encoding with underscore", line + host + json17 + "Transfer_Encoding: chunked\r\n\r\n" +
		aForecast, "200 open"},
	{"GET with a body", "GET /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\n" + inner,
		"200 open"},
	{"HEAD with a body", "HEAD /livez HTTP/1.1\r\nHost: x\r\nContent-Length: 36\r\n\r\n" + inner,
		"200 open"},

	// Request line: section 3.
	{"no version", "POST /predict\r\n" + host + "\r\n", "400 closed"},
	{"HTTP/0.9", "GET /livez HTTP/0.9\r\n\r\n", "505 closed"},
	{"HTTP/1.0", "GET /livez HTTP/1.0\r\n\r\n", "200 closed"},
	{"HTTP/1.0 kept alive", "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200 closed"},
	{"HTTP/1.2", "GET /livez HTTP/1.2\r\nHost: x\r\n\r\n", "200 open"},
	{"HTTP/2.0", "GET /livez HTTP/2.0\r\nHost: x\r\n\r\n", "505 closed"},
	{"HTTP/9.9", "GET /livez HTTP/9.9\r\nHost: x\r\n\r\n", "505 closed"},
	{"HTTP/1.10", "GET /livez HTTP/1.10\r\nHost: x\r\n\r\n", "400 closed"},
	{"http/1.1", "GET /livez http/1.1\r\nHost: x\r\n\r\n", "400 closed"},
	{"HTTP/2 preface", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "404 closed"},
	{"two spaces", "POST  /predict HTTP/1.1\r\n" + host + json17 + "\r\n" + aForecast,
		"400 closed"},
	{"tab", "POST\t/predict\tHTTP/1.1\r\n" + host + json17 + "\r\n" + aForecast, "400 closed"},
	{"space at the end", "GET /livez HTTP/1.1 \r\n" + host + "\r\n", "400 closed"},
	{"space in the path", "GET /li vez HTTP/1.1\r\n" + host + "\r\n", "400 closed"},
	{"space in front", " GET /livez HTTP/1.1\r\n" + host + "\r\n", "400 closed"},
	{"blank lines in front", "\r\n\r\nGET /livez HTTP/1.1\r\n" + host + "\r\n", "400 closed"},
	{"method in lower case", "post /predict HTTP/1.1\r\n" + host + json17 + "\r\n" + aForecast,
		"405 open"},
	{"method unknown", "BREW /predict HTTP/1.1\r\n" + host + "\r\n", "405 open"},
	{"method with a control character", "PO\x01ST /predict HTTP/1.1\r\n" + host + "\r\n",
		"400 closed"},
	{"method of 5000 letters", strings.Repeat("A", 5000) + " /predict HTTP/1.1\r\n" + host + "\r\n",
		"405 open"},
	{"TRACE", "TRACE /predict HTTP/1.1\r\n" + host + "\r\n", "405 open"},
	{"CONNECT", "CONNECT x:443 HTTP/1.1\r\n" + host + "\r\n", "404 open"},
	{"OPTIONS *", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", "404 open"},
	{"GET *", "GET * HTTP/1.1\r\n" + host + "\r\n", "404 open"},
	{"absolute target", "GET http://x/livez HTTP/1.1\r\n" + host + "\r\n", "200 open"},
	{"absolute target of another host", "GET http://evil/livez HTTP/1.1\r\n" + host + "\r\n",
		"200 open"},
	{"target without a slash", "GET livez HTTP/1.1\r\n" + host + "\r\n", "400 closed"},
	{"fragment", "GET /livez#x HTTP/1.1\r\n" + host + "\r\n", "404 open"},
	{"bad escape", "GET /%zz HTTP/1.1\r\n" + host + "\r\n", "400 closed"},
	{"NUL escaped", "GET /livez%00 HTTP/1.1\r\n" + host + "\r\n", "404 open"},
	{"NUL", "GET /livez\x00 HTTP/1.1\r\n" + host + "\r\n", "400 closed"},
	{"line break escaped", "GET /livez%0d%0aSet-Cookie:%20a=b HTTP/1.1\r\n" + host + "\r\n",
		"404 open"},
	{"dots", "GET /docs/../../etc/passwd HTTP/1.1\r\n" + host + "\r\n", "404 open"},
	{"dots escaped", "GET /docs/%2e%2e/%2e%2e/etc/passwd HTTP/1.1\r\n" + host + "\r\n", "404 open"},
	{"backslashes", "GET /docs\\..\\x HTTP/1.1\r\n" + host + "\r\n", "404 open"},
	{"bytes above 0x7F", "GET /\xff\xfe HTTP/1.1\r\n" + host + "\r\n", "404 open"},
	{"target of 10,000 bytes", "GET /" + strings.Repeat("a", 10_000) + " HTTP/1.1\r\n" + host +
		"\r\n", "414 open"},
	{"target of 100,000 bytes", "GET /" + strings.Repeat("a", 100_000) + " HTTP/1.1\r\n" + host +
		"\r\n", "431 closed"},
	{"query of 3000 parameters", "GET /tickers?" + strings.Repeat("a&", 3000) + " HTTP/1.1\r\n" +
		host + "\r\n", "414 open"},
	{"target of 2048 bytes", "GET /livez?" + strings.Repeat("a", 2048-7) + " HTTP/1.1\r\n" + host +
		"\r\n", "200 open"},
	{"target of 2049 bytes", "GET /livez?" + strings.Repeat("a", 2049-7) + " HTTP/1.1\r\n" + host +
		"\r\n", "414 open"},
	{"target too long, with a body", "POST /predict?" + strings.Repeat("a", 2048) +
		" HTTP/1.1\r\n" + host + json17 + "\r\n" + aForecast, "414 open"},
	{"target too long, with a long body", "POST /predict?" + strings.Repeat("a", 2048) +
		" HTTP/1.1\r\n" + host + "Content-Length: 20000\r\n\r\n" + strings.Repeat(" ", 20000),
		"414 closed"},
	{"absolute target too long", "GET http://x/livez?" + strings.Repeat("a", 2048) +
		" HTTP/1.1\r\n" + host + "\r\n", "414 open"},

	// Headers: section 5 of 9112, and 7.2 of 9110 for Host.
	{"no host", "GET /livez HTTP/1.1\r\n\r\n", "400 closed"},
	{"host empty", "GET /livez HTTP/1.1\r\nHost:\r\n\r\n", "400 closed"},
	{"host twice", "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400 closed"},
	{"host with a path", "GET /livez HTTP/1.1\r\nHost: x/y\r\n\r\n", "400 closed"},
	{"host with a space", "GET /livez HTTP/1.1\r\nHost: x y\r\n\r\n", "400 closed"},
	{"host with an at sign", "GET /livez HTTP/1.1\r\nHost: a@x\r\n\r\n", "400 closed"},
	{"bare LF", strings.ReplaceAll(good, "\r\n", "\n"), "200 open"},
	{"bare CR in a value", line + host + "X: a\rb\r\n" + json17 + "\r\n" + aForecast, "400 closed"},
	{"NUL in a value", line + host + "X: a\x00b\r\n" + json17 + "\r\n" + aForecast, "400 closed"},
	{"DEL in a value", line + host + "X: a\x7fb\r\n" + json17 + "\r\n" + aForecast, "400 closed"},
	{"bytes above 0x7F in a value", line + host + "X: \xe9\r\n" + json17 + "\r\n" + aForecast,
		"200 open"},
	{"folded", line + host + "X: a\r\n b\r\n" + json17 + "\r\n" + aForecast, "200 open"},
	{"folded length",
		line + host + "Content-Type: application/json\r\nContent-Length:\r\n 17\r\n\r\n" +
			aForecast, "200 open"},
	{"fold before the first header", line + " X: a\r\n" + host + json17 + "\r\n" + aForecast,
		"400 closed"},
	{"name empty", line + host + ": a\r\n" + json17 + "\r\n" + aForecast, "400 closed"},
	{"name with a space", line + host + "X Y: a\r\n" + json17 + "\r\n" + aForecast, "400 closed"},
	{"name with a control character", line + host + "X\x01: a\r\n" + json17 + "\r\n" + aForecast,
		"400 closed"},
	{"name with brackets", line + host + "X(): a\r\n" + json17 + "\r\n" + aForecast, "400 closed"},
	{"no colon", line + host + "XYZ\r\n" + json17 + "\r\n" + aForecast, "400 closed"},
	{"2000 headers", line + host + strings.Repeat("X: \r\n", 2000) + json17 + "\r\n" + aForecast,
		"200 open"},
	{"header of 9,000 bytes, within the slack",
		line + host + "X: " + strings.Repeat("a", 9_000) + "\r\n" + json17 + "\r\n" + aForecast,
		"200 open"},
	{"header of 100,000 bytes", line + host + "X: " + strings.Repeat("a", 100_000) + "\r\n" +
		json17 + "\r\n" + aForecast, "431 closed"},
	{"id with a line break", line + host + "X-Request-Id: a\r\n\tb\r\n" + json17 + "\r\n" +
		aForecast, "200 open"},
	{"id and trace", line + host + "X-Request-Id: mine\r\nTraceparent: " + aTrace +
		"\r\nTracestate: a=b\r\n" + json17 + "\r\n" + aForecast, "200 open"},
	{"id twice, trace twice",
		line + host + "X-Request-Id: a\r\nX-Request-Id: b\r\nTraceparent: x\r\nTraceparent: y\r\n" +
			json17 + "\r\n" + aForecast, "200 open"},
	{"id that would end the header", line + host + "X-Request-Id: a%0d%0aSet-Cookie: b=c\r\n" +
		json17 + "\r\n" + aForecast, "200 open"},
	{"close", line + host + "Connection: close\r\n" + json17 + "\r\n" + aForecast, "200 closed"},
	{"close among others", line + host + "Connection: x, Close\r\n" + json17 + "\r\n" + aForecast,
		"200 closed"},
	{"connection names the length", line + host + "Connection: Content-Length\r\n" + json17 +
		"\r\n" + aForecast, "200 open"},
	{"upgrade", line + host + "Connection: Upgrade\r\nUpgrade: websocket\r\n" + json17 + "\r\n" +
		aForecast, "200 open"},
	{"upgrade to h2c",
		line + host + "Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: " +
			"AAMAAABkAAQAAP__\r\n" + json17 + "\r\n" + aForecast, "200 open"},
	{"expect", line + host + "Expect: 100-continue\r\n" + json17 + "\r\n" + aForecast,
		"100 200 open"},
	{"expect something else", line + host + "Expect: 200-ok\r\n" + json17 + "\r\n" + aForecast,
		"417 closed"},
	{"encoding of the content", line + host + "Content-Encoding: gzip\r\n" + json17 + "\r\n" +
		aForecast, "200 open"},

	// Bodies. The byte that is missing is taken from the next request, whose method is then ET.
	{"body a byte shorter than it says", line + host +
		"Content-Type: application/json\r\nContent-Length: 18\r\n\r\n" + aForecast, "422 open"},
	{"body too long",
		line + host + "Content-Type: application/json\r\nContent-Length: 70000\r\n\r\n" +
			strings.Repeat(" ", 70000), "413 closed"},
	{"body too long, in chunks", line + host + chunked + "\r\n11170\r\n" +
		strings.Repeat(" ", 70000) + "\r\n0\r\n\r\n", "413 closed"},
	{"body of brackets",
		line + host + "Content-Type: application/json\r\nContent-Length: 60000\r\n\r\n" +
			strings.Repeat("[", 60000), "400 open"},
	{"body of NULs", line + host + "Content-Type: application/json\r\nContent-Length: 17\r\n\r\n" +
		strings.Repeat("\x00", 17), "400 open"},
	{"body of another kind",
		line + host + "Content-Type: text/plain\r\nContent-Length: 17\r\n\r\n" + aForecast,
		"422 open"},
	{"kind twice", line + host + "Content-Type: text/plain\r\n" + json17 + "\r\n" + aForecast,
		"422 open"},

	// No HTTP at all.
	{"nothing", "", "open"},
	{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 200),
		"400 closed"},
	{"SSH", "SSH-2.0-OpenSSH_9.0\r\n", "400 closed"},
	{"PROXY", "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n" + good, "400 closed"},
	{"zeros", strings.Repeat("\x00", 10_000), "400 closed"},
	{"letters", strings.Repeat("A", 100_000), "431 closed"},
	{"line breaks", strings.Repeat("\r\n", 10_000), "400 closed"},
}

// listen serves on a free port and returns the address.
func (s *serving) listen(t testing.TB, f *serveFlags) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	s.serveOn(t, f, ln, f.newPublicServer(s))
	return ln.Addr().String()
}

// serveOn serves what a listener gives, until the test ends.
func (s *serving) serveOn(t testing.TB, f *serveFlags, ln net.Listener, public *http.Server) {
	lane := s.lane(ln, public, f.usesLane(), 0)
	done := make(chan error)
	go func() { done <- public.Serve(s.conns.watch(lane)) }()
	t.Cleanup(func() {
		public.Close() // and with it the lane, its listener
		require.ErrorIs(t, <-done, http.ErrServerClosed)
	})
}

// TestHostileRequests sends each request whole and in pieces, to a server with the fast lane and to
// one without: both must answer as the list says and, but for date and id, alike to the byte; and
// answer others afterwards.
func TestHostileRequests(t *testing.T) {
	on, off := &serveFlags{fastlane: true}, &serveFlags{}
	withLane, without := on.mustServe(t), off.mustServe(t)
	defer withLane.service.Close()
	defer without.service.Close()
	addrs := []string{withLane.listen(t, on), without.listen(t, off)}
	for _, tt := range hostile {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, pieces := range []int{1 << 20, 11} {
				var answers [2]string
				for i, addr := range addrs {
					got, raw := converse(t, addr, tt.request, pieces)
					if got != tt.want {
						t.Errorf("lane %v, pieces of %d: got %q, want %q; %.300q", i == 0, pieces,
							got, tt.want, raw)
					}
					answers[i] = anonymous(raw)
					if status, _ := get(t, "http://"+addr+"/livez"); status != 200 {
						t.Errorf("lane %v: the server answers %d afterwards", i == 0, status)
					}
				}
				if answers[0] != answers[1] {
					t.Errorf("pieces of %d: the two paths differ:\n%q\n%q", pieces, answers[0],
						answers[1])
				}
			}
		})
	}
	if withLane.panics.Value()+without.panics.Value() > 0 {
		t.Error("a handler panicked")
	}
	for _, tt := range hostile {
		for status := range strings.FieldsSeq(tt.want) {
			if status >= "500" && status < "600" && status != "501" && status != "505" {
				t.Errorf("%s: %s is the server's fault", tt.name, status)
			}
		}
	}
}

// TestTooLongIsSaidBeforeItIsSent asks whether to send a body that is too long: the answer is 413,
// without the 100 that would invite it. (The connection then stays for a while, in case the body
// was under way: a reset could outrun the answer.)
func TestTooLongIsSaidBeforeItIsSent(t *testing.T) {
	f := &serveFlags{fastlane: true}
	s := f.mustServe(t)
	defer s.service.Close()
	c, err := net.Dial("tcp", s.listen(t, f))
	require.NoError(t, err)
	defer c.Close()
	_, err = io.WriteString(c,
		line+host+"Expect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: "+
			"100000\r\n\r\n")
	require.NoError(t, err)
	resp, err := http.ReadResponse(bufio.NewReader(c), nil)
	require.NoError(t, err)
	require.Equal(t, http.StatusRequestEntityTooLarge, resp.StatusCode)
	require.True(t, resp.Close)
}

// converse sends a request in pieces and a probe behind it, and tells which statuses came, and
// whether the probe was answered.
func converse(t *testing.T, addr, request string, piece int) (got, raw string) {
	t.Helper()
	c, err := net.Dial("tcp", addr)
	require.NoError(t, err)
	defer c.Close()
	require.NoError(t, c.SetDeadline(time.Now().Add(30*time.Second)))
	go func() {
		for rest := []byte(request + probe); len(rest) > 0; {
			n, err := c.Write(rest[:min(piece, len(rest))])
			if err != nil {
				return
			}
			rest = rest[n:]
		}
	}()
	var all bytes.Buffer
	answers := bufio.NewReader(io.TeeReader(c, &all))
	var statuses []string
	method := "POST"
	if strings.HasPrefix(request, "HEAD") {
		method = "HEAD"
	}
	end := "closed"
	for {
		resp, err := http.ReadResponse(answers, &http.Request{Method: method})
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) &&
				!strings.Contains(err.Error(), "reset by peer") {
				t.Errorf("an answer that is none: %v", err)
			}
			break
		}
		io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if resp.Header.Get(requestID) == "probe" {
			end = "open"
			continue
		}
		statuses = append(statuses, fmt.Sprint(resp.StatusCode))
		method = "POST"
	}
	return strings.Join(append(statuses, end), " "), all.String()
}

var changing = regexp.MustCompile(`(Date|X-Request-Id): [^\r]*`)

// anonymous leaves out what differs from answer to answer.
func anonymous(answers string) string { return changing.ReplaceAllString(answers, "$1") }
