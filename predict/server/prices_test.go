package server_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
	"tickercast/predict/server"
)

// closesUntil are 40 closes of a ticker, the last on a day.
func closesUntil(last calendar.Date, ticker string) string {
	var b strings.Builder
	c := calendar.Default()
	day := c.Floor(last - 70)
	for c.Between(day, last) >= 40 {
		day = c.Next(day, 1)
	}
	for ; day < last; day = c.Next(day, 1) {
		fmt.Fprintf(&b, "%s,%s,%d\n", c.Next(day, 1), ticker, 100+day%3)
	}
	return b.String()
}

// TestMaxPriceAge serves prices that no one replaces. The bubble begins on 2000-01-01, a Saturday.
func TestMaxPriceAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const header = "date,ticker,close\n"
		path := tempFile(t, "prices.csv", header+closesUntil(calendar.Of(1999, 12, 31), "ACME"))
		r := start(t, inMemory(), func(c *server.Config) {
			from(path)(c)
			c.Watch, c.MaxPriceAge = nil, 2
		})
		age := func(day, hour int) string {
			t.Helper()
			time.Sleep(time.Until(time.Date(2000, 1, day, hour, 0, 0, 0, time.UTC)))
			return r.metric("market_age_sessions")
		}
		ready := func(want int, body string) {
			t.Helper()
			for _, p := range []port{r.public, r.admin} {
				status, got := p.get(t, "/readyz")
				require.Equal(t, want, status, got)
				require.Equal(t, body, got)
			}
		}
		const fine = `{"status":"ready","reasons":[]}`
		require.Equal(t, "0", age(3, 20), "Monday's session has not closed")
		require.Equal(t, "1", age(3, 22))
		require.Equal(t, "2", age(4, 22))
		ready(200, fine)
		require.Equal(t, "3", age(5, 22))
		ready(503, `{"status":"not ready","reasons":["prices: older than 2 trading days"]}`)
		status, _ := r.public.post(t, "/predict", `{"ticker":"ACME"}`)
		require.Equal(t, 200, status, "it still answers who asks")
		replaceFile(t, path, header+closesUntil(calendar.Of(2000, 1, 5), "ACME"))
		r.hangUp()
		ready(200, fine)
	})
}

// TestPriceWarnings wants doubtful prices in the log and in a metric, at start and at a reload.
func TestPriceWarnings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const header = "date,ticker,close\n"
		last := calendar.Of(1999, 12, 31)
		path := tempFile(t, "prices.csv", header+closesUntil(last, "ACME")+
			closesUntil(last, "BETA")+closesUntil(calendar.Of(1999, 6, 30), "GONE")+
			"1999-12-25,ACME,500\n1999-12-26,ACME,510\n1999-12-31,FEW,7\n")
		r := start(t, inMemory(), from(path))
		counts := func(want map[string]int) {
			t.Helper()
			for _, kind := range []string{"closed_days", "ended", "jumps", "short", "back",
				"vanished"} {
				got := r.metric(`tickercast_price_warnings{kind="` + kind + `"}`)
				require.Equal(t, fmt.Sprint(want[kind]), got, kind)
			}
		}
		counts(map[string]int{"closed_days": 2, "ended": 1, "jumps": 2, "short": 1})
		for _, want := range []string{
			`"kind":"closed_days","count":2,"first":"ACME 1999-12-25"`,
			`"kind":"jumps","count":2,"first":"ACME 1999-12-25"`,
			`"kind":"ended","count":1,"first":"GONE 1999-06-30"`,
			`"kind":"short","count":1,"first":"FEW`,
		} {
			require.Equal(t, 1, strings.Count(r.log.String(), want), want)
		}
		replaceFile(t, path, header+closesUntil(last-7, "ACME")+closesUntil(last, "NEW"))
		r.hangUp()
		counts(map[string]int{"back": 1, "vanished": 2})
		require.Contains(t, r.log.String(), `"level":"WARN"`)
		require.Contains(t, r.log.String(),
			`"kind":"back","count":1,"first":"ACME 1999-12-31 -> 1999-12-27"`)
		require.Contains(t, r.log.String(), `"kind":"vanished","count":2,"first":"BETA"`)
		require.NotContains(t, r.metrics(), path)
		r.hangUp()
		counts(nil)
	})
}
