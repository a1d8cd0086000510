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

	"tickercast/bench/command"
	"tickercast/bench/proc"
)

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

func TestLearnAndCheck(t *testing.T) {
	serve := func(edit func(int, string) (int, string)) string {
		srv := httptest.NewServer(fakeService(edit))
		t.Cleanup(srv.Close)
		return srv.Listener.Addr().String()
	}
	same := func(status int, s string) (int, string) { return status, s }
	s := &setup{table: filepath.Join(t.TempDir(), "t.json")}
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

func TestServeCanned(t *testing.T) {
	for _, name := range []string{"net/http", "fasthttp"} {
		addr, err := proc.FreeAddr()
		if err != nil {
			t.Fatal(err)
		}
		go serveCanned(name, addr, "321")
		for began := time.Now(); time.Since(began) < 5*time.Second; time.Sleep(time.Millisecond) {
			if c, err := net.Dial("tcp", addr); err == nil {
				c.Close()
				break
			}
		}
		c := &contender{peer: peer{name: name, canned: true}, addr: addr}
		if _, err := (&setup{answerBytes: 321}).check(t.Context(), c); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := (&setup{answerBytes: 322}).check(t.Context(), c); err == nil {
			t.Errorf("%s: a reply of another size was accepted", name)
		}
	}
	if serveCanned("iis", "127.0.0.1:0", "5") == nil ||
		serveCanned("fasthttp", "127.0.0.1:0", "x") == nil {
		t.Error("served what there is not")
	}
}

// TestMissingPeers: peers that cannot be prepared are named and left out, but tickercast is needed.
func TestMissingPeers(t *testing.T) {
	s := &setup{opts: options{only: *regexp.MustCompile("")}, binary: "/nonexistent/tickercast",
		log: io.Discard, tmp: t.TempDir()}
	ready, missing := s.start(t.Context())
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
	writeReport(&b, all, []string{"odd: not\ninstalled"},
		options{rounds: 3, seconds: 2, conns: 64, rate: 500})
	for _, want := range []string{
		"| tickercast | forecast from cache | 166667 | 6.00 | 1.00 | 1.00 ms | 2.00 ms | 20.0 | " +
			"30.0 |",
		"| slow | forecast from cache | 13889 | 72.00 | 10.00 |",
		"- CPU of tickercast / slow: 0.100; 50.00 to 100.00 us; answers equal to the byte; slow " +
			"1.0\n",
		"- CPU of tickercast / quick: 1.250; 4.00 to 8.00 us\n",
		"- left out: odd: not installed\n",
	} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, &b)
		}
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, args := range []string{"-rounds 0", "-seconds -1", "-only (", "extra"} {
		err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard)
		if !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: error %v, want a usage error", args, err)
		}
	}
}
