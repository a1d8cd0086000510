//go:build linux

package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"tickercast/bench"
	"tickercast/bench/command"
	"tickercast/bench/proc"
)

// TestMain serves a canned reply where the peers start this binary for one.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "canned" {
		main()
	}
	os.Exit(m.Run())
}

// fakeService keeps the contract as far as check verifies it. Its bounds depend on day and
// confidence.
func fakeService(edit func(status int, answer string) (int, string)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := query{Days: 1, Confidence: 0.95}
		json.NewDecoder(r.Body).Decode(&q)
		status, answer := 200, "["
		switch {
		case q.Ticker == "ZZZZQ":
			status, answer = 404, `{"detail":"unknown"}`
		case q.Ticker == "" || len(q.Ticker) > 10 || q.Days > 30 || q.Confidence < 0.8:
			status, answer = 422, `{"detail":[]}`
		default:
			for i := range q.Days {
				if i > 0 {
					answer += ","
				}
				answer += fmt.Sprintf(`{"ticker":%q,"date":"2026-02-%02d","predicted_price":100.5,`+
					`"confidence_lower":%v,"confidence_upper":%v,"model_version":"v"}`,
					q.Ticker, i+1, 100-q.Confidence, 100+q.Confidence*float64(i+1))
			}
			answer += "]"
		}
		status, answer = edit(status, answer)
		w.WriteHeader(status)
		io.WriteString(w, answer)
	})
}

// newTestSetup is on the first road.
func newTestSetup() *setup {
	road := bench.Roads()[0]
	return &setup{road: road, client: newClient(road), log: io.Discard}
}

func TestLearnAndCheck(t *testing.T) {
	serve := func(edit func(int, string) (int, string)) string {
		srv := httptest.NewServer(fakeService(edit))
		t.Cleanup(srv.Close)
		return srv.Listener.Addr().String()
	}
	same := func(status int, s string) (int, string) { return status, s }
	s := newTestSetup()
	s.table = filepath.Join(t.TempDir(), "t.json")
	if err := s.learn(t.Context(), serve(same)); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(s.table)
	if err != nil {
		t.Fatal(err)
	}
	var tab table
	if err := json.Unmarshal(b, &tab); err != nil || len(tab.Tickers) != 40 ||
		len(tab.Tickers["AAPL"]) != 30 || tab.Version != "v" {
		t.Fatalf("table: error %v, %d tickers", err, len(tab.Tickers))
	}
	if d := tab.Tickers["AAPL"][29]; d.Date != "2026-02-30" ||
		fmt.Sprint(d.Lower) != "[99.2 99.1 99.05 99.01]" {
		t.Errorf("last day: %+v", d)
	}
	for name, tt := range map[string]struct {
		edit  func(int, string) (int, string)
		exact bool
		err   string
	}{
		"same": {same, true, ""},
		"spaced": {func(c int, s string) (int, string) {
			return c, strings.ReplaceAll(s, `,"`, `, "`)
		}, false, ""},
		"400 for 422": {func(c int, s string) (int, string) {
			return map[int]int{200: 200, 404: 404, 422: 400}[c], s
		}, true, ""},
		"another date": {func(c int, s string) (int, string) {
			return c, strings.Replace(s, "-05", "-06", 1)
		}, false, "want 200"},
		"no 404": {func(c int, s string) (int, string) { return 200, s }, false, "want"},
		"down":   {func(int, string) (int, string) { return 503, "" }, false, "503"},
	} {
		exact, err := s.check(t.Context(), &contender{peer: peer{name: name}, addr: serve(tt.edit)})
		if (err == nil) != (tt.err == "") || exact != tt.exact ||
			(err != nil && !strings.Contains(err.Error(), tt.err)) {
			t.Errorf("%s: exact %v, error %v; want %v, %q", name, exact, err, tt.exact, tt.err)
		}
	}
	down := serve(func(int, string) (int, string) { return 500, "no" })
	if err := s.learn(t.Context(), down); err == nil {
		t.Error("learned from a server that answers 500")
	}
}

// TestServeCanned serves each canned reply with and without TLS, and has the requests of every road
// answered.
func TestServeCanned(t *testing.T) {
	dir := t.TempDir()
	cert, key := filepath.Join(dir, "cert"), filepath.Join(dir, "key")
	if err := writeCertificate(cert, key); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"net/http", "fasthttp"} {
		addr, secure := freeAddr(t), freeAddr(t)
		go serveCanned(name, addr, "321", "", "")
		go serveCanned(name, secure, "321", cert, key)
		for _, road := range bench.Roads() {
			if road.Streams > 0 && name == "fasthttp" {
				continue
			}
			s := newTestSetup()
			s.road, s.client = road, newClient(road)
			c := &contender{peer: peer{name: name, canned: true}, addr: addr}
			if road.TLS {
				c.addr = secure
			}
			awaitListener(t, c.addr)
			s.answerBytes = 321
			if _, err := s.check(t.Context(), c); err != nil {
				t.Errorf("%s, %s: %v", name, road.Name, err)
			}
			s.answerBytes = 322
			if _, err := s.check(t.Context(), c); err == nil {
				t.Errorf("%s, %s: a reply of another size was accepted", name, road.Name)
			}
		}
	}
	if serveCanned("iis", "127.0.0.1:0", "5", "", "") == nil ||
		serveCanned("fasthttp", "127.0.0.1:0", "x", "", "") == nil {
		t.Error("served what there is not")
	}
}

