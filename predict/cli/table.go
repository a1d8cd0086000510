package cli

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"tickercast/model/market"
)

// writeTable writes a block for each ticker: what is known, then a line a day with the intervals
// side by side. With draw set the last closes stand beside the ticker as a line of blocks.
func writeTable(w io.Writer, tickers []*market.Ticker, rows []row, draw bool) error {
	var b strings.Builder
	for i, t := range tickers {
		mine := rows[i*len(rows)/len(tickers) : (i+1)*len(rows)/len(tickers)]
		if i > 0 {
			b.WriteByte('\n')
		}
		fmt.Fprintf(&b, "%s  %s on %s", t.Name, price(t.Close), t.AsOf)
		if draw && t.Series != nil {
			fmt.Fprintf(&b, "  %s", sparkline(t.Series.Close, 60))
		}
		b.WriteByte('\n')
		writeBlock(&b, mine)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// writeBlock writes the rows of one ticker, which are in the order of days, levels.
func writeBlock(b *strings.Builder, rows []row) {
	levels := slices.IndexFunc(rows, func(r row) bool { return r.DaysAhead != rows[0].DaysAhead })
	if levels < 0 {
		levels = len(rows)
	}
	table := [][]string{{"date", "days", "predicted"}}
	for _, r := range rows[:levels] {
		table[0] = append(table[0], fmt.Sprintf("%.4g %% within", 100*r.Confidence))
	}
	for day := range slices.Chunk(rows, levels) {
		line := []string{day[0].Date, fmt.Sprint(day[0].DaysAhead), price(day[0].Price)}
		for _, r := range day {
			line = append(line, price(r.Lower)+" - "+price(r.Upper))
		}
		table = append(table, line)
	}
	for _, line := range table {
		for c, cell := range line {
			width := len(slices.MaxFunc(table,
				func(x, y []string) int { return cmp.Compare(len(x[c]), len(y[c])) })[c])
			fmt.Fprintf(b, "  %*s", width, cell)
		}
		b.WriteByte('\n')
	}
}

// price writes cents, or four digits of what is below one.
func price(p float64) string {
	if p < 1 {
		return fmt.Sprintf("%.4g", p)
	}
	return fmt.Sprintf("%.2f", p)
}

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
