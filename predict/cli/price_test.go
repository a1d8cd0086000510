package cli

import (
	"errors"
	"testing"
)

// TestDecimals wants the two ends of an interval told apart at any level of prices.
func TestDecimals(t *testing.T) {
	for _, tt := range []struct {
		lower, upper float64
		want         int
	}{
		{256.2858, 272.2279, 2}, {123456.7, 134567.8, 2}, {1.0251, 1.0387, 3},
		{1.02517, 1.02601, 5}, {0.9925, 1.07, 3}, {0.01234, 0.01299, 5}, {1e-7, 1.2e-7, 9},
		{100, 100, 20}, // which no forecast is
	} {
		rows := []row{{lower: 1, upper: 9}, {lower: tt.lower, upper: tt.upper}}
		if got := decimalsOf(rows); got != tt.want {
			t.Errorf("%v to %v: %d decimals, want %d", tt.lower, tt.upper, got, tt.want)
		}
	}
	if got := price(1.02517, 5); got != "1.02517" {
		t.Errorf("got %q", got)
	}
}

func TestSparkline(t *testing.T) {
	for _, tt := range []struct {
		values []float64
		n      int
		want   string
	}{
		{[]float64{0, 1, 2, 3, 4, 5, 6, 7}, 8, "▁▂▃▄▅▆▇█"},
		{[]float64{9, 9, 1, 2}, 2, "▁█"},
		{[]float64{5, 5}, 60, "▅▅"},
		{nil, 60, ""},
	} {
		if got := sparkline(tt.values, tt.n); got != tt.want {
			t.Errorf("sparkline(%v, %d) = %q, want %q", tt.values, tt.n, got, tt.want)
		}
	}
}

// TestPlainCell: a spreadsheet runs a cell that begins like a formula.
func TestPlainCell(t *testing.T) {
	for cell, want := range map[string]string{"AAPL": "AAPL", "=cmd|calc": "'=cmd|calc",
		"+1": "'+1", "-1": "'-1", "@x": "'@x", "\tx": "'\tx", "^GSPC": "^GSPC", "": "", "é": "é",
		"A;=cmd": "A;'=cmd", "-A;B;@c": "'-A;B;'@c", "＝cmd": "'＝cmd", "BRK-B": "BRK-B", ";": ";"} {
		if got := plainCell(cell); got != want {
			t.Errorf("plainCell(%q) = %q, want %q", cell, got, want)
		}
	}
}

// TestOneLine: an error may name a file whose name a terminal would obey.
func TestOneLine(t *testing.T) {
	for text, want := range map[string]string{
		"é/A.csv: bad": "é/A.csv: bad", "a\nb": "a; b",
		"\x1b[31m\u202e\u009b\x7f\r\t'": `\x1b[31m\u202e\u009b\x7f\r\t'`,
	} {
		if got := oneLine(errors.New(text)); got != want {
			t.Errorf("oneLine(%q) = %q, want %q", text, got, want)
		}
	}
}
