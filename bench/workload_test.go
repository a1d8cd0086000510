package bench

import (
	"bytes"
	"encoding/json"
	"testing"
)

type body struct {
	Ticker     string
	Days       int     `json:"days_ahead"`
	Confidence float64 `json:"confidence_interval"`
}

// draw reads n requests from the given number of streams, in turn.
func draw(t *testing.T, workload Workload, streams, n int) (bodies []body, sizes []int) {
	t.Helper()
	next := make([]func() []byte, streams)
	for i := range next {
		next[i] = workload(i)
	}
	for i := range n {
		request := next[i%streams]()
		head, content, ok := bytes.Cut(request, []byte("\r\n\r\n"))
		if !ok || !bytes.HasPrefix(head, []byte("POST /predict HTTP/1.1\r\nHost: there\r\n")) {
			t.Fatalf("not a request: %q", request)
		}
		b := body{Confidence: 0.95}
		if err := json.Unmarshal(content, &b); err != nil {
			t.Fatalf("%q: %v", content, err)
		}
		if b.Days < 1 || b.Days > 30 || b.Confidence < 0.8 || b.Confidence > 0.99 ||
			b.Ticker == "" {
			t.Fatalf("a request that is not valid: %q", content)
		}
		bodies, sizes = append(bodies, b), append(sizes, len(request))
	}
	return bodies, sizes
}

func distinct(bodies []body) int {
	set := make(map[body]bool)
	for _, b := range bodies {
		set[b] = true
	}
	return len(set)
}

func TestHitHas160Keys(t *testing.T) {
	for _, streams := range []int{1, 64} {
		bodies, _ := draw(t, Hit("there"), streams, 160*streams)
		if got := distinct(bodies); got != 160 {
			t.Errorf("%d streams: %d distinct keys, want 160", streams, got)
		}
	}
}

func TestMissNeverRepeats(t *testing.T) {
	bodies, sizes := draw(t, Miss("there"), 3, 100_000)
	if got := distinct(bodies); got != len(bodies) {
		t.Errorf("%d distinct keys in %d requests", got, len(bodies))
	}
	for i, n := range sizes {
		if n < 180 || n > 230 {
			t.Fatalf("request %d has %d bytes", i, n)
		}
	}
}

func TestMixedIsSkewed(t *testing.T) {
	bodies, _ := draw(t, Mixed("there"), 1, 4096)
	if got := distinct(bodies); got != 549 {
		t.Errorf("%d distinct keys, want 549", got)
	}
	first, nextDay, plain := 0, 0, 0
	for _, b := range bodies {
		if b.Ticker == tickers[0] {
			first++
		}
		if b.Days == 1 {
			nextDay++
		}
		if b.Confidence == 0.95 {
			plain++
		}
	}
	// 1/H(40) = 23 % name the first ticker, half want one day, and 60 + 10 % the default
	// confidence.
	for what, n := range map[string][2]int{"the first ticker": {first, 957},
		"one day": {nextDay, 2048}, "0.95": {plain, 2867}} {
		if n[0] < n[1]*9/10 || n[0] > n[1]*11/10 {
			t.Errorf("%d of 4096 ask for %s, want about %d", n[0], what, n[1])
		}
	}
}

func TestBatch(t *testing.T) {
	_, content, _ := bytes.Cut(Batch("there")(0)(), []byte("\r\n\r\n"))
	var batch struct{ Requests []body }
	if err := json.Unmarshal(content, &batch); err != nil || len(batch.Requests) != BatchSize ||
		distinct(batch.Requests) != 160 {
		t.Errorf("%d requests, %d distinct, error %v; want %d, 160", len(batch.Requests),
			distinct(batch.Requests), err, BatchSize)
	}
}

func TestBatchMissNeverRepeats(t *testing.T) {
	workload := BatchMiss("there")
	next := []func() []byte{workload(0), workload(1)}
	var all []body
	for i := range 20 {
		_, content, _ := bytes.Cut(next[i%2](), []byte("\r\n\r\n"))
		var batch struct{ Requests []body }
		if err := json.Unmarshal(content, &batch); err != nil ||
			len(batch.Requests) != BatchMissSize {
			t.Fatalf("%d requests, error %v, want %d", len(batch.Requests), err, BatchMissSize)
		}
		all = append(all, batch.Requests...)
	}
	for _, b := range all {
		if b.Days != 5 || b.Confidence < 0.8 || b.Confidence > 0.99 {
			t.Fatalf("a request that is not valid: %+v", b)
		}
	}
	if got := distinct(all); got != len(all) {
		t.Errorf("%d distinct keys in %d forecasts", got, len(all))
	}
}

func TestStreamsAllocateNothing(t *testing.T) {
	for name, workload := range Workloads("there") {
		next := workload(0)
		if n := testing.AllocsPerRun(1000, func() { next() }); n != 0 {
			t.Errorf("%s: a request costs %v allocations, want 0", name, n)
		}
	}
}
