package cli_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
)

// auditCSV has tickers of four years, of which T2 ends a year before the others.
func auditCSV(seed uint64) []byte {
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	rng := rand.New(rand.NewPCG(seed, 0))
	for k := range 3 {
		day, price := calendar.Of(2019, time.January, 2), 50.0
		for i := range 1100 {
			day = calendar.Default().Next(day, 1)
			price *= 1 + 0.02*rng.NormFloat64()
			if k < 2 || i < 800 {
				fmt.Fprintf(&b, "%s,T%d,%.4f\n", day, k, price)
			}
		}
	}
	return []byte(b.String())
}

// A logLine is what the access log says of a forecast.
type logLine struct {
	Path       string
	Ticker     string
	Days       int     `json:"days_ahead"`
	Confidence float64 `json:"confidence_interval"`
	Levels     []float64
	AsOf       string `json:"as_of"`
	Model      string `json:"model_version"`
	Prices     string
}

// TestAudit makes answers again from lines of the access log and the files of their time, to the
// byte, as the documentation says: before and after a reload of other prices.
func TestAudit(t *testing.T) {
	if testing.Short() {
		t.Skip("a server and many commands")
	}
	dir := t.TempDir()
	served := filepath.Join(dir, "prices.csv")
	archive := map[string]string{} // of files, by what the command says that stands for them
	archived := func(name string, seed uint64) {
		path := filepath.Join(dir, name)
		replaceFile(t, path, auditCSV(seed))
		status, sum, stderr := runCommand(t, nil, "check", "-prices", path, "-format", "sum")
		require.Equal(t, 0, status, stderr)
		archive[strings.TrimSpace(sum)] = path
	}
	archived("monday.csv", 1)
	archived("tuesday.csv", 2)
	replaceFile(t, served, auditCSV(1))
	r, w, err := os.Pipe()
	require.NoError(t, err)
	defer r.Close()
	p := startWith(t, w, "-prices", served, "-access-log", "all")
	w.Close()
	log := bufio.NewScanner(r)

	// reproduce runs the command for a line and the request of a client.
	reproduce := func(l logLine, ticker string, days int, confidence float64, levels []float64,
		asOf string) string {
		path, ok := archive[l.Prices]
		require.True(t, ok, "no file is %s", l.Prices)
		list := strconv.FormatFloat(confidence, 'g', -1, 64)
		for _, level := range levels {
			list += "," + strconv.FormatFloat(level, 'g', -1, 64)
		}
		status, answer, stderr := runCommand(t, nil, "predict", "-prices", path, "-as-of", asOf,
			"-days", strconv.Itoa(days), "-confidence", list, "-format", "answer", ticker)
		require.Equal(t, 0, status, stderr)
		require.Contains(t, answer, `"model_version":"`+l.Model+`"`)
		return answer
	}
	next := func() (l logLine) {
		require.True(t, log.Scan(), "the log ended: %v", log.Err())
		require.NoError(t, json.Unmarshal(log.Bytes(), &l), log.Text())
		return l
	}
	seen := map[string]bool{}
	for round := range 2 {
		for _, c := range []struct{ method, path, body string }{
			{"POST", "/predict", `{"ticker":"T0","days_ahead":5}`},
			{"POST", "/predict", `{"ticker":"T0","days_ahead":5}`}, // from the cache
			{"POST", "/predict", `{"ticker":"t1","confidence_interval":0.8123}`},
			{"POST", "/predict", `{"ticker":"T2","days_ahead":30}`}, // whose last close is old
			{"POST", "/predict", `{"ticker":"T0","levels":[0.99,0.85]}`},
			{"POST", "/predict", `{"ticker":"T1","days_ahead":30,"as_of":"2021-11-13"}`},
			{"POST", "/predict", `{"ticker":"T2","as_of":"2023-01-15","levels":[0.8]}`},
			{"GET", "/predict/T0?days_ahead=7&confidence_interval=0.9", ""},
			{"GET", "/predict/T1?as_of=2020-06-01", ""},
			{"GET", "/predict/T2?as_of=2022-02-28&days_ahead=3", ""},
		} {
			resp, want := ask(t, c.method, "http://"+p.addr+c.path, c.body)
			require.Equal(t, http.StatusOK, resp.StatusCode, want)
			l := next()
			seen[l.Prices] = true
			require.Equal(t, want, reproduce(l, l.Ticker, l.Days, l.Confidence, l.Levels, l.AsOf),
				"%+v: %+v", c, l)
		}
		// The line of a batch has what all of its items share.
		_, body := p.post(t, "/predict/batch", `{"requests":[{"ticker":"T0","days_ahead":2},
			{"ticker":"T2"},{"ticker":"T1","as_of":"2021-06-01"}]}`)
		var batch struct {
			Results []struct{ Predictions json.RawMessage }
		}
		require.NoError(t, json.Unmarshal([]byte(body), &batch))
		l := next()
		for i, item := range []struct {
			ticker string
			days   int
			asOf   string
		}{{"T0", 2, l.AsOf}, {"T2", 1, l.AsOf}, {"T1", 1, "2021-06-01"}} {
			require.Equal(t, string(batch.Results[i].Predictions),
				reproduce(l, item.ticker, item.days, 0.95, nil, item.asOf))
		}
		if round == 0 {
			replaceFile(t, served, auditCSV(2))
			resp, text := ask(t, "POST", "http://"+p.admin+"/-/reload", "")
			require.Equal(t, http.StatusOK, resp.StatusCode, text)
		}
	}
	require.Len(t, seen, 2, "both files were served")
}

// TestAnswerFormat refuses what is no single answer.
func TestAnswerFormat(t *testing.T) {
	for _, tickers := range [][]string{{"all"}, {"AAPL", "MSFT"}} {
		status, _, stderr := runCommand(t, nil, append([]string{"predict", "-format", "answer"},
			tickers...)...)
		require.Equal(t, 2, status)
		require.Contains(t, stderr, "one ticker")
	}
	status, _, stderr := runCommand(t, nil, "predict", "-format", "answer", "NOPE")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, `unknown ticker "NOPE"`)
}
