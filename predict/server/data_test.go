package server_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/model/source"
)

// data are what a server loads. They do not change, so many servers can share them.
type data struct {
	model  *model.Model
	market *market.Market
}

// load is for server.Config.Load.
func (d data) load(context.Context) (*calibrate.Yearly, *market.Market, error) {
	return calibrate.Fixed(d.model), d.market, nil
}

func open(src source.Config) (d data, err error) {
	d.model, d.market, err = src.Open(context.Background())
	return d, err
}

// embedded are the data that the binary embeds, opened once.
var embedded = sync.OnceValues(func() (data, error) { return open(source.Config{}) })

func loadEmbedded(ctx context.Context) (*calibrate.Yearly, *market.Market, error) {
	d, err := embedded()
	if err != nil {
		return nil, nil, err
	}
	return d.load(ctx)
}

// pricesCSV are 120 closes of each ticker near a level, so that an answer says which level it was
// made from. Their days are before the year 2000, in which the tests of a bubble begin.
func pricesCSV(level float64, tickers ...string) string {
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	for _, ticker := range tickers {
		day := calendar.Of(1999, 1, 4) // before the time of bubbles begins
		for i := range 120 {
			fmt.Fprintf(&b, "%s,%s,%.4f\n", day, ticker, level*(1+0.01*math.Sin(float64(i*i))))
			day = calendar.Default().Next(day, 1)
		}
	}
	return b.String()
}

// near opens data whose closes of the tickers are near a level.
func near(t testing.TB, level float64, tickers ...string) data {
	t.Helper()
	path := filepath.Join(t.TempDir(), "prices.csv")
	replaceFile(t, path, pricesCSV(level, tickers...))
	d, err := open(source.Config{Prices: path})
	require.NoError(t, err)
	return d
}

// replaceFile puts text at path at once, as an operator's mv does. The file is as old as the test's
// clock says, so that a server sees the change whatever the resolution of the file system.
func replaceFile(t testing.TB, path, text string) {
	t.Helper()
	next := path + ".next"
	require.NoError(t, os.WriteFile(next, []byte(text), 0o600))
	now := time.Now()
	require.NoError(t, os.Chtimes(next, now, now))
	require.NoError(t, os.Rename(next, path))
}

// tempFile writes a file of the test's own.
func tempFile(t testing.TB, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	replaceFile(t, path, text)
	return path
}

// A prediction is a row of an answer.
type prediction struct {
	Ticker string  `json:"ticker"`
	Price  float64 `json:"predicted_price"`
	Lower  float64 `json:"confidence_lower"`
	Upper  float64 `json:"confidence_upper"`
}

func decodeRows(t testing.TB, body string) (rows []prediction) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(body), &rows), "body %q", body)
	return rows
}

// priceOf asks a server for a ticker tomorrow.
func (r *running) priceOf(ticker string) float64 {
	r.tb.Helper()
	status, body := r.public.post(r.tb, "/predict", fmt.Sprintf(`{"ticker":%q}`, ticker))
	require.Equal(r.tb, 200, status, body)
	return decodeRows(r.tb, body)[0].Price
}
