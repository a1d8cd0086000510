package calendar_test

import (
	"bufio"
	"compress/gzip"
	"os"
	"testing"

	"tickercast/model/calendar"
)

// usPrices are files of daily prices of many US tickers.
var usPrices = []string{
	"../../../shared/data/prices_us_1999_2022.csv.gz",
	"../../../shared/data/prices_us_latest.csv.gz",
}

// TestDatesOfPrices takes the files for the record of when the exchange was open.
func TestDatesOfPrices(t *testing.T) {
	for i, path := range usPrices {
		days := []int{5830, 300}[i]
		seen := make(map[calendar.Date]bool)
		first, last := calendar.Date(1<<30), calendar.Date(0)
		for line := range lines(t, path) {
			d, err := calendar.Parse(line[:min(10, len(line))])
			if err != nil {
				continue // the header
			}
			seen[d] = true
			first, last = min(first, d), max(last, d)
			if len(seen) > days || len(seen) == days && string(line[10:12]) > ",C" {
				break // three letters of the alphabet have shown all there is
			}
		}
		if len(seen) != days {
			t.Errorf("%s: %d dates, want %d", path, len(seen), days)
		}
		for d := first; d <= last; d++ {
			if got := calendar.Default().Open(d); got != seen[d] {
				t.Errorf("%s: Open(%v) = %v, prices say %v", path, d, got, seen[d])
			}
		}
		if got := calendar.Default().Between(first-1, last); got != days {
			t.Errorf("%s: Between(%v, %v) = %d, want %d", path, first-1, last, got, days)
		}
	}
}

// lines yields the lines of a gzip file; it skips the test if there is no file.
func lines(t *testing.T, path string) func(func([]byte) bool) {
	f, err := os.Open(path)
	if os.IsNotExist(err) {
		t.Skipf("%s is not here", path)
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	z, err := gzip.NewReader(bufio.NewReader(f))
	if err != nil {
		t.Fatal(err)
	}
	return func(yield func([]byte) bool) {
		in := bufio.NewScanner(z)
		for in.Scan() {
			if !yield(in.Bytes()) {
				return
			}
		}
		if err := in.Err(); err != nil {
			t.Error(err)
		}
	}
}
