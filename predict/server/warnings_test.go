package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/model/source"
	"tickercast/predict/server"
)

// TestPricesAreWarnedOf serves prices with a jump, an ended ticker and weekly rows, then fewer.
// The log has a line for each kind, at the start and at a reload.
func TestPricesAreWarnedOf(t *testing.T) {
	odd := pricesCSV(100, "ACME", "BETA", "RELIANCE.NSE", "SOMETHINGLONG")
	var week strings.Builder
	for i := range 40 {
		fmt.Fprintf(&week, "%s,WEEK,100\n", calendar.Of(2023, 9, 1)+calendar.Date(7*i))
	}
	for day := calendar.Of(1999, 6, 1); day < calendar.Of(1999, 6, 15); day++ {
		fmt.Fprintf(&week, "%s,FEW,100\n%s,FEWER,100\n", day, day)
	}
	lines := strings.SplitAfter(odd, "\n")
	end, err := calendar.Parse(lines[119][:len("2006-01-02")])
	require.NoError(t, err)
	for i := range lines {
		if strings.Contains(lines[i], ",BETA,") && i > 120+60 {
			lines[i] = "" // BETA ends early
		}
		if strings.HasPrefix(lines[i], end.String()+",ACME") {
			lines[i] = end.String() + ",ACME,9999\n"
		}
	}
	openText := func(text string) data {
		d, err := open(source.Config{Prices: tempFile(t, "prices.csv", text)})
		require.NoError(t, err)
		return d
	}
	first, second := openText(strings.Join(lines, "")+week.String()),
		openText(pricesCSV(100, "ACME"))
	synctest.Test(t, func(t *testing.T) {
		load := first.load
		r := start(t, inMemory(), func(c *server.Config) {
			c.Load = func(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
				return load(ctx)
			}
		})
		synctest.Wait()
		for _, want := range []string{
			`"msg":"2 closes move by more than x3 in a day (first: ACME ` + end.String() +
				`)","kind":"jumps","count":2`,
			`"msg":"1 tickers end more than 20 trading days before the last row (first: BETA 1999-0`,
			`(first: WEEK: rows are 7 days apart: not daily prices)","kind":"not_daily","count":1`,
			`"first":"WEEK: rows are 7 days apart: not daily prices","names":["WEEK"]`,
			`"msg":"2 tickers left out with too few closes`,
			`"names":["FEW","FEWER"]`,
			// RELIANCE.NSE can be asked for as RELIANCE.
			`names too long to be asked for over HTTP","tickers":1`,
		} {
			require.Contains(t, r.log.String(), want)
		}
		for range 2 {
			status, body := r.public.post(t, "/predict", `{"ticker":"WEEK"}`)
			require.Equal(t, 404, status)
			require.Equal(t, `{"detail":"Unknown ticker 'WEEK'"}`, body)
		}
		require.Equal(t, 1, strings.Count(r.log.String(),
			`"ticker":"WEEK","reason":"rows are 7 days`))
		load = second.load
		status, body := r.admin.post(t, "/-/reload", "")
		require.Equal(t, 200, status, body)
		require.Contains(t, r.log.String(),
			`"msg":"3 tickers are served no more (first: BETA)","kind":"vanished","count":3`)
		load = first.load
		r.admin.post(t, "/-/reload", "")
		require.Equal(t, 2, strings.Count(r.log.String(), `"kind":"jumps"`))
	})
}
