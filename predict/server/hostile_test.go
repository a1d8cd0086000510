package server_test

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/predict/server"
)

// Parts of requests.
const (
	line    = "POST /predict HTTP/1.1\r\n"
	host    = "Host: x\r\n"
	isJSON  = "Content-Type: application/json\r\n"
	json17  = isJSON + "Content-Length: 17\r\n"
	chunks  = "Transfer-Encoding: chunked\r\n"
	chunked = isJSON + chunks
	good    = line + host + json17 + "\r\n" + aForecast
	in11    = "11\r\n" + aForecast + "\r\n0\r\n\r\n" // 17 bytes in hexadecimal
	// inner would get a 404 if it were taken for a request.
	inner  = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	probe  = "GET /health HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: probe\r\n\r\n"
	aTrace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

// rawPost is a POST /predict with other headers than a good one.
func rawPost(headers, body string) string { return line + host + headers + "\r\n" + body }

// bare is a request of a method and a target only.
func bare(request string) string { return request + " HTTP/1.1\r\n" + host + "\r\n" }

// A hostileRequest has the statuses of the answers that must come, and whether the connection can
// be used after them. Where it cannot, nothing behind the request is ever taken for another one.
// Where RFC 9112 leaves a choice it is that of net/http: lines may end in LF, a folded header is
// unfolded, a Content-Length may be repeated, blank lines before a first request are refused. Of
// the server errors only 501 and 505 come, for a transfer encoding and a version that are not
// known.
type hostileRequest struct{ name, request, want string }

func hostile() []hostileRequest {
	return slices.Concat([]hostileRequest{
		{"good", good, "200 open"},
		{"good twice", good + good, "200 200 open"},
		{"good, known and unknown",
			good + rawPost(isJSON+"Content-Length: 19\r\n", `{"ticker":"NOSUCH"}`), "200 404 open"},
	}, hostileFraming, hostileHeads)
}

// TestHostileRequests sends each request whole and in pieces, to a server with the fast lane and to
// one without. Both must answer as the list says and, but for date and id, with the same bytes; and
// they must answer others afterwards.
func TestHostileRequests(t *testing.T) {
	servers := []*running{
		start(t, loopback(), nil),
		start(t, loopback(), func(c *server.Config) { c.FastLane = false }),
	}
	t.Run("requests", func(t *testing.T) { // ends when its parallel parts have
		for _, tt := range hostile() {
			t.Run(tt.name, func(t *testing.T) {
				t.Parallel()
				for _, size := range []int{1 << 20, 11} {
					tt.send(t, servers, size)
				}
			})
		}
	})
	for _, r := range servers {
		require.Equal(t, "0", r.metric("panics_total"))
		require.NotContains(t, r.log.String(), `"level":"ERROR"`)
	}
	for _, tt := range hostile() {
		for status := range strings.FieldsSeq(tt.want) {
			if status >= "500" && status < "600" && status != "501" && status != "505" {
				t.Errorf("%s: %s is the server's fault", tt.name, status)
			}
		}
	}
}

// send sends a request to servers in pieces of a size and compares what they answer.
func (h hostileRequest) send(t *testing.T, servers []*running, size int) {
	var answers []string
	for _, r := range servers {
		got, raw := converse(t, r.public, h.request, size)
		if got != h.want {
			t.Errorf("lane %v, pieces of %d: got %q, want %q; %.300q", r.FastLane, size, got,
				h.want, raw)
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
				t.Errorf("not an answer: %v", err)
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

var changing = regexp.MustCompile(`(Date|X-Request-Id): [^\r]*`)

// anonymous leaves out what differs from answer to answer.
func anonymous(answers string) string { return changing.ReplaceAllString(answers, "$1") }
