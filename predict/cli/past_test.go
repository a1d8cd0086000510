package cli_test

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model/calendar"
)

// TestAsOfEqualsTheCommand: the answer for a day is what the command forecasts from the prices up
// to it, to the byte, whatever comes later in the file.
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
	pairs := 1000
	switch {
	case testing.Short():
		pairs = 8
	case raceEnabled:
		pairs = 60
	}
	for range pairs {
		day, ticker := days[40+rng.IntN(len(days)-40)], fmt.Sprintf("T%d", rng.IntN(len(price)))
		ahead, confidence := 1+rng.IntN(30), fmt.Sprintf("0.%d", 80+rng.IntN(20))
		status, want, stderr := runCommand(t, nil, "predict", "-prices", path, "-as-of",
			day.String(), "-days", strconv.Itoa(ahead), "-confidence", confidence, "-format",
			"answer", ticker)
		require.Equal(t, 0, status, stderr)
		status, body := p.post(t, "/predict", fmt.Sprintf(
			`{"ticker":%q,"days_ahead":%d,"confidence_interval":%s,"as_of":%q}`, ticker, ahead,
			confidence, day))
		require.Equal(t, http.StatusOK, status, body)
		require.Equal(t, want, body, "%s on %s", ticker, day)
	}
}
