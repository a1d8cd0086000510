//go:build linux

package main

import (
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"tickercast/bench/command"
	"tickercast/bench/proc"
)

// TestMain is main if that is called to serve the reference.
func TestMain(m *testing.M) {
	if os.Getenv(referenceAddr) != "" {
		main()
	}
	os.Exit(m.Run())
}

// TestGrowth measures small numbers for a moment: every request must be answered, and a ratio that
// is too large must be an error.
func TestGrowth(t *testing.T) {
	if testing.Short() {
		t.Skip("builds and starts servers")
	}
	if err := proc.CanPin(); err != nil {
		t.Skip(err)
	}
	binary, err := proc.Build(t.Context(), t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	o := options{binary: binary, rounds: 1, count: 500, most: 1e9, tickers: []int{10, 40},
		conns: []int{2, 8}}
	if err := measure(t.Context(), o, &out, io.Discard); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"| 10 tickers |", "| 40 tickers |", "| 2 connections |",
		"| 8 connections |", "| net/http, 8 connections |"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in\n%s", want, &out)
		}
	}
}

func TestReport(t *testing.T) {
	points := []*point{
		{name: "few", cost: []cost{{5, 2}, {10, 2}, {5, 2}}},
		{name: "many", cost: []cost{{6, 3}, {12, 4}, {10, 5}}}, // 1.2, 1.2 and 2 times as much
	}
	var out strings.Builder
	if got := report(&out, points); got != 1.2 || !strings.Contains(out.String(),
		"| many | 10.00 | 4.00 | 1.20 |\n") {
		t.Errorf("got %v and\n%s", got, &out)
	}
}

func TestOptionsRefused(t *testing.T) {
	for _, args := range []string{"-rounds 0", "-count 0", "more"} {
		err := run(t.Context(), strings.Fields(args), io.Discard, io.Discard)
		if !errors.Is(err, command.ErrUsage) {
			t.Errorf("%s: error %v, want a usage error", args, err)
		}
	}
}
