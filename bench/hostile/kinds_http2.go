//go:build linux

package main

import (
	"bytes"
	"fmt"
	"net"
	"strings"
	"time"
)

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

// open is a request that opens a stream.
func open(stream uint32, flags byte, method, path string) []byte {
	return frame(1, flags, stream, fields(":method", method, ":path", path, ":scheme", "http",
		":authority", "x"))
}

// grains sends a body in frames of a byte each.
func grains(c net.Conn) {
	b := append([]byte(preface), frame(4, 0, 0, nil)...)
	c.Write(append(b, open(1, 4, "POST", "/predict/batch")...))
	b = bytes.Repeat(frame(0, 0, 1, []byte(" ")), 500)
	for range 1000 {
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// resets gives up each of many requests right after it has sent it.
func resets(c net.Conn) {
	c.Write(append([]byte(preface), frame(4, 0, 0, nil)...))
	for i := range uint32(2000) {
		var b []byte
		for j := range uint32(50) {
			stream := 2*(50*i+j) + 1
			b = append(b, open(stream, 5, "GET", "/tickers?limit=1000")...)
			b = append(b, frame(3, 0, stream, []byte{0, 0, 0, 8})...)
		}
		if _, err := c.Write(b); err != nil {
			return
		}
	}
}

// continuations sends a head without an end.
func continuations(c net.Conn) {
	b := append([]byte(preface), frame(4, 0, 0, nil)...)
	c.Write(append(b, open(1, 1, "GET", "/health")...))
	b = bytes.Repeat(frame(9, 0, 1, fields("x-filler", strings.Repeat("y", 100))), 50)
	for range 1000 {
		if _, err := c.Write(b); err != nil {
			return
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