func freeAddr(t *testing.T) string {
	t.Helper()
	addr, err := proc.FreeAddr()
	if err != nil {
		t.Fatal(err)
	}
	return addr
}

func awaitListener(t *testing.T, addr string) {
	t.Helper()
	for range 30_000 {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return
		}
		time.Sleep(time.Millisecond)
	}
	t.Fatalf("nothing listens on %s", addr)
}

// TestRoads travels two roads with the real binary and what is installed, for a moment.
func TestRoads(t *testing.T) {
	if err := proc.CanPin(); err != nil {
		t.Skip(err)
	}
	if testing.Short() {
		t.Skip("builds and starts servers")
	}
	var out, log strings.Builder
	err := run(t.Context(), []string{"-road", "^(get|h2)$", "-only", "nginx|net/http|fasthttp",
		"-rounds", "1", "-seconds", "0.1"}, &out, &log)
	if err != nil {
		t.Fatalf("%v\n%s", err, &log)
	}
	for _, want := range []string{
		"| GET /predict/{ticker}?days_ahead=5 |", "over TLS, HTTP/2, 16 x 8 streams |",
		"- CPU of tickercast / net/http: ",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
	if strings.Contains(out.String(), "left out: nginx") {
		t.Log("nginx is not installed: its columns are empty")
	}
}

// TestMissingPeers: peers that cannot be prepared are named and left out, but tickercast is needed.
func TestMissingPeers(t *testing.T) {
	s := &setup{opts: options{only: *regexp.MustCompile("")}, binary: "/nonexistent/tickercast",
		log: io.Discard, tmp: t.TempDir()}
	ready, missing := s.start(t.Context(), bench.Roads()[0])
	if len(ready) != 0 || len(missing) != 1 || !strings.HasPrefix(missing[0], "tickercast: ") {
		t.Errorf("%d ready, missing %v; want tickercast named and nothing else tried", len(ready),
			missing)
	}
	s.apps, s.cache = t.TempDir(), t.TempDir()
	if _, _, err := python("flask", "", gunicorn...)(t.Context(), s); err == nil {
		t.Error("prepared an app without its requirements")
	}
}

func TestReport(t *testing.T) {
	samples := func(used ...float64) (s []sample) {
		for _, us := range used {
			s = append(s, sample{perSecond: 1e6 / us, cpu: us, client: 3, p50: 1, p99: 2,
				memory: 30})
		}
		return s
	}
	all := []*contender{
		// a bad second round for all
		{peer: peer{name: subject, work: forecast}, atStart: 20e6, samples: samples(5, 10, 6)},
		{peer: peer{name: "slow", work: forecast}, atStart: 90e6, samples: samples(50, 100, 72),
			exact: true, versions: "slow 1.0"},
		{peer: peer{name: "quick", work: canned, canned: true}, atStart: 9e6,
			samples: samples(4, 8, 6)},
	}
	var b strings.Builder
	roads := bench.Roads()
	writeReport(&b, []travelled{
		{road: roads[0], all: all, missing: []string{"odd: not\ninstalled"}},
		{road: roads[3], all: []*contender{all[0],
			{peer: peer{name: "net/http", canned: true}, samples: samples(10, 20, 15)}}},
	}, options{rounds: 3, seconds: 2, rate: 500})
	for _, want := range []string{
		"| tickercast | forecast from cache | 166667 | 6.00 | 1.00 | 1.00 ms | 2.00 ms | 20.0 | " +
			"30.0 |",
		"| slow | forecast from cache | 13889 | 72.00 | 10.00 |",
		"- CPU of tickercast / slow: 0.100; 50.00 to 100.00 us; answers equal to the byte; slow " +
			"1.0\n",
		"- CPU of tickercast / quick: 1.250; 4.00 to 8.00 us\n",
		"- left out: odd: not installed\n",
		"| GET /health | 6.0 | - | - | 15.0 | - | - | 0.50 |\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, args := range []string{"-rounds 0", "-seconds -1", "-only (", "extra",
		"-road none"} {
		err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard)
		if !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: error %v, want a usage error", args, err)
		}
	}
}
