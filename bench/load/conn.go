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

// Faults of an exchange. What an error wraps decides under which name a Result counts it.
var (
	errMalformed   = errors.New("load: malformed response")
	errUnsolicited = errors.New("load: bytes after the end of the response")
	errTruncated   = errors.New("load: connection closed inside a response")
)

// a response larger than this is a fault of the server, not a reason to run out of memory
const maxResponse = 64 << 20

// conn is one keep-alive connection of the lean client. net/http's client would cost more than the
// server it measures: it starts two goroutines a connection and allocates some sixty times a
// request, this one writes prepared bytes and looks at as much of the response as it takes to know
// that it is whole.
//
// It understands responses with a Content-Length and refuses all others: a server that frames its
// answers in another way is reported, not measured wrongly.
type conn struct {
	c   net.Conn
	buf []byte // one response at a time; grows to the largest seen

	// yield lets other connections send before this one looks for its answer, which then has often
	// come: a read that finds nothing and a wait less, 4 % of the generator's CPU time in a closed
	// loop. In an open loop it could make an answer look late.
	yield bool

	timeout  time.Duration
	deadline time.Duration // when the deadline of c falls due

	read int64 // bytes received so far
}

// response is a view of conn.buf, valid until the next exchange.
type response struct {
	status int
	body   []byte
	close  bool // the server will close the connection
}

// exchange writes one request and reads its response.
func (c *conn) exchange(request []byte, started time.Duration) (response, error) {
	// Setting a deadline costs as much as parsing the response, so it is pushed on only when an
	// eighth of it has gone by: a response is late somewhere between 7/8 and the whole of the
	// timeout.
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

// parseHead reads the status line and those header fields that frame the message. Every line of
// head ends in CRLF.
func (r *response) parseHead(head []byte) (length int, err error) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	if len(line) < 12 || string(line[:7]) != "HTTP/1." || line[8] != ' ' ||
		(len(line) > 12 && line[12] != ' ') {
		return 0, fmt.Errorf("%w: status line %q", errMalformed, line)
	}
	for _, c := range line[9:12] {
		if c < '0' || c > '9' {
			return 0, fmt.Errorf("%w: status line %q", errMalformed, line)
		}
		r.status = r.status*10 + int(c-'0')
	}
	r.close = line[7] == '0'
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

// isField compares a field name in any case with one in lower case.
func isField(name []byte, lower string) bool {
	return len(name) == len(lower) && bytes.EqualFold(name, []byte(lower))
}
