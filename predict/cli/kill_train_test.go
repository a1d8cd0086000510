package cli_test

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model"
	"tickercast/model/calendar"
)

// TestKilledTraining kills `tickercast train` with SIGKILL at moments of a seeded choice, half of
// them aimed at the write of the weights. What is at the path then is what was there before, or the
// new weights whole; a server starts with it; and what killed writers leave does not add up.
//
// TICKERCAST_KILLS=200 kills so many.
func TestKilledTraining(t *testing.T) {
	t.Parallel()
	if raceEnabled {
		t.Skip("a training takes ten times as long, and dies no other way")
	}
	kills, _ := rounds(t, "TICKERCAST_KILLS", 2)
	dir := t.TempDir()
	prices := filepath.Join(dir, "prices.csv")
	replaceFile(t, prices, panelCSV(100, 1100, numbered(70))) // little more than a fit needs
	old, err := os.ReadFile("../../model/weights.bin")
	require.NoError(t, err)
	first := trained(t, prices, filepath.Join(dir, "first.bin"), 1)
	out := filepath.Join(dir, "out", "my.bin")
	require.NoError(t, os.Mkdir(filepath.Dir(out), 0o755))

	rnd := rand.New(rand.NewPCG(2, 0))
	fresh := map[uint64][]byte{1: first.weights} // by seed; the same seed must give the same
	var absent, kept, replaced, leftovers int
	for i := range kills {
		before := old
		if i%4 == 3 {
			before = nil
			require.NoError(t, os.RemoveAll(out))
		} else {
			replaceFile(t, out, old)
		}
		seed := 1 + rnd.Uint64N(2)
		k := startTraining(t, prices, out, seed)
		if rnd.IntN(2) == 0 {
			k.waitFor(time.Duration(rnd.Int64N(int64(first.took))))
		} else {
			k.waitForWrite(filepath.Dir(out), first.took/4)
			// most of a write is done in 0.1 ms
			spin(time.Duration(500e3 * math.Pow(rnd.Float64(), 3)))
		}
		k.kill(t)

		after, err := os.ReadFile(out)
		switch {
		case os.IsNotExist(err):
			require.Nil(t, before, "round %d: what was there is gone", i)
			absent++
		case bytes.Equal(after, before):
			kept++
		default:
			require.NoError(t, err)
			_, err := model.Parse(after)
			require.NoError(t, err, "round %d: a broken file", i)
			if want, ok := fresh[seed]; ok {
				require.Equal(t, want, after, "round %d: not what this seed gives", i)
			}
			fresh[seed] = after
			replaced++
		}
		left := leftoversOf(t, out)
		require.LessOrEqual(t, len(left), 1, "they add up")
		for _, path := range left {
			leftovers++
			past := time.Now().Add(-2 * time.Minute) // the next to write finds it an old one
			require.NoError(t, os.Chtimes(path, past, past))
		}
		if after != nil && (i%10 == 0 || len(left) > 0) {
			p := start(t, "-weights", out)
			status, body := p.post(t, "/predict", `{"ticker":"AAPL"}`)
			require.Equal(t, 200, status, body)
			require.NoError(t, p.Process.Kill())
		}
	}
	trained(t, prices, out, 1)
	require.Empty(t, leftoversOf(t, out), "one that is not killed leaves nothing of others either")
	t.Logf("%d kills of a training of %v: no file %d times, the old one %d, the new one %d, "+
		"never a broken one; %d left a temporary file",
		kills, first.took.Round(time.Millisecond), absent, kept, replaced, leftovers)
}

// panelCSV makes prices that walk at random from a level, the same each time.
func panelCSV(level float64, days int, tickers []string) []byte {
	rnd := rand.New(rand.NewPCG(3, 0))
	b := []byte("date,ticker,close\n")
	for _, ticker := range tickers {
		day, price := calendar.Of(2018, 1, 2), level
		for range days {
			price *= math.Exp(0.015 * rnd.NormFloat64())
			b = fmt.Appendf(b, "%s,%s,%.4f\n", day, ticker, price)
			day = calendar.Default().Next(day, 1)
		}
	}
	return b
}

// numbered are tickers T00, T01 and so on.
func numbered(n int) (tickers []string) {
	for i := range n {
		tickers = append(tickers, fmt.Sprintf("T%02d", i))
	}
	return tickers
}

func leftoversOf(t *testing.T, path string) (left []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Dir(path))
	require.NoError(t, err)
	for _, e := range entries {
		if e.Name() != filepath.Base(path) {
			left = append(left, filepath.Join(filepath.Dir(path), e.Name()))
		}
	}
	return left
}

// A training is a running `tickercast train`.
type training struct {
	*exec.Cmd
	began  time.Time
	exited chan struct{}
	stderr bytes.Buffer
}

func startTraining(t *testing.T, prices, out string, seed uint64) *training {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	k := &training{Cmd: exec.Command(exe, "train", "-prices", prices, "-out", out, "-seed",
		strconv.FormatUint(seed, 10)), exited: make(chan struct{})}
	k.Env = environment()
	k.Stderr = &k.stderr
	k.began = time.Now()
	require.NoError(t, k.Start())
	go func() {
		k.Wait()
		close(k.exited)
	}()
	t.Cleanup(func() { k.Process.Kill() })
	return k
}

type trainingResult struct {
	weights []byte
	took    time.Duration
}

// trained runs a training to its end.
func trained(t *testing.T, prices, out string, seed uint64) trainingResult {
	t.Helper()
	k := startTraining(t, prices, out, seed)
	<-k.exited
	took := time.Since(k.began)
	require.Equal(t, 0, k.ProcessState.ExitCode(), k.stderr.String())
	weights, err := os.ReadFile(out)
	require.NoError(t, err)
	return trainingResult{weights, took}
}

// waitFor waits for d, but not beyond the end of the training.
func (k *training) waitFor(d time.Duration) {
	select {
	case <-k.exited:
	case <-time.After(d):
	}
}

// spin waits for less than a timer can.
func spin(d time.Duration) {
	for began := time.Now(); time.Since(began) < d; {
	}
}

// waitForWrite waits until there is a temporary file in dir, other than the one by which a training
// begins to see that it can write, or until the training has ended.
func (k *training) waitForWrite(dir string, atLeast time.Duration) {
	for k.waitFor(atLeast); ; {
		select {
		case <-k.exited:
			return
		default:
		}
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if strings.HasSuffix(e.Name(), ".tmp") {
				return
			}
		}
	}
}

func (k *training) kill(t *testing.T) {
	t.Helper()
	k.Process.Kill() // an error: it has ended
	select {
	case <-k.exited:
	case <-time.After(10 * time.Second):
		t.Fatal("still there after SIGKILL")
	}
}
