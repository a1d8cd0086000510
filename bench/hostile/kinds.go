//go:build linux

package main

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net"
	"slices"
	"strings"
	"time"
)

// A kind is a way to make a server hold memory. hold sends on a new connection, and returns when
// there is no more to send; the connection is then kept until the server ends it.
type kind struct {
	name  string
	hold  func(c net.Conn)
	http2 bool
}

var kinds = []kind{
	{name: "bodies", hold: once(post("/predict/batch", 1<<20, 1<<20-1))}, // all but a byte of a batch
	{name: "singles", hold: once(post("/predict", 1<<16, 1<<16-1))},      // and of a single request
	// and of one that is too short to be counted
	{name: "free", hold: once(withFields(28, 60, post("/predict", 16<<10, 16<<10-1)))},
	{name: "chunks", hold: once(chunked("/predict/batch", 900<<10))},      // a body without end or length
	{name: "gzip", hold: once(inflated("/predict/batch", 1<<20))},         // a kB that becomes a MB
	{name: "crumbs", hold: once(crumbs())},                                // a body in chunks of a byte
	{name: "trailers", hold: trailers},                                    // fields behind a body, without end
	{name: "heads", hold: once(manyFields + "Content-Length: 9\r\n\r\n")}, // many fields, no body
	{name: "halfheads", hold: once(manyFields)},                           // the same without an end
	// answers that are not read
	{name: "tickers", hold: once(strings.Repeat(get("/tickers?limit=1000"), 6))},
	{name: "pipelines", hold: once(strings.Repeat(anIdleOne, 10_000))},
	{name: "batches", hold: once(batch(`{"ticker":"AAPL","days_ahead":30}`, 400))},
	{name: "errors", hold: once(batch(`{"ticker":"`+strings.Repeat("x", 900)+`"}`, 900))},
	{name: "zeros", hold: once(zeros())}, // a tree of half a million values
	{name: "idle", hold: once(anIdleOne)},
	{name: "slow", hold: slowly(get("/" + strings.Repeat("x", 100)))},
	{name: "hello", hold: slowly(clientHello)}, // a handshake of TLS; plain, a bad request
	{name: "streams", hold: func(c net.Conn) { streams(c, true) }, http2: true},
	{name: "uploads", hold: func(c net.Conn) { streams(c, false) }, http2: true},
	{name: "grains", hold: grains, http2: true},
	{name: "resets", hold: resets, http2: true},
	{name: "continuations", hold: continuations, http2: true},
	{name: "pings", hold: pings, http2: true},
	{name: "h2idle", hold: once(preface + string(frame(4, 0, 0, nil))), http2: true},
}

// slowly sends a byte in half a second.
func slowly(text string) func(net.Conn) {
	return func(c net.Conn) {
		for _, b := range []byte(text) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(500 * time.Millisecond)
		}
	}
}

var anIdleOne = post("/predict", len(aForecast), 0) + aForecast

// clientHello begins one of 512 bytes.
var clientHello = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("x", 32)

const aForecast = `{"ticker":"AAPL","days_ahead":30}`

func kindNames() (names []string) {
	for _, k := range kinds {
		names = append(names, k.name)
	}
	return names
}

func kindsOf(list string) (chosen []kind, err error) {
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(kinds, func(k kind) bool { return k.name == name })
		if i < 0 {
			return nil, fmt.Errorf("unknown kind %q, there are %s", name,
				strings.Join(kindNames(), ","))
		}
		chosen = append(chosen, kinds[i])
	}
	return chosen, nil
}

func once(text string) func(net.Conn) {
	return func(c net.Conn) { c.Write([]byte(text)) }
}

func get(path string) string { return "GET " + path + " HTTP/1.1\r\nHost: x\r\n\r\n" }

// withFields adds n headers of so many bytes to a request.
func withFields(n, size int, request string) string {
	line, rest, _ := strings.Cut(request, "\r\n")
	for i := range n {
		name := fmt.Sprintf("\r\nX-Filler-%d: ", i)
		line += name + strings.Repeat("y", size-len(name))
	}
	return line + "\r\n" + rest
}

// post is a request that declares so many bytes and sends fewer, all of them blanks.
func post(path string, declared, sent int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Content-Length: %d\r\n\r\n%s", path, declared, strings.Repeat(" ", sent))
}

func chunked(path string, sent int) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Transfer-Encoding: chunked\r\n\r\n%x\r\n%s", path, sent+1, strings.Repeat(" ", sent))
}

// crumbs is a body of 64 kB in chunks of a byte each.
func crumbs() string {
	return "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1\r\n \r\n", 64<<10)
}

// trailers sends fields behind a body for as long as the server takes them.
func trailers(c net.Conn) {
	fmt.Fprintf(c, "POST /predict HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Trailer: a\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n", len(aForecast),
		aForecast)
	line := []byte("a: " + strings.Repeat("y", 1000) + "\r\n")
	for range 1000 {
		if _, err := c.Write(line); err != nil {
			return
		}
	}
}

// inflated is a compressed body of so many bytes that has no end.
func inflated(path string, n int) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write(bytes.Repeat([]byte(" "), n))
	z.Flush()
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"+
		"Content-Encoding: gzip\r\nContent-Length: %d\r\n\r\n%s", path, b.Len()+1, &b)
}

// batch asks for n forecasts, or what item is.
func batch(item string, n int) string {
	body := `{"requests":[` + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + `]}`
	return post("/predict/batch", len(body), 0) + body
}

func zeros() string {
	body := "[" + strings.Repeat("0,", 500_000) + "0]"
	return post("/predict/batch", len(body), 0) + body
}

// manyFields is a head of 12 kB but for its end.
var manyFields = func() string {
	b := []byte("POST /predict HTTP/1.1\r\nHost: x\r\n")
	for i := range 1985 {
		b = append(b, 'a'+byte(i/26/26), 'a'+byte(i/26%26), 'a'+byte(i%26), ':', '\r', '\n')
	}
	return string(b)
}()
