package cli_test

import (
	"context"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEvaluate(t *testing.T) {
	prices := twoTickers(t, 120)
	plot := filepath.Join(t.TempDir(), "scores.svg")
	args := []string{"evaluate", "-prices", prices, "-from", "2024-03-18", "-every", "10",
		"-garch=false"}
	status, table, stderr := runCommand(t, nil, append(args, "-plot", plot)...)
	require.Equal(t, 0, status, stderr)
	require.Empty(t, stderr, "progress is for terminals")
	require.Contains(t, strings.ToLower(table), "coverage")
	require.NotContains(t, table, "NaN", "what a short panel cannot tell is a dash")

	svg, err := os.Open(plot)
	require.NoError(t, err)
	defer svg.Close()
	for d := xml.NewDecoder(svg); ; {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			break
		} else {
			require.NoError(t, err)
		}
	}

	status, js, stderr := runCommand(t, nil, append(args, "-format", "json")...)
	require.Equal(t, 0, status, stderr)
	var result struct {
		Model   string
		Tickers int
		Methods []struct{ Name string }
	}
	require.NoError(t, json.Unmarshal([]byte(js), &result))
	require.Equal(t, 2, result.Tickers)
	require.GreaterOrEqual(t, len(result.Methods), 2)

	status, short, stderr := runCommand(t, nil, append(args, "-format", "scores")...)
	require.Equal(t, 0, status, stderr)
	var scores struct {
		Model    string             `json:"model_version"`
		Ratios   map[string]float64 `json:"pinball_loss_ratio"`
		Coverage []struct{ Confidence, Mean, Worst float64 }
	}
	require.NoError(t, json.Unmarshal([]byte(short), &scores))
	require.Equal(t, result.Model, scores.Model)
	require.Len(t, scores.Ratios, len(result.Methods)-1)
	for _, c := range scores.Coverage {
		require.LessOrEqual(t, math.Abs(c.Mean-c.Confidence), math.Abs(c.Worst-c.Confidence)+1e-4)
	}

	status, _, stderr = runCommand(t, nil, "evaluate", "-prices", prices, "-from", "2025-01-01")
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "2025-01-01")
}

func TestTrainRefusesTooLittle(t *testing.T) {
	out := filepath.Join(t.TempDir(), "weights.bin")
	status, _, stderr := runCommand(t, nil, "train", "-prices", twoTickers(t, 120), "-out", out)
	require.Equal(t, 1, status)
	require.Contains(t, stderr, "too few")
	require.NoFileExists(t, out)
}

func TestWorkStartsOnlyWhereItsResultCanGo(t *testing.T) {
	prices := twoTickers(t, 120)
	for _, args := range [][]string{
		{"train", "-prices", prices, "-out", "no/such/folder/weights.bin"},
		{"evaluate", "-prices", prices, "-plot", "no/such/folder/plot.svg"},
	} {
		status, _, stderr := runCommand(t, nil, args...)
		require.Equal(t, 1, status)
		require.Contains(t, stderr, "no/such/folder")
	}
}

func TestInterruptedWork(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var stderr strings.Builder
	status := runWith(ctx, nil, io.Discard, &stderr, "evaluate", "-prices", twoTickers(t, 120))
	require.Equal(t, 130, status)
	require.Equal(t, "tickercast evaluate: interrupted; nothing was written\n", stderr.String())
}
