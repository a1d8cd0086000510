package cli_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/bench"
	"tickercast/bench/load"
	"tickercast/bench/proc"
)

// TestSoak has a server answer a mixed load for a time: forecasts that are cached and that are not,
// all kinds of refusals, every other route, batches, connections that are kept, new, aborted, slow
// and idle; and prices that are replaced, by good ones and bad. Every answer must have the status
// that it should, and the server must hold no more at the end than before: goroutines, descriptors,
// resident memory and live heap.
//
// TICKERCAST_SOAK=1h takes so long, and from a minute on compares the last quarter with the second;
// without it two seconds show that nothing is left after the load. TICKERCAST_SOAK_RATE=N sends N
// requests a second rather than 2,000.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("runs processes for long")
	}
	t.Parallel()
	s := &soak{duration: 2 * time.Second, rate: 2000}
	var err error
	if v, ok := os.LookupEnv("TICKERCAST_SOAK"); ok {
		s.duration, err = time.ParseDuration(v)
		require.NoError(t, err)
	} else if raceEnabled {
		s.rate /= 10
	}
	if v, ok := os.LookupEnv("TICKERCAST_SOAK_RATE"); ok {
		s.rate, err = strconv.ParseFloat(v, 64)
		require.NoError(t, err)
	}
	if end, ok := t.Deadline(); ok && time.Until(end) < s.duration+time.Minute {
		t.Fatalf("-timeout leaves %v, a soak of %v needs a minute more",
			time.Until(end).Round(time.Second), s.duration)
	}
	s.prices = filepath.Join(t.TempDir(), "prices.csv")
	tickers := hitTickers(t)
	s.good = [2][]byte{panelCSV(100, 300, tickers), panelCSV(200, 300, tickers)}
	replaceFile(t, s.prices, s.good[0])
	// A small cache with a short life is full, and has lost entries by number and by age, when the
	// second quarter begins.
	s.process = start(t, "-prices", s.prices, "-watch", "200ms", "-cache-entries", "4096",
		"-cache-bytes", "4194304", "-cache-ttl", "10s", "-drain-delay", "0s")
	s.mix = newSoakMix(s.addr)
	s.run(t)
}

type soak struct {
	*process
	duration time.Duration
	rate     float64
	prices   string
	good     [2][]byte
	mix      *soakMix

	readings []reading
}

func (s *soak) run(t *testing.T) {
	s.replace(t, 0)
	atRest := s.read(t)
	ctx, stop := context.WithCancel(t.Context())
	crowd := &soakCrowd{t: t, addr: s.addr}
	var others sync.WaitGroup
	end := func() {
		stop()
		others.Wait()
		crowd.clients.Wait()
	}
	defer end()
	crowd.start(ctx)
	others.Go(func() { s.reload(ctx, t) })
	others.Go(func() { s.watch(ctx, t) })
	quarters := s.load(t)
	end()

	var statuses [1000]int64
	for i, q := range quarters {
		t.Logf("quarter %d: %d requests; from the time they were due p50 %v, p99 %v, p99.9 %v, "+
			"max %v", i+1, q.Answers,
			q.Latency.Quantile(0.5), q.Latency.Quantile(0.99), q.Latency.Quantile(0.999),
			q.Latency.Max())
		for status, n := range q.Statuses {
			statuses[status] += n
		}
	}
	var text string
	for status := range statuses {
		require.Equal(t, s.mix.due[status].Load(), statuses[status], "answers with status %d",
			status)
		if statuses[status] > 0 {
			text += fmt.Sprintf(", %d answers %d", statuses[status], status)
		}
	}
	t.Logf("%v%s", s.duration, text)
	for kind := range crowd.done {
		t.Logf("%d connections: %s", crowd.done[kind].Load(), crowdKinds[kind])
	}
	s.judge(t, atRest)
}

// load is the well-behaved part of the load, a quarter of the time after the other.
func (s *soak) load(t *testing.T) (quarters []*load.Result) {
	for i := range 4 {
		r, err := load.Run(t.Context(), load.Config{
			Addr: s.addr, Requests: s.mix.requests, Conns: 64, Rate: s.rate, Poisson: true,
			Seed: uint64(i), Duration: s.duration / 4,
		})
		require.NoError(t, err)
		require.Empty(t, r.Errors, r.String())
		require.Zero(t, r.Unsent, r.String())
		quarters = append(quarters, r)
	}
	return quarters
}

