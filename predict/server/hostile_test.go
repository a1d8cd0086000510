package server_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/wirecase"
	"tickercast/predict/server"
)

// Parts of requests.
const (
	line    = wirecase.Line
	host    = wirecase.Host
	isJSON  = wirecase.JSON
	json17  = wirecase.Plain
	chunks  = wirecase.Chunks
	chunked = wirecase.Chunked
	good    = wirecase.Good
	in11    = wirecase.InChunk
	aTrace  = wirecase.Trace
	probe   = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: probe\r\n\r\n"
)

// rawPost is a POST /predict with other headers than a good one.
func rawPost(headers, body string) string { return wirecase.Post(headers, body) }

// TestHostileRequests sends each request whole, in pieces and behind another one, to a server with
// the fast lane and to one without. Both must answer as the case says and, but for date and id,
// with the same bytes; and they must answer others afterwards.
func TestHostileRequests(t *testing.T) {
	servers := []*running{
		start(t, loopback(), nil),
		start(t, loopback(), func(c *server.Config) { c.FastLane = false }),
	}
	t.Run("requests", func(t *testing.T) { // ends when its parallel parts have
		for _, c := range wirecase.Cases() {
			t.Run(c.Name, func(t *testing.T) {
				t.Parallel()
				send(t, servers, c, 1<<20)
				if !testing.Short() {
					send(t, servers, c, 11)
				}
				c.Request, c.Want = good+c.Request, "200 "+c.Want
				send(t, servers, c, 1<<20)
			})
		}
	})
	for _, r := range servers {
		require.Equal(t, "0", r.metric("panics_total"))
		require.NotContains(t, r.log.String(), `"level":"ERROR"`)
	}
}

// TestCasesAreWellFormed: each case has a name of its own, a rule that can be looked up, and no
// answer that would be the server's fault.
func TestCasesAreWellFormed(t *testing.T) {
	rule := regexp.MustCompile(`^(((MUST|SHOULD|MAY) )?(9110|9112)( \d+)(\.\d+)*)?$`)
	want := regexp.MustCompile(`^([2345]\d\d |100 )*(open|closed)$`)
	seen, musts := map[string]bool{}, 0
	for _, c := range wirecase.Cases() {
		require.False(t, seen[c.Name], c.Name)
		seen[c.Name] = true
		require.Regexp(t, rule, c.Rule, c.Name)
		require.Regexp(t, want, c.Want, c.Name)
		for status := range strings.FieldsSeq(c.Want) {
			// Of the server errors only those for an unknown encoding or version are right.
			require.False(t, status >= "500" && status < "600" && status != "501" && status != "505",
				"%s: %s is the server's fault", c.Name, status)
		}
		if strings.HasPrefix(c.Rule, "MUST ") {
			musts++
		}
	}
	t.Logf("%d cases, of which %d follow a MUST", len(seen), musts)
}

// send sends a case to servers in pieces of a size and compares what they answer.
func send(t *testing.T, servers []*running, c wirecase.Case, size int) {
	var answers []string
	for _, r := range servers {
		got, raw := converse(t, r.public, c.Request, size)
		if got != c.Want {
			t.Errorf("lane %v, pieces of %d: got %q, want %q by %q; %.300q", r.FastLane, size, got,
				c.Want, c.Rule, raw)
		}
		answers = append(answers, anonymous(raw))
		if status, _ := r.public.get(t, "/livez"); status != 200 {
			t.Errorf("lane %v: the server answers %d afterwards", r.FastLane, status)
		}
	}
	if answers[0] != answers[1] {
		t.Errorf("pieces of %d: the two paths differ:\n%q\n%q", size, answers[0], answers[1])
	}
}

// converse sends a request in pieces and a probe behind it, and reports which statuses came, and
// whether the probe was answered.
func converse(t *testing.T, p port, request string, size int) (got, raw string) {
	t.Helper()
	c := p.connect(t)
	defer c.Close()
	go writeInPieces(c, request+probe, size)
	var all bytes.Buffer
	answers := bufio.NewReader(io.TeeReader(c, &all))
	var statuses []string
	end := "closed"
	for {
		method := "POST"
		if front := strings.Repeat(good, len(statuses)) + "HEAD"; strings.HasPrefix(request, front) {
			method = "HEAD" // no body follows
		}
		resp, err := http.ReadResponse(answers, &http.Request{Method: method})
		if err != nil {
			if !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) &&
				!strings.Contains(err.Error(), "reset by peer") {
				t.Errorf("not an answer: %v", err)
			}
			break
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if err == nil { // net/http may reset a connection on which more comes
			requireForm(t, resp, string(body))
		}
		if resp.Header.Get(requestID) == "probe" {
			end = "open"
			continue
		}
		statuses = append(statuses, fmt.Sprint(resp.StatusCode))
	}
	return strings.Join(append(statuses, end), " "), all.String()
}

// requireForm wants an answer of our own code, which has a request id, to be JSON and to have a
// date. Those of net/http itself are few, are text, and end the connection.
func requireForm(t *testing.T, resp *http.Response, body string) {
	t.Helper()
	if resp.StatusCode == http.StatusContinue {
		return
	}
	if resp.Header.Get(requestID) == "" {
		require.Contains(t, []int{400, 417, 431, 501, 505}, resp.StatusCode)
		require.True(t, resp.Close)
		return
	}
	require.NotEmpty(t, resp.Header.Get("Date"))
	if resp.StatusCode == http.StatusNotModified || resp.Request.Method == "HEAD" {
		require.Empty(t, body)
		return
	}
	require.Equal(t, "application/json", resp.Header.Get("Content-Type"))
	require.True(t, json.Valid([]byte(body)), body)
	if resp.StatusCode == http.StatusMethodNotAllowed {
		require.NotEmpty(t, resp.Header.Get("Allow"))
	}
}

// writeInPieces writes text until it is all written or the connection has ended.
func writeInPieces(w io.Writer, text string, size int) {
	for len(text) > 0 {
		n, err := io.WriteString(w, text[:min(size, len(text))])
		if err != nil {
			return
		}
		text = text[n:]
	}
}

var changing = regexp.MustCompile(`(Date|X-Request-Id|Cache-Status|Age): [^\r]*`)

// anonymous leaves out what differs from answer to answer.
func anonymous(answers string) string { return changing.ReplaceAllString(answers, "$1") }
