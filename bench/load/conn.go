package load

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"time"
)

// Faults of an exchange; errorName maps them to the names in a Result.
var (
	errMalformed   = errors.New("load: malformed response")
	errUnsolicited = errors.New("load: bytes after the end of the response")
	errTruncated   = errors.New("load: connection closed inside a response")
)

const maxResponse = 64 << 20 // a larger one is an error

// conn is one keep-alive connection. It writes prepared bytes and parses no more of the response
// than its framing, because net/http's client would use more CPU time than the server under test. A
// response without Content-Length is an error.
type conn struct {
	c   net.Conn
	buf []byte // one response at a time; grows to the largest seen

	// yield lets other connections send before this one reads. The answer is then often there,
	// which saves a wait: 4 % of the generator's CPU time in a closed loop. In an open loop it
	// could make an answer look late.
	yield bool

	timeout  time.Duration
	deadline time.Duration // of c, on the clock of the run

	read int64 // bytes received so far

	streams *streams // of HTTP/2
}

// response points into conn.buf and is valid until the next exchange.
type response struct {
	status int
	body   []byte
	close  bool // the server will close the connection
}

// exchange writes one request and reads its response.
func (c *conn) exchange(request []byte, started time.Duration) (response, error) {
	// Setting a deadline costs as much as parsing the response, so it is moved only once an eighth
	// of it has gone by. The timeout is therefore between 7/8 and 8/8 of what it should be.
	if due := started + c.timeout; due-c.deadline > c.timeout/8 {
		if err := c.c.SetDeadline(time.Now().Add(c.timeout)); err != nil {
			return response{}, err
		}
		c.deadline = due
	}
	if _, err := c.c.Write(request); err != nil {
		return response{}, err
	}
	if c.yield {
		runtime.Gosched()
	}
	return c.receive()
}

func (c *conn) receive() (response, error) {
	filled, head := 0, -1
	var r response
	total := 0 // size of the whole response, once the head is in
	for head < 0 || filled < total {
		if filled == len(c.buf) {
			c.buf = append(c.buf, make([]byte, max(len(c.buf), 1024))...)
		}
		n, err := c.c.Read(c.buf[filled:])
		filled += n
		c.read += int64(n)
		if head < 0 {
			if i := bytes.Index(c.buf[:filled], []byte("\r\n\r\n")); i >= 0 {
				head = i + 4
				length, perr := r.parseHead(c.buf[:i+2])
				if perr != nil {
					return r, perr
				}
				total = head + length
			} else if filled > 64<<10 {
				return r, fmt.Errorf("%w: a head of more than 64 KiB", errMalformed)
			}
		}
		if err != nil && (head < 0 || filled < total) {
			if err == io.EOF && filled > 0 {
				err = errTruncated
			}
			return r, err
		}
	}
	if filled > total {
		return r, errUnsolicited
	}
	r.body = c.buf[head:total]
	return r, nil
}

// parseHead reads the status line and the header fields that frame the message. Every line of head
// ends in CRLF.
func (r *response) parseHead(head []byte) (length int, err error) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	version, code, _ := bytes.Cut(line, []byte(" "))
	code, _, _ = bytes.Cut(code, []byte(" "))
	status, err := strconv.ParseUint(string(code), 10, 16)
	if len(version) != 8 || string(version[:7]) != "HTTP/1." || len(code) != 3 || err != nil {
		return 0, fmt.Errorf("%w: status line %q", errMalformed, line)
	}
	r.status, r.close = int(status), string(version) == "HTTP/1.0"
	length = -1
	for len(rest) > 0 {
		line, rest, _ = bytes.Cut(rest, []byte("\r\n"))
		colon := bytes.IndexByte(line, ':')
		if colon <= 0 {
			return 0, fmt.Errorf("%w: header line %q", errMalformed, line)
		}
		name := line[:colon]
		switch {
		case isField(name, "content-length"):
			value := string(bytes.Trim(line[colon+1:], " \t"))
			n, err := strconv.ParseUint(value, 10, 63)
			if err != nil || n > maxResponse || (length >= 0 && int(n) != length) {
				return 0, fmt.Errorf("%w: Content-Length %q", errMalformed, value)
			}
			length = int(n)
		case isField(name, "transfer-encoding"):
			return 0, fmt.Errorf("%w: Transfer-Encoding instead of Content-Length", errMalformed)
		case isField(name, "connection"):
			r.close = !bytes.EqualFold(bytes.Trim(line[colon+1:], " \t"), []byte("keep-alive"))
		}
	}
	if length < 0 && r.status != 204 && r.status != 304 {
		return 0, fmt.Errorf("%w: no Content-Length", errMalformed)
	}
	return max(length, 0), nil
}

// isField compares a field name with one in lower case.
func isField(name []byte, lower string) bool {
	return len(name) == len(lower) && bytes.EqualFold(name, []byte(lower))
}

// NewRequest returns the bytes of a request with the headers of a usual client, and with a JSON
// body unless that is nil.
func NewRequest(method, path, host string, body []byte) []byte {
	b := fmt.Appendf(nil, "%s %s HTTP/1.1\r\n"+
		"Host: %s\r\nUser-Agent: tickerload\r\nAccept: */*\r\n", method, path, host)
	if body != nil {
		b = fmt.Appendf(b, "Content-Type: application/json\r\nContent-Length: %d\r\n",
			len(body))
	}
	return append(append(b, "\r\n"...), body...)
}
