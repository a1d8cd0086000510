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
	name string
	hold func(c net.Conn)
}

var kinds = []kind{
	{"bodies", once(post("/predict/batch", 1<<20, 1<<20-1))},               // all but a byte of a batch
	{"singles", once(post("/predict", 1<<16, 1<<16-1))},                    // and of a single request
	{"free", once(withFields(28, 60, post("/predict", 16<<10, 16<<10-1)))}, // one too short to be counted
	{"chunks", once(chunked("/predict/batch", 900<<10))},                   // a body without an end or a length
	{"gzip", once(inflated("/predict/batch", 1<<20))},                      // a kB that becomes a MB
	{"heads", once(manyFields + "Content-Length: 9\r\n\r\n")},              // many short headers, and no body
	{"halfheads", once(manyFields)},                                        // the same without an end
	{"tickers", once(strings.Repeat(get("/tickers?limit=1000"), 6))},       // answers that are not read
	{"batches", once(batch(`{"ticker":"AAPL","days_ahead":30}`, 400))},
	{"errors", once(batch(`{"ticker":"`+strings.Repeat("x", 900)+`"}`, 900))},
	{"zeros", once(zeros())}, // a tree of half a million values
	{"streams", func(c net.Conn) { streams(c, true) }},
	{"uploads", func(c net.Conn) { streams(c, false) }},
	{"pings", pings},
	{"h2idle", once(preface + string(frame(4, 0, 0, nil)))},
	{"idle", once(post("/predict", len(aForecast), 0) + aForecast)},
	{"slow", func(c net.Conn) {
		for _, b := range []byte(get("/" + strings.Repeat("x", 100))) {
			if _, err := c.Write([]byte{b}); err != nil {
				return
			}
			time.Sleep(500 * time.Millisecond)
		}
	}},
}

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

// frame is one of HTTP/2.
func frame(kind, flags byte, stream uint32, payload []byte) []byte {
	n := len(payload)
	return append([]byte{byte(n >> 16), byte(n >> 8), byte(n), kind, flags, byte(stream >> 24),
		byte(stream >> 16), byte(stream >> 8), byte(stream)}, payload...)
}

// fields are a block of headers, none of them compressed: names and values in turn.
func fields(pairs ...string) (b []byte) {
	for i, s := range pairs {
		if i%2 == 0 {
			b = append(b, 0)
		}
		b = append(append(b, byte(len(s))), s...)
	}
	return b
}

const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// streams opens a hundred streams: of answers for which the client leaves no room, or of bodies
// that never end.
func streams(c net.Conn, unread bool) {
	var b bytes.Buffer
	b.WriteString(preface)
	b.Write(frame(4, 0, 0, []byte{0, 4, 0, 0, 0, 0})) // an initial window of 0
	for i := range uint32(100) {
		if unread {
			h := []string{":method", "GET", ":path", "/tickers?limit=1000", ":scheme", "http",
				":authority", "x"}
			for i := range 60 {
				h = append(h, fmt.Sprintf("x-filler-%d", i), strings.Repeat("y", 40))
			}
			b.Write(frame(1, 5, 2*i+1, fields(h...)))
			continue
		}
		b.Write(frame(1, 4, 2*i+1, fields(":method", "POST", ":path", "/predict/batch", ":scheme",
			"http", ":authority", "x", "content-type", "application/json", "content-length",
			"1048576")))
	}
	if _, err := c.Write(b.Bytes()); err != nil || unread {
		return
	}
	data := make([]byte, 16<<10)
	for range 64 {
		for i := range uint32(100) {
			if _, err := c.Write(frame(0, 0, 2*i+1, data)); err != nil {
				return
			}
			time.Sleep(400 * time.Microsecond)
		}
	}
}

// pings asks for more answers than the client reads.
func pings(c net.Conn) {
	b := []byte(preface)
	b = append(b, frame(4, 0, 0, nil)...)
	c.Write(b)
	b = bytes.Repeat(frame(6, 0, 0, make([]byte, 8)), 500)
	for range 1000 {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}
