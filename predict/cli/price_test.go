package cli

import (
	"errors"
	"testing"
)

func TestPrice(t *testing.T) {
	for p, want := range map[float64]string{264.353: "264.35", 1234567.891: "1234567.89", 1: "1.00",
		0.012345: "0.01235", 1e-7: "1e-07"} {
		if got := price(p); got != want {
			t.Errorf("price(%v) = %q, want %q", p, got, want)
		}
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