// reload replaces the prices every few seconds, each time in another way.
func (s *soak) reload(ctx context.Context, t *testing.T) {
	for i := 1; ctx.Err() == nil; i++ {
		rest(ctx, min(5*time.Second, s.duration/8))
		s.replace(t, i)
	}
}

func (s *soak) replace(t *testing.T, i int) {
	want := http.StatusOK
	data := s.good[i%2]
	if i%4 == 3 {
		want, data = http.StatusUnprocessableEntity,
			append(data[:len(data):len(data)], "2030-01-01,AAPL,minus one\n"...)
	}
	if err := moveInto(s.prices, data); err != nil {
		t.Error(err)
	}
	switch i % 4 {
	case 1:
		s.Process.Signal(syscall.SIGHUP)
		return
	case 2:
		return // it is seen
	}
	resp, err := http.Post("http://"+s.admin+"/-/reload", "", nil)
	if err != nil {
		t.Error(err)
		return
	}
	resp.Body.Close()
	if resp.StatusCode != want {
		t.Errorf("reload %d: status %d, want %d", i, resp.StatusCode, want)
	}
}

// watch takes readings, a few hundred in all, and tells twenty times how it goes.
func (s *soak) watch(ctx context.Context, t *testing.T) {
	every := max(100*time.Millisecond, s.duration/600)
	for i := 1; ; i++ {
		rest(ctx, every)
		if ctx.Err() != nil {
			return
		}
		r := s.read(t)
		s.readings = append(s.readings, r)
		if i%30 == 0 {
			t.Logf("after %v: %v", (time.Duration(i) * every).Round(time.Second), r)
		}
	}
}

func (s *soak) read(t *testing.T) (r reading) {
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true},
		Timeout: 10 * time.Second}
	resp, err := client.Get("http://" + s.admin + "/metrics")
	if err != nil {
		t.Error(err)
		return r
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	for name, to := range map[string]*float64{"go_goroutines": &r.goroutines,
		"process_open_fds": &r.descriptors, "go_memstats_next_gc_bytes": &r.live} {
		if *to, err = sampleOf(string(text), name); err != nil {
			t.Error(err)
		}
	}
	r.live /= 2 // GOGC is 100
	usage, err := proc.Of(s.Process.Pid)
	if err != nil {
		t.Error(err)
	}
	r.resident = float64(usage.Memory)
	return r
}

func (s *soak) judge(t *testing.T, atRest reading) {
	t.Logf("at rest before: %v", atRest)
	if s.duration >= time.Minute {
		for _, q := range quantities {
			second, last, grows := q.growth(s.readings)
			t.Logf("%s: %.0f in the second quarter, %.0f in the last: %+.2f %%", q.name, second,
				last, 100*(last/second-1))
			if grows && !raceEnabled {
				t.Errorf("%s: growth beyond %.0f %% and %.0f", q.name, 100*q.share, q.floor)
			}
		}
	}
	var after reading
	eventually(t, 20*time.Second, func() bool {
		after = s.read(t)
		return after.goroutines <= atRest.goroutines+2 && after.descriptors <= atRest.descriptors+2
	})
	t.Logf("at rest after: %v", after)
	_, text := get(t, "http://"+s.admin+"/metrics")
	panics, err := sampleOf(text, "panics_total")
	require.NoError(t, err)
	require.Zero(t, panics)
	for _, result := range []string{"ok", "refused"} {
		n, err := sampleOf(text, fmt.Sprintf("reloads_total{result=%q}", result))
		require.NoError(t, err)
		require.Positive(t, n)
		t.Logf("%.0f reloads %s", n, result)
	}
	require.NotContains(t, text, `code="5`)
	require.NoError(t, s.Process.Signal(syscall.SIGTERM))
	require.Equal(t, 0, s.waitExit(t, 15*time.Second))
}

// hitTickers are those that bench.Hit and bench.Miss ask for.
func hitTickers(t *testing.T) []string {
	set := make(map[string]bool)
	for _, body := range bench.HitBodies() {
		var q struct{ Ticker string }
		require.NoError(t, json.Unmarshal(body, &q))
		set[q.Ticker] = true
	}
	return slices.Sorted(maps.Keys(set))
}
