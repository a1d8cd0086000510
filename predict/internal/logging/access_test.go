package logging_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"strings"
	"testing"
	"time"

	"tickercast/predict/internal/logging"
)

func TestLine(t *testing.T) {
	var out bytes.Buffer
	l := logging.NewAccessLog(slog.NewJSONHandler(&out, nil), logging.All)
	l.Write(&logging.Entry{
		ID: "abc", Trace: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", Key: "ops",
		Client: "203.0.113.9", Remote: "192.0.2.1",
		Method: "POST", Path: "/predict\r\n\"injected\"", Proto: "HTTP/1.1", Status: 200,
		Duration: 1500 * time.Microsecond, Bytes: 42,
		Attrs: []slog.Attr{slog.String("ticker", "AAPL"), slog.Int("days_ahead", 5)},
	})
	l.Write(&logging.Entry{ID: "d", Path: "/" + strings.Repeat("é", logging.MaxPath)})
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	if len(lines) != 2 {
		t.Fatalf("%d lines, want 2: %q", len(lines), lines)
	}
	var got map[string]any
	if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]any{
		"msg": "request", "id": "abc",
		"traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
		"key":         "ops", "client": "203.0.113.9", "ticker": "AAPL", "days_ahead": 5.,
		"remote": "192.0.2.1", "method": "POST", "path": "/predict\r\n\"injected\"",
		"proto": "HTTP/1.1", "status": 200., "duration_us": 1500., "bytes": 42.,
	} {
		if got[key] != want {
			t.Errorf("%s: got %v, want %v", key, got[key], want)
		}
	}
	clear(got)
	if err := json.Unmarshal([]byte(lines[1]), &got); err != nil {
		t.Fatal(err)
	}
	if path := got["path"].(string); len(path) > logging.MaxPath+3 ||
		strings.Contains(path, "\uFFFD") {
		t.Errorf("path of %d bytes %q, want at most %d and whole characters", len(path), path,
			logging.MaxPath+3)
	}
	for _, key := range []string{"client", "key", "traceparent"} {
		if _, ok := got[key]; ok {
			t.Errorf("%s is there although it is not known", key)
		}
	}
}

func TestWants(t *testing.T) {
	h := slog.DiscardHandler
	if l := logging.NewAccessLog(h, logging.Off); l != nil {
		t.Error("a log that is off is not nil, and would want something")
	}
	if l := logging.NewAccessLog(h, logging.All); !l.Wants(200) || !l.Wants(404) {
		t.Error("a log of all does not want something")
	}
	const n, rate = 200_000, 100
	l := logging.NewAccessLog(h, rate)
	wanted := 0
	for range n {
		if !l.Wants(503) {
			t.Fatal("an answer that is the server's fault is not wanted")
		}
		if l.Wants(200) {
			wanted++
		}
	}
	mean := float64(n) / rate
	if sigma := math.Sqrt(mean); math.Abs(float64(wanted)-mean) > 6*sigma {
		t.Errorf("wanted %d of %d at a rate of 1/%d", wanted, n, rate)
	}
}

func TestRate(t *testing.T) {
	for s, want := range map[string]logging.Rate{"off": logging.Off, "all": logging.All,
		"1/1": logging.All, "1/1000": 1000} {
		got, err := logging.ParseRate(s)
		if err != nil || got != want {
			t.Errorf("ParseRate(%q) = %v, %v; want %v", s, got, err, want)
		}
	}
	for _, s := range []string{"", "on", "ALL", "1/0", "1/-1", "1/", "2/3", "0.1", "1/5000000000",
		"1/ 2"} {
		if got, err := logging.ParseRate(s); err == nil {
			t.Errorf("ParseRate(%q) = %v, want an error", s, got)
		}
	}
}

func BenchmarkWantsOneInAThousand(b *testing.B) {
	l := logging.NewAccessLog(slog.DiscardHandler, 1000)
	for b.Loop() {
		l.Wants(200)
	}
}
