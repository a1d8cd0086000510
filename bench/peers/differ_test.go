//go:build linux

package main

import (
	"bytes"
	"context"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"tickercast/bench"
	"tickercast/bench/peers/pyenv"
	"tickercast/bench/proc"
)

// An exchange is a request and what two servers answered.
type exchange struct {
	request
	ours, theirs reply
}

type reply struct {
	status int
	header http.Header
	body   string
}

// ask sends a request as it is.
func (r request) ask(ctx context.Context, client *http.Client, addr string) (reply, error) {
	req, err := http.NewRequestWithContext(ctx, r.method, "http://"+addr+r.target,
		strings.NewReader(r.body))
	if err != nil {
		return reply{}, err
	}
	if r.kind != "" {
		req.Header.Set("Content-Type", r.kind)
	}
	resp, err := client.Do(req)
	if err != nil {
		return reply{}, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return reply{resp.StatusCode, resp.Header, string(body)}, err
}

// TestSameAsFastAPI sends the same requests to tickercast and to a service of FastAPI, in the
// versions of apps/contract_requirements.txt. Statuses and bodies must be equal to the byte, except
// for the differences that are intended.
//
// The Python is the one that TICKERCAST_PYDANTIC_PYTHON names, or one of a virtual environment that
// pip fills; where it cannot, the test is skipped.
func TestSameAsFastAPI(t *testing.T) {
	n := 20_000
	if testing.Short() {
		t.Skip("a Python service")
	}
	s, err := newSetup(t.Context(), options{}, io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	bin := filepath.Dir(os.Getenv("TICKERCAST_PYDANTIC_PYTHON"))
	if bin == "." {
		if bin, err = pyenv.Make(t.Context(), s.cache, "contract", s.requirements("contract"),
			s.log); err != nil {
			t.Skipf("FastAPI cannot be installed here: %v", err)
		}
	}
	versions, err := pyenv.Versions(t.Context(), bin, s.requirements("contract"))
	if err != nil {
		t.Fatal(err)
	}
	s.road = bench.Roads()[0]
	s.client = newClient(s.road)
	ours := begin(t, s, proc.Tickercast(s.binary))
	if err := s.learn(t.Context(), ours); err != nil {
		t.Fatal(err)
	}
	theirs := begin(t, s, proc.Config{
		Args: []string{filepath.Join(bin, "uvicorn"), "contract_app:app", "--host", "{host}",
			"--port", "{port}", "--loop", "uvloop", "--http", "httptools", "--log-level", "critical"},
		Dir: s.apps,
		Env: []string{"FORECASTS=" + s.table, "PYTHONDONTWRITEBYTECODE=1"}, Wait: time.Minute,
		Ready: "http://{addr}/health",
	})
	seed := uint64(time.Now().UnixNano())
	t.Logf("%s; %d requests of seed %d", versions, n, seed)
	client := &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
	maker := requestMaker{rand.New(rand.NewPCG(seed, 0)), tickersOf(t, s)}
	statuses, intended, wrong := map[int]int{}, map[string]int{}, 0
	for range n {
		x := exchange{request: maker.request()}
		if x.ours, err = x.ask(t.Context(), client, ours); err != nil {
			t.Fatalf("tickercast: %+v: %v", x.request, err)
		}
		for range 3 { // uvicorn may close a connection that a request is on its way to
			if x.theirs, err = x.ask(t.Context(), client, theirs); err == nil {
				break
			}
		}
		if err != nil {
			t.Fatalf("FastAPI: %+v: %v", x.request, err)
		}
		statuses[x.ours.status]++
		if x.same() {
			continue
		}
		if why := x.intended(); why != "" {
			intended[why]++
		} else if wrong++; wrong <= 10 {
			t.Errorf("%s %s, %q, %.400q:\nours   %d %.500s\ntheirs %d %.500s", x.method, x.target,
				x.kind, x.body, x.ours.status, x.ours.body, x.theirs.status, x.theirs.body)
		}
	}
	t.Logf("%d differ; statuses %v", wrong, statuses)
	for _, why := range slices.Sorted(maps.Keys(intended)) {
		t.Logf("%6d differ as they should: %s", intended[why], why)
	}
	if statuses[200] < n/10 || statuses[422] < n/10 || statuses[404] < n/100 {
		t.Error("the requests do not test enough")
	}
}

// begin starts a server and returns its address.
func begin(t *testing.T, s *setup, cfg proc.Config) (addr string) {
	t.Helper()
	server, err := proc.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	s.running = append(s.running, server)
	return server.Addr
}

// tickersOf returns the tickers that both servers know.
func tickersOf(t *testing.T, s *setup) (tickers []string) {
	t.Helper()
	seen := map[string]bool{}
	for body := range s.answers {
		_, rest, _ := strings.Cut(body, `"ticker":"`)
		ticker, _, _ := strings.Cut(rest, `"`)
		seen[ticker] = true
	}
	return slices.Sorted(maps.Keys(seen))
}

// same reports whether two answers have the same status, headers of meaning, and bytes. A forecast
// between the confidences of the table is not compared: the services interpolate.
func (x *exchange) same() bool {
	if x.ours.status != x.theirs.status {
		return false
	}
	for _, name := range []string{"Content-Type", "Allow"} {
		if x.ours.header.Get(name) != x.theirs.header.Get(name) {
			return false
		}
	}
	return x.ours.body == x.theirs.body || x.ours.status == 200 && x.target != "/health" &&
		bytes.HasPrefix([]byte(x.ours.body), []byte(`[{"ticker":`))
}

// intended returns which of the differences that docs/migrating.md lists a pair of answers shows,
// or "".
func (x *exchange) intended() string {
	for _, d := range differences {
		if d.is(x) {
			return d.why
		}
	}
	return ""
}

// noFloat finds what Python's json reads and cannot write.
var noFloat = regexp.MustCompile(`NaN|Infinity|(?i)\\ud|e\+?\d{3}`)

var differences = []struct {
	why string
	is  func(x *exchange) bool
}{
	{"NaN, 1e400, half a pair or bad UTF-8, which end in a 500 there, are a 422", func(x *exchange) bool {
		return x.theirs.status == 500 && x.ours.status == 422 &&
			(!utf8.ValidString(x.body) || noFloat.MatchString(x.body))
	}},
	{"NaN and Infinity are no JSON", func(x *exchange) bool {
		return (strings.Contains(x.body, "NaN") || strings.Contains(x.body, "Infinity")) &&
			strings.Contains(x.ours.body, `"json_invalid"`)
	}},
	{"UTF-16 and UTF-32 are a 400", func(x *exchange) bool {
		return strings.Contains(x.body[:min(2, len(x.body))], "\x00") && x.ours.status == 400
	}},
	{"more than 100 brackets are a 400", func(x *exchange) bool {
		return strings.Count(x.body, "[")+strings.Count(x.body, "{") > 100 && x.ours.status == 400
	}},
	{"an input of over 2 KiB is cut", func(x *exchange) bool {
		return x.ours.status == x.theirs.status && len(x.theirs.body) > 2048 &&
			strings.Contains(x.ours.body, `..."`)
	}},
	{"keys that begin with _sa are shown", func(x *exchange) bool {
		return strings.Contains(x.ours.body, `"_sa`) && !strings.Contains(x.theirs.body, `"_sa`)
	}},
	{"as_of is outside of the prices", func(x *exchange) bool {
		return x.theirs.body == "null" && x.ours.status == 422 &&
			(strings.Contains(x.ours.body, "Value error, as_of must be from ") ||
				strings.Contains(x.ours.body, "Value error, as_of is too early"))
	}},
	{"tickers that are not in the table there", func(x *exchange) bool {
		return strings.HasPrefix(x.theirs.body, `{"detail":"Unknown ticker`) &&
			(x.ours.status == 200 || strings.Contains(x.ours.body, "Value error, as_of "))
	}},
	{"a method that no one knows is a 405", func(x *exchange) bool {
		return x.method == "BREW" && x.ours.status == 405 && x.theirs.status == 400
	}},
	{"HEAD is answered", func(x *exchange) bool {
		return x.method == "HEAD" && x.ours.status == 200 && x.theirs.status == 405
	}},
	{"HEAD is allowed where GET is", func(x *exchange) bool {
		return x.ours.status == 405 && x.theirs.status == 405 && x.ours.body == x.theirs.body &&
			x.ours.header.Get("Allow") == "GET, HEAD"
	}},
}
