package server_test

import (
	"encoding/json"
	"math"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/source"
	"tickercast/predict/server"
)

// weightsFile writes the embedded weights with bounds that lie by times as far.
func weightsFile(t *testing.T, path string, by float64) {
	t.Helper()
	m, err := model.Embedded()
	require.NoError(t, err)
	p := m.Params()
	for h := range p.Quantiles {
		for side := range p.Quantiles[h] {
			for l := range p.Quantiles[h][side] {
				p.Quantiles[h][side][l] += float32(math.Log(by))
			}
		}
	}
	data, err := p.AppendBinary(nil)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

// TestKeepBetter reloads weights that are worse, with and without the setting, then better ones.
func TestKeepBetter(t *testing.T) {
	if testing.Short() {
		t.Skip("several markets")
	}
	for _, keep := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "w.bin")
			weightsFile(t, path, 1)
			loader := source.NewLoader(source.Config{Weights: path})
			r := start(t, inMemory(), func(c *server.Config) {
				c.Load, c.Watch, c.WatchInterval = loader.Load, loader.Watch(), 0
				c.KeepBetter = keep
			})
			version := func() string {
				_, body := r.public.get(t, "/model")
				var m struct {
					Version string `json:"model_version"`
				}
				require.NoError(t, json.Unmarshal([]byte(body), &m))
				return m.Version
			}
			first := version()
			weightsFile(t, path, 2)
			status, body := r.admin.post(t, "/-/reload", "")
			require.Contains(t, r.log.String(), `"msg":"weights compared"`)
			if !keep {
				require.Equal(t, http.StatusOK, status, body)
				require.NotEqual(t, first, version())
				return
			}
			require.Equal(t, http.StatusUnprocessableEntity, status)
			require.Contains(t, body, "-keep-better")
			require.Equal(t, first, version())
			require.Contains(t, r.metric(`tickercast_last_reload_successful{resource="weights"}`),
				"0")
			weightsFile(t, path, 1.01)
			status, body = r.admin.post(t, "/-/reload", "")
			require.Equal(t, http.StatusOK, status, body)
			require.NotEqual(t, first, version())
		})
	}
}

// TestCalibrationShows reads the result of the embedded prices everywhere it is said.
func TestCalibrationShows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.CalibrationDays = 120 })
		time.Sleep(time.Minute) // most of the work is rests
		var m struct{ Calibration calibrate.Report }
		_, body := r.public.get(t, "/model")
		require.NoError(t, json.Unmarshal([]byte(body), &m))
		require.Equal(t, 49, m.Calibration.Origins)
		require.Len(t, m.Calibration.Levels, 16)
		got := m.Calibration.Level(0.95, 1).Coverage
		require.InDelta(t, 0.95, float64(got), 0.03)
		text, err := json.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, string(text),
			r.metric(`tickercast_coverage_ratio{confidence="0.95",horizon="1"}`))
		require.Contains(t, r.log.String(), `"msg":"calibration"`)
		_, body = r.public.get(t, "/tickers/AAPL")
		require.Contains(t, body, `{"confidence":0.95,"horizon":1,"closes":49,"inside":`)
	})
}

// TestCalibrationIsInterrupted: a reload ends the work on what was served before, and so does the
// end of the server, long before the work would have ended.
func TestCalibrationIsInterrupted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) {
			c.CalibrationDays, c.DrainDelay = 120, 0
		})
		running := func() bool {
			_, body := r.public.get(t, "/model")
			return strings.Contains(body, `"calibration":{"forecasts":0,"reason":"still running"}`)
		}
		time.Sleep(200 * time.Millisecond)
		require.True(t, running())
		begin := time.Now()
		status, body := r.admin.post(t, "/-/reload", "")
		require.Equal(t, http.StatusOK, status, body)
		require.Less(t, time.Since(begin), 50*time.Millisecond)
		require.True(t, running())
		time.Sleep(time.Minute)
		require.False(t, running())
		require.Equal(t, 1, strings.Count(r.log.String(), `"msg":"calibration"`))

		status, body = r.admin.post(t, "/-/reload", "")
		require.Equal(t, http.StatusOK, status, body)
		begin = time.Now()
		r.terminate()
		require.NoError(t, r.end())
		require.Less(t, time.Since(begin), 50*time.Millisecond)
		require.Equal(t, 1, strings.Count(r.log.String(), `"msg":"calibration"`))
	})
}

// TestCalibrationOff: a server that is told so does not judge, and says it.
func TestCalibrationOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := start(t, inMemory(), func(c *server.Config) { c.CalibrationDays = 0 })
		synctest.Wait()
		_, body := r.public.get(t, "/model")
		require.Contains(t, body, `"calibration":{"forecasts":0,"reason":"off"}`)
		require.False(t, strings.Contains(r.log.String(), `"msg":"calibration"`))
	})
}
