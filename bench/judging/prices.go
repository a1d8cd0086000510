//go:build linux

package main

import (
	"bufio"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"time"

	"tickercast/bench"
)

// writePrices writes random prices of the tickers that the workload asks for, and of more. They end
// in March.
func writePrices(path string, tickers, days int) error {
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	defer f.Close()
	var dates []string
	for day := time.Date(2025, time.March, 14, 0, 0, 0, 0, time.UTC); len(dates) < days; day =
		day.AddDate(0, 0, -1) {
		if w := day.Weekday(); w != time.Saturday && w != time.Sunday {
			dates = append(dates, day.Format(time.DateOnly))
		}
	}
	names := bench.Tickers()
	for len(names) < tickers {
		names = append(names, fmt.Sprintf("Q%d", len(names)))
	}
	w := bufio.NewWriter(f)
	fmt.Fprintln(w, "date,ticker,close")
	rng := rand.New(rand.NewPCG(1, 0))
	for _, name := range names[:tickers] {
		price := 50.0
		for i := range dates {
			price *= math.Exp(0.015 * rng.NormFloat64())
			fmt.Fprintf(w, "%s,%s,%.4f\n", dates[len(dates)-1-i], name, price)
		}
	}
	return w.Flush()
}
