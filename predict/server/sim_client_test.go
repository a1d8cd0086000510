package server_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"

	"tickercast/predict/internal/memnet"
	"tickercast/predict/internal/wirecase"
	"tickercast/predict/server"
)

// A simClient makes connections, one after the other, and does with each what its generator says.
type simClient struct {
	*simulation
	rnd *rand.Rand

	conn *memnet.Conn
	in   *bufio.Reader
}

func (c *simClient) run() {
	for range 1 + c.rnd.IntN(6) {
		if c.ending.Load() {
			return
		}
		time.Sleep(time.Duration(c.rnd.ExpFloat64() * float64(time.Second)))
		tear := rand.New(rand.NewPCG(c.seed, c.rnd.Uint64()))
		whole := c.rnd.IntN(2) == 0
		conn, err := c.net.dial(c.server.Addr, func() int {
			if whole {
				return math.MaxInt
			}
			return 1 + tear.IntN(60)
		})
		if err != nil {
			return // it is over
		}
		c.conn, c.in = conn, bufio.NewReader(conn)
		switch c.rnd.IntN(8) {
		case 0:
			c.dribble()
		case 1:
			c.vanish()
		case 2:
			c.ignoreAnswers()
		case 3:
			c.babble()
		default:
			c.behave()
		}
		c.conn.Close()
	}
}

// A simRequest is what is sent, and how its answer is checked.
type simRequest struct {
	bytes  string
	status int
	check  func(resp *http.Response, body string)
	swaps  int64 // that were complete when it was sent
}

func (c *simClient) request() simRequest {
	days, confidence := 1+c.rnd.IntN(4), []string{"0.8", "0.95", "0.99"}[c.rnd.IntN(3)]
	body := fmt.Sprintf(`{"ticker":"acme","days_ahead":%d,"confidence_interval":%s}`, days,
		confidence)
	r := simRequest{status: 200, swaps: c.done.Load()}
	rows := func(text string) { c.rows(text, days, r.swaps) }
	r.check = func(_ *http.Response, text string) { rows(text) }
	target, headers := "POST /predict", ""
	switch c.rnd.IntN(12) {
	case 0:
		target = "POST /predict/batch"
		body = `{"requests":[` + body + "," + body + `]}`
		r.check = func(_ *http.Response, text string) {
			const head, between, tail = `{"results":[{"predictions":`, `},{"predictions":`, `}]}`
			text, ok1 := strings.CutPrefix(text, head)
			text, ok2 := strings.CutSuffix(text, tail)
			first, second, ok3 := strings.Cut(text, between)
			if !ok1 || !ok2 || !ok3 || first != second {
				c.errorf("a batch of two markets: %s", text)
			}
			rows(first)
		}
	case 1:
		target, body = fmt.Sprintf("GET /predict/ACME?days_ahead=%d&confidence_interval=%s", days,
			confidence), ""
		r.check = func(resp *http.Response, text string) {
			rows(text)
			if age, err := strconv.Atoi(resp.Header.Get("Age")); err != nil ||
				time.Duration(age)*time.Second > simTTL {
				c.errorf("an answer of age %q, want at most %v", resp.Header.Get("Age"), simTTL)
			}
		}
	case 2:
		body = fmt.Sprintf(`{"ticker":"acme","days_ahead":%d,"levels":[0.9]}`, days)
	case 3:
		body, r.status = `{"ticker":""}`, 422
		r.check = func(*http.Response, string) {}
	case 4:
		headers = "X-Request-Id: mine\r\n"
		r.check = func(resp *http.Response, text string) {
			rows(text)
			if got := resp.Header.Get(requestID); got != "mine" {
				c.errorf("the id is %q, not what was sent", got)
			}
		}
	}
	r.bytes = fmt.Sprintf("%s HTTP/1.1\r\nHost: x\r\n%sContent-Type: "+
		"application/json\r\nContent-Length: %d\r\n\r\n%s", target, headers, len(body), body)
	return r
}

// rows checks an answer that was asked for when so many swaps were complete.
func (c *simClient) rows(text string, days int, before int64) {
	c.t.Helper()
	rows := decodeRows(c.t, text)
	after := c.begun.Load()
	if got := marketOf(rows); len(rows) != days || got < 0 || before == after &&
		got != int(before%2) {
		c.errorf("an answer of market %d between swaps %d and %d, %d rows of %d: %s", got, before,
			after, len(rows), days, text)
	}
}

