package cli_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"os"
	"regexp"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const document = "../../docs/openapi.json"

// Rows of forecasts in the document, and the intervals of its one row with levels.
var (
	exampleRow = regexp.MustCompile(`"ticker": "(\w+)",\s+"date": "([0-9-]+)",\s+` +
		`"predicted_price": ([0-9.]+),\s+"confidence_lower": ([0-9.]+),\s+` +
		`"confidence_upper": ([0-9.]+)`)
	exampleLevel = regexp.MustCompile(
		`\{"confidence": ([0-9.]+), "lower": ([0-9.]+), "upper": ([0-9.]+)\}`)
	// The tensor of the prices of AAPL and MSFT one day ahead.
	exampleTensor = regexp.MustCompile(`"shape": \[2, 1\], "data": \[([0-9.]+), ([0-9.]+)\]`)
	// The judgement of one day ahead at 95 %.
	exampleJudged = regexp.MustCompile(`"skill": [0-9.]+,\s+"tickers_off": [0-9.]+,\s+` +
		`"levels": \[\s+\{\s+"confidence": 0.95,\s+"horizon": 1,\s+"coverage": [0-9.]+,\s+` +
		`"standard_error": [0-9.]+,\s+"loss": [0-9.]+,\s+"skill": [0-9.]+`)
	exampleField = regexp.MustCompile(
		`"(skill|tickers_off|coverage|standard_error|loss)": [0-9.]+`)
)

// TestExamplesAreForecasts wants the forecasts in the document's examples to be what is served, in
// cents, and the calibration of the model too. The model's version in them is made up.
func TestExamplesAreForecasts(t *testing.T) {
	if runtime.GOARCH != "amd64" {
		t.Skip("the examples have the figures of amd64; elsewhere multiplication rounds otherwise")
	}
	old, err := os.ReadFile(document)
	require.NoError(t, err)
	var doc struct {
		Paths map[string]map[string]struct {
			RequestBody struct {
				Content map[string]struct {
					Examples map[string]struct{ Value json.RawMessage }
				}
			}
		}
	}
	require.NoError(t, json.Unmarshal(old, &doc))
	asked := doc.Paths["/predict"]["post"].RequestBody.Content["application/json"].Examples
	require.Contains(t, asked, "history")
	p := start(t, "-calibration-days", "50")
	rows, levels := map[string]forecastRow{}, map[float64][2]float64{}
	for _, body := range []string{`{"ticker":"AAPL","days_ahead":30}`,
		string(asked["history"].Value), string(asked["levels"].Value)} {
		for _, row := range forecasts(t, p.addr, body) {
			rows[row.Ticker+row.Date] = row
			for _, i := range row.Intervals {
				levels[i.Confidence] = [2]float64{i.Lower, i.Upper}
			}
		}
	}

	found := 0
	fresh := exampleRow.ReplaceAllStringFunc(string(old), func(text string) string {
		m := exampleRow.FindStringSubmatch(text)
		row, ok := rows[m[1]+m[2]]
		require.True(t, ok, "%s on %s is not served", m[1], m[2])
		found++
		for i, v := range []float64{row.Price, row.Lower, row.Upper} {
			text = strings.Replace(text, " "+m[3+i], " "+cents(v), 1)
		}
		return text
	})
	fresh = exampleLevel.ReplaceAllStringFunc(fresh, func(text string) string {
		var confidence float64
		_, err := fmt.Sscan(exampleLevel.FindStringSubmatch(text)[1], &confidence)
		require.NoError(t, err)
		bounds, ok := levels[confidence]
		require.True(t, ok, "confidence %v is not served", confidence)
		return fmt.Sprintf(`{"confidence": %v, "lower": %s, "upper": %s}`, confidence,
			cents(bounds[0]), cents(bounds[1]))
	})
	require.NotZero(t, found, "no example has a forecast")
	fresh = replaceOne(t, fresh, exampleTensor, func(string) string {
		msft := forecasts(t, p.addr, `{"ticker":"MSFT","days_ahead":1}`)[0]
		return fmt.Sprintf(`"shape": [2, 1], "data": [%s, %s]`, cents(rows["AAPL"+msft.Date].Price),
			cents(msft.Price))
	})
	fresh = replaceOne(t, fresh, exampleJudged, func(text string) string {
		c := calibration(t, p.addr)
		values := []float64{c.Skill, c.TickersOff, 0, 0, 0, 0}
		for _, l := range c.Levels {
			if l.Confidence == 0.95 && l.Horizon == 1 {
				copy(values[2:], []float64{l.Coverage, l.StandardError, l.Loss, l.Skill})
			}
		}
		i := -1
		return exampleField.ReplaceAllStringFunc(text, func(field string) string {
			i++
			name, _, _ := strings.Cut(field, " ")
			digits := 1e4
			if name == `"loss":` {
				digits = 1e2
			}
			return fmt.Sprintf("%s %v", name, math.Round(digits*values[i])/digits)
		})
	})
	if *update {
		require.NoError(t, os.WriteFile(document, []byte(fresh), 0o644))
		return
	}
	require.Equal(t, fresh, string(old),
		"go test -run Examples ./predict/cli -update writes what is true now")
}

// replaceOne replaces the only match of a pattern.
func replaceOne(t *testing.T, text string, pattern *regexp.Regexp, by func(string) string) string {
	t.Helper()
	require.Len(t, pattern.FindAllString(text, -1), 1, pattern)
	return pattern.ReplaceAllStringFunc(text, by)
}

type judgement struct {
	Forecasts  int
	Skill      float64
	TickersOff float64 `json:"tickers_off"`
	Levels     []struct {
		Confidence, Coverage, Loss, Skill float64
		Horizon                           int
		StandardError                     float64 `json:"standard_error"`
	}
}

// calibration asks for that of the model until the server has made it, or for a minute.
func calibration(t *testing.T, addr string) (c judgement) {
	t.Helper()
	require.Eventually(t, func() bool {
		r, err := http.Get("http://" + addr + "/model")
		if err != nil {
			return false
		}
		defer r.Body.Close()
		var m struct{ Calibration judgement }
		err = json.NewDecoder(r.Body).Decode(&m)
		c = m.Calibration
		return err == nil && c.Forecasts > 0
	}, time.Minute, 100*time.Millisecond)
	return c
}

type forecastRow struct {
	Ticker, Date string
	Price        float64 `json:"predicted_price"`
	Lower        float64 `json:"confidence_lower"`
	Upper        float64 `json:"confidence_upper"`
	Intervals    []struct{ Confidence, Lower, Upper float64 }
}

func forecasts(t *testing.T, addr, body string) (rows []forecastRow) {
	t.Helper()
	r, err := http.Post("http://"+addr+"/predict", "application/json", strings.NewReader(body))
	require.NoError(t, err)
	defer r.Body.Close()
	answer, err := io.ReadAll(r.Body)
	require.NoError(t, err)
	require.Equal(t, 200, r.StatusCode, string(answer))
	require.NoError(t, json.Unmarshal(answer, &rows))
	return rows
}

func cents(v float64) string { return fmt.Sprint(math.Round(100*v) / 100) }
