package cli_test

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
)

// pricesOn writes a file of closes of tickers, given as NAME=CALENDAR or NAME=N for a row every N
// days, over the three years up to 2026-02-18.
func pricesOn(t *testing.T, tickers ...string) string {
	t.Helper()
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	end := calendar.Of(2026, 2, 18)
	for _, spec := range tickers {
		name, on, _ := strings.Cut(spec, "=")
		c, ok := calendar.Lookup(on)
		step := 0
		if !ok {
			_, err := fmt.Sscan(on, &step)
			require.NoError(t, err)
		}
		for d := end - 3*365; d <= end; d++ {
			if ok && c.Open(d) || step > 0 && (end-d)%calendar.Date(step) == 0 {
				fmt.Fprintf(&b, "%s,%s,%.3f\n", d, name, 50+math.Sin(float64(d*d)))
			}
		}
	}
	path := filepath.Join(t.TempDir(), "prices.csv")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	return path
}

func TestPredictSaysTheCalendar(t *testing.T) {
	prices := pricesOn(t, "ACME=XNYS", "BTC=24/7", "VOD.L=XLON", "WEEK=7")
	dates := func(args ...string) (all []string) {
		status, out, stderr := runCommand(t, nil, append([]string{"predict", "-prices", prices,
			"-format", "json", "-days", "1"}, args...)...)
		require.Equal(t, 0, status, stderr)
		require.Regexp(t, `^prices end 2026-02-18, \d+ trading days ago\n$`, stderr)
		var rows []struct{ Ticker, Calendar, Date string }
		require.NoError(t, json.Unmarshal([]byte(out), &rows))
		for _, r := range rows {
			all = append(all, r.Ticker+" "+r.Calendar+" "+r.Date)
		}
		return all
	}
	require.Equal(t, []string{"ACME XNYS 2026-02-19", "BTC 24/7 2026-02-19",
		"VOD.L XLON 2026-02-19"}, dates("all"))
	require.Equal(t, []string{"VOD.L XTKS 2026-02-19"}, dates("-calendar", "xtks", "vod"))
	require.Equal(t, []string{"ACME XSHG 2026-02-24"}, dates("-calendar", "XSHE", "ACME"))

	status, _, stderr := runCommand(t, nil, "predict", "-prices", prices, "WEEK")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, `ticker "WEEK": rows are 7 days apart: not daily prices`)
	// No age is told of a day that was asked for.
	_, _, stderr = runCommand(t, nil, "predict", "-prices", prices, "-as-of", "2025-12-31", "BTC")
	require.Empty(t, stderr)
}

func TestUnknownCalendars(t *testing.T) {
	for _, command := range []string{"serve", "predict", "evaluate", "train"} {
		status, _, stderr := runCommand(t, nil, command, "-calendar", "XLOM")
		require.Equal(t, 2, status, command)
		require.Contains(t, stderr, `unknown calendar "XLOM", did you mean "XLON"?`)
		_, help, _ := runCommand(t, nil, "help", command)
		require.Contains(t, help, "-calendar name")
	}
	status, _, stderr := runCommand(t, map[string]string{"TICKERCAST_CALENDAR": "nyse"}, "serve")
	require.Equal(t, 2, status)
	require.Contains(t, stderr, `TICKERCAST_CALENDAR="nyse": unknown calendar "nyse"`)
}

func TestEvaluateJudgesEachCalendar(t *testing.T) {
	args := []string{"evaluate", "-garch=false", "-format", "json", "-prices"}
	run := func(prices string) (tickers int, refused []string) {
		status, out, stderr := runCommand(t, nil, append(args, prices)...)
		require.Equal(t, 0, status, stderr)
		var e struct {
			Tickers int
			Refused []struct{ Ticker, Kind, Reason string }
		}
		require.NoError(t, json.Unmarshal([]byte(out), &e))
		for _, r := range e.Refused {
			refused = append(refused, r.Ticker+": "+r.Reason)
			require.Contains(t, stderr, fmt.Sprintf("left out %q: %s\n", r.Ticker, r.Reason))
		}
		return e.Tickers, refused
	}
	tickers, refused := run(pricesOn(t, "ACME=XNYS", "BTC=24/7", "MONTH=30", "WEEK=7"))
	require.Equal(t, 2, tickers)
	require.Equal(t, []string{"MONTH: rows are 30 days apart: not daily prices",
		"WEEK: rows are 7 days apart: not daily prices"}, refused)

	weekly := pricesOn(t, "WEEK=7")
	for _, command := range []string{"evaluate", "train"} {
		out := filepath.Join(t.TempDir(), "w.bin")
		args := []string{command, "-prices", weekly}
		if command == "train" {
			args = append(args, "-out", out)
		}
		status, _, stderr := runCommand(t, nil, args...)
		require.Equal(t, 1, status, command)
		require.Contains(t, stderr, `"WEEK": rows are 7 days apart: not daily prices`)
	}
}