// behave sends requests, one or several at once, and reads every answer.
func (c *simClient) behave() {
	for range 1 + c.rnd.IntN(10) {
		requests := make([]simRequest, 1)
		if c.rnd.IntN(4) == 0 {
			requests = make([]simRequest, 2+c.rnd.IntN(8))
		}
		var all strings.Builder
		for i := range requests {
			requests[i] = c.request()
			all.WriteString(requests[i].bytes)
		}
		if c.ending.Load() {
			return
		}
		sent := make(chan error, 1)
		go func() {
			_, err := io.WriteString(c.conn, all.String())
			sent <- err
		}()
		for i, r := range requests {
			if closed := c.answer(&r); closed {
				if i < len(requests)-1 && !c.draining.Load() {
					c.errorf("closed after answer %d of %d", i+1, len(requests))
				}
				c.conn.Close()
				<-sent
				return
			}
		}
		<-sent
		if c.rnd.IntN(20) == 0 {
			c.gone()
			return
		}
		pause := c.rnd.ExpFloat64() * float64(c.rnd.IntN(10_000)) * float64(time.Millisecond)
		time.Sleep(min(time.Duration(pause), server.Default().IdleTimeout-time.Second))
	}
}

// gone waits for the end of a connection on which nothing is asked any more: the idle timeout, or
// the drain.
func (c *simClient) gone() {
	c.conn.SetReadDeadline(time.Now().Add(simPatience))
	if b, err := c.in.ReadByte(); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		c.errorf("an idle connection: got byte %q, %v; want its end", b, err)
	}
}

// answer reads and checks one answer, and reports whether it is the last.
func (c *simClient) answer(r *simRequest) (closed bool) {
	c.conn.SetReadDeadline(time.Now().Add(simPatience))
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		if !c.ending.Load() {
			c.errorf("no answer to %q: %v", r.bytes, err)
		}
		return true
	}
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		c.errorf("half an answer to %q: %v", r.bytes, err)
		return true
	}
	if resp.StatusCode != r.status {
		c.errorf("status %d of %q, want %d: %s", resp.StatusCode, r.bytes, r.status, body)
		return true
	}
	r.check(resp, string(body))
	c.answers.Add(1)
	return resp.Close
}

// end reads until the server has closed the connection, and fails if it does not. Only whole
// answers may come.
func (c *simClient) end(what string) {
	start := time.Now()
	c.conn.SetReadDeadline(start.Add(simPatience))
	for {
		resp, err := http.ReadResponse(c.in, nil)
		if errors.Is(err, os.ErrDeadlineExceeded) {
			c.errorf("%s: the connection is still there after %v", what, simPatience)
		}
		if err != nil {
			return
		}
		if _, err := io.ReadAll(resp.Body); err != nil {
			c.errorf("%s: half an answer: %v", what, err)
			return
		}
		if code := resp.StatusCode; code >= 500 && code != 501 && code != 505 {
			c.errorf("%s: status %d", what, resp.StatusCode)
		}
	}
}

// dribble sends a request so slowly that a timeout may come first, or stops in the middle.
func (c *simClient) dribble() {
	request := c.request().bytes
	upTo, pause := 1+c.rnd.IntN(len(request)), time.Duration(c.rnd.IntN(1000))*time.Millisecond
	for i := range upTo {
		if _, err := io.WriteString(c.conn, request[i:i+1]); err != nil {
			break
		}
		time.Sleep(pause)
	}
	c.end("a slow request")
}

// vanish sends a part of a request and resets the connection, or ends its own half.
func (c *simClient) vanish() {
	request := c.request().bytes
	io.WriteString(c.conn, request[:c.rnd.IntN(len(request)+1)])
	time.Sleep(time.Duration(c.rnd.IntN(2)) * time.Millisecond)
	if c.rnd.IntN(2) == 0 {
		c.conn.Reset()
		return
	}
	c.conn.CloseWrite()
	c.end("a client that sends no more")
}

// ignoreAnswers asks and asks and never reads.
func (c *simClient) ignoreAnswers() {
	c.conn.SetWriteDeadline(time.Now().Add(simPatience))
	for {
		if _, err := io.WriteString(c.conn, c.request().bytes); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				c.errorf("a client that does not read is still served after %v", simPatience)
			}
			return
		}
	}
}

// babble sends noise, perhaps behind a request.
func (c *simClient) babble() {
	text := ""
	if c.rnd.IntN(2) == 0 {
		text = c.request().bytes
	}
	for range c.rnd.IntN(2000) {
		text += string(rune(c.rnd.IntN(256)))
	}
	if c.rnd.IntN(4) == 0 {
		cases := wirecase.Cases()
		text = cases[c.rnd.IntN(len(cases))].Request
		if strings.Contains(text, "HEAD") {
			text = good // the answer to a HEAD would read as if it were cut off
		}
	}
	go io.WriteString(c.conn, text)
	c.end("noise")
}
