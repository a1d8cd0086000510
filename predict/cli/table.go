package cli

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"tickercast/model/market"
)

// writeTable writes what a person reads: of one ticker what is known and a line for each day, of
// several a line for each ticker, with the intervals side by side. With draw set, the last closes
// of one ticker stand beside it as a line of blocks.
func writeTable(w io.Writer, tickers []*market.Ticker, rows []row, draw bool) error {
	var b strings.Builder
	if len(tickers) == 1 {
		t := tickers[0]
		fmt.Fprintf(&b, "%s  %s on %s", t.Name, price(t.Close, decimalsOf(rows)), t.AsOf)
		if draw && t.Series != nil {
			fmt.Fprintf(&b, "  %s", sparkline(t.Series.Close, 60))
		}
		b.WriteByte('\n')
		writeDays(&b, rows)
	} else {
		writeTickers(&b, tickers, rows)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeDays writes the rows of one ticker, which are in the order of days, levels.
func writeDays(b *strings.Builder, rows []row) {
	levels, decimals := levelsOf(rows), decimalsOf(rows)
	table := [][]string{append([]string{"", "date", "days", "predicted"}, headOf(rows[:levels])...)}
	for day := range slices.Chunk(rows, levels) {
		table = append(table, append([]string{"", day[0].Date, strconv.Itoa(day[0].DaysAhead),
			price(day[0].price, decimals)}, intervals(day, decimals)...))
	}
	align(b, table)
}

// writeTickers writes the last day of each ticker. The rows are in the order of tickers, days,
// levels.
func writeTickers(b *strings.Builder, tickers []*market.Ticker, rows []row) {
	levels, each := levelsOf(rows), len(rows)/len(tickers)
	table := [][]string{append([]string{"ticker", "close", "on", "date", "days", "predicted"},
		headOf(rows[:levels])...)}
	for i, t := range tickers {
		last := rows[(i+1)*each-levels : (i+1)*each]
		decimals := decimalsOf(last)
		table = append(table, append([]string{t.Name, price(t.Close, decimals), last[0].AsOf,
			last[0].Date, strconv.Itoa(last[0].DaysAhead), price(last[0].price, decimals)},
			intervals(last, decimals)...))
	}
	align(b, table)
}

// levelsOf returns how many levels of confidence rows have for each ticker and day.
func levelsOf(rows []row) int {
	n := slices.IndexFunc(rows, func(r row) bool {
		return r.DaysAhead != rows[0].DaysAhead || r.Ticker != rows[0].Ticker
	})
	if n < 0 {
		return len(rows)
	}
	return n
}

func headOf(levels []row) (head []string) {
	for _, r := range levels {
		head = append(head, fmt.Sprintf("%.4g %% within", 100*r.Confidence))
	}
	return head
}

func intervals(levels []row, decimals int) (cells []string) {
	for _, r := range levels {
		cells = append(cells, price(r.lower, decimals)+" - "+price(r.upper, decimals))
	}
	return cells
}

// align writes a table with its first column to the left and the others to the right.
func align(b *strings.Builder, table [][]string) {
	widths := make([]int, len(table[0]))
	for _, line := range table {
		for c, cell := range line {
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	for _, line := range table {
		fmt.Fprintf(b, "%-*s", widths[0], line[0])
		for c, cell := range line[1:] {
			fmt.Fprintf(b, "  %*s", widths[c+1], cell)
		}
		b.WriteByte('\n')
	}
}

// decimalsOf returns with how many decimals to show the prices of some rows: cents, or as many as
// show the distance of the narrowest bounds with two digits and every price with three.
func decimalsOf(rows []row) int {
	decimals := 2
	for _, r := range rows {
		for decimals < 20 && (r.upper-r.lower < math.Pow10(1-decimals) ||
			r.lower < math.Pow10(2-decimals)) {
			decimals++
		}
	}
	return decimals
}

func price(p float64, decimals int) string { return strconv.FormatFloat(p, 'f', decimals, 64) }

// sparkline draws the last n values in eight heights, lowest to highest.
func sparkline(values []float64, n int) string {
	values = values[max(0, len(values)-n):]
	if len(values) == 0 {
		return ""
	}
	low, high := slices.Min(values), slices.Max(values)
	blocks := []rune("▁▂▃▄▅▆▇█")
	var b strings.Builder
	for _, v := range values {
		h := 0.5
		if high > low {
			h = (v - low) / (high - low)
		}
		b.WriteRune(blocks[min(int(h*float64(len(blocks))), len(blocks)-1)])
	}
	return b.String()
}
