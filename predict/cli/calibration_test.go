package cli_test

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
)

// calibration is what GET /model of a server says once it has judged itself.
func (p *process) calibration(t *testing.T) (c map[string]any) {
	t.Helper()
	eventually(t, 2*time.Minute, func() bool {
		_, body := get(t, "http://"+p.addr+"/model")
		var m struct{ Calibration map[string]any }
		require.NoError(t, json.Unmarshal([]byte(body), &m))
		c = m.Calibration
		return c["forecasts"] != 0.0
	})
	return c
}

// requireSameCalibration compares what a server says of prices with what the command does.
func requireSameCalibration(t *testing.T, prices ...string) {
	t.Helper()
	p := start(t, append([]string{"-calibration-days", "120"}, prices...)...)
	want := p.calibration(t)
	require.NoError(t, p.Process.Kill())
	status, out, stderr := runCommand(t, nil, append([]string{"evaluate", "-garch=false",
		"-format", "json", "-every", "1", "-from", want["from"].(string),
		"-to", want["to"].(string)}, prices...)...)
	require.Equal(t, 0, status, stderr)
	var e struct{ Calibration map[string]any }
	require.NoError(t, json.Unmarshal([]byte(out), &e))
	require.Equal(t, want, e.Calibration)
	require.Len(t, want["levels"], 16)
}

// TestCalibrationEqualsEvaluate compares every number for the embedded prices, and for random
// prices cut at three dates. With TICKERCAST_LONG_PRICES, a gzip file of long prices, it also cuts
// those.
func TestCalibrationEqualsEvaluate(t *testing.T) {
	if testing.Short() {
		t.Skip("servers and evaluations")
	}
	t.Run("embedded", func(t *testing.T) { requireSameCalibration(t) })
	random := filepath.Join(t.TempDir(), "random.csv.gz")
	replaceFile(t, random, gzipped(t, auditCSV(3)))
	cut := func(t *testing.T, path string, dates ...calendar.Date) {
		for _, date := range dates {
			t.Run(fmt.Sprintf("%s until %s", filepath.Base(path), date), func(t *testing.T) {
				requireSameCalibration(t, "-prices", cutFile(t, path, date))
			})
		}
	}
	cut(t, random, calendar.Of(2021, time.February, 26), calendar.Of(2022, time.July, 1),
		calendar.Of(2023, time.March, 3))
	t.Run("long", func(t *testing.T) {
		path := os.Getenv("TICKERCAST_LONG_PRICES")
		if path == "" {
			t.Skip("no TICKERCAST_LONG_PRICES")
		}
		cut(t, path, calendar.Of(2009, time.March, 31), calendar.Of(2016, time.June, 30),
			calendar.Of(2022, time.December, 30))
	})
}

// cutFile copies the rows up to a date of a gzip file whose rows begin with a date.
func cutFile(t *testing.T, path string, last calendar.Date) string {
	t.Helper()
	in, err := os.Open(path)
	require.NoError(t, err)
	defer in.Close()
	plain, err := gzip.NewReader(in)
	require.NoError(t, err)
	to := filepath.Join(t.TempDir(), "cut.csv")
	out, err := os.Create(to)
	require.NoError(t, err)
	defer out.Close()
	w := bufio.NewWriter(out)
	lines := bufio.NewScanner(plain)
	for first := true; lines.Scan(); first = false {
		line := lines.Text()
		if first || line[:min(len(line), 10)] <= last.String() {
			_, err := fmt.Fprintln(w, line)
			require.NoError(t, err)
		}
	}
	require.NoError(t, lines.Err())
	require.NoError(t, w.Flush())
	return to
}
