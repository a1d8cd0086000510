package cli_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
)

// TestAsOfEqualsTheCommand: the answer for a day is what the command forecasts from the prices up
// to it, whatever comes later in the file, with the same digits.
func TestAsOfEqualsTheCommand(t *testing.T) {
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	rng := rand.New(rand.NewPCG(1, 0))
	var days []calendar.Date
	day := calendar.Of(2019, time.January, 2)
	price := []float64{10, 100, 1000}
	for range 1100 {
		day = calendar.Default().Next(day, 1)
		days = append(days, day)
		for k := range price {
			price[k] *= 1 + 0.02*rng.NormFloat64()
			fmt.Fprintf(&b, "%s,T%d,%.4f\n", day, k, price[k])
		}
	}
	path := filepath.Join(t.TempDir(), "prices.csv")
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	p := start(t, "-prices", path)
	for range 12 {
		day := days[40+rng.IntN(len(days)-40)]
		status, out, stderr := runCommand(t, nil, "predict", "-prices", path, "-as-of",
			day.String(), "-days", "30", "-format", "csv", "all")
		require.Equal(t, 0, status, stderr)
		want, err := csv.NewReader(strings.NewReader(out)).ReadAll()
		require.NoError(t, err)
		for k := range price {
			status, body := p.post(t, "/predict",
				fmt.Sprintf(`{"ticker":"T%d","days_ahead":30,"as_of":%q}`, k, day))
			require.Equal(t, http.StatusOK, status, body)
			var rows []struct {
				Date   string
				Price  json.Number `json:"predicted_price"`
				Lower  json.Number `json:"confidence_lower"`
				Upper  json.Number `json:"confidence_upper"`
				Ticker string
			}
			require.NoError(t, json.Unmarshal([]byte(body), &rows))
			for h, row := range rows {
				line := want[1+30*k+h]
				require.Equal(t, []string{row.Ticker, day.String(), row.Date}, line[:3])
				require.Equal(t, line[5:], []string{row.Price.String(), row.Lower.String(),
					row.Upper.String()})
			}
		}
	}
}
