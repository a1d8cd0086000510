package docs_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"tickercast/docs"
	"tickercast/model/source"
	"tickercast/predict/server"
)

// pricesFile is a panel of independent tickers with a volatility of 1 % a day, which is multiplied
// on the last days.
func pricesFile(t *testing.T, tickers, days, last int, times float64) string {
	t.Helper()
	rng := rand.New(rand.NewPCG(1, 2))
	var b strings.Builder
	b.WriteString("date,ticker,close\n")
	for i := range tickers {
		price, day := 100.0, time.Date(2023, 12, 31, 0, 0, 0, 0, time.UTC)
		for n := 0; n < days; {
			day = day.AddDate(0, 0, 1)
			if day.Weekday() == time.Saturday || day.Weekday() == time.Sunday {
				continue
			}
			sd := 0.01
			if n >= days-last {
				sd *= times
			}
			price *= math.Exp(sd * rng.NormFloat64())
			fmt.Fprintf(&b, "%s,T%02d,%.4f\n", day.Format(time.DateOnly), i, price)
			n++
		}
	}
	file := filepath.Join(t.TempDir(), "prices.csv")
	if err := os.WriteFile(file, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// startPanel serves a panel that is judged on its last sessions.
func startPanel(t *testing.T, prices string, sessions int) string {
	t.Helper()
	d, err := openData(source.Config{Prices: prices, Calibrate: true, Calendar: "weekdays"})
	if err != nil {
		t.Fatal(err)
	}
	return startServer(t, d, func(c *server.Config) { c.CalibrationDays = sessions })
}

func TestCalibrationPanel(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	b := startBrowser(t)
	calm := startEmbedded(t, nil)
	wild := startPanel(t, pricesFile(t, 40, 420, 60, 3), 60)
	off := startPanel(t, pricesFile(t, 3, 300, 0, 1), 0)
	t.Run("calm", func(t *testing.T) {
		p, inside := showCalibration(t, b, calm, view{width: 1440, height: 900})
		if inside < 92 || inside > 98 {
			t.Errorf("of 100 closes of the embedded panel %g are inside", inside)
		}
		p.same("marks beyond chance", `document.querySelectorAll(".reliability .off").length`, "0")
		p.says("Chance explains the difference", "Judged on", "forecasts, made on", "sessions from")
		p.same("dots", `document.querySelectorAll(".reliability .dot").length`, "4")
		p.same("a band of chance", `document.querySelectorAll(".reliability .chance").length`, "1")
		p.shot("calibration-calm", false)
		p.eval(`document.querySelector("#proof details").open = true`, nil)
		p.wait(`document.querySelectorAll("#proof tbody td").length === 16`)
		p.click("#proof .tabs button:nth-child(2)")
		p.wait(`document.querySelector("#proof .verdict").textContent.includes("5 days ahead")`)
		p.same("the focus stays", `document.activeElement.textContent`, "5 days")
		p.quiet(calm)
	})
	t.Run("three times as volatile", func(t *testing.T) {
		for _, v := range []view{{1440, 900, false}, {390, 844, true}} {
			p, inside := showCalibration(t, b, wild, v)
			if inside > 91 {
				t.Errorf("of 100 closes %g are inside, want far fewer than 95", inside)
			}
			p.says("fewer closes were inside than chance explains")
			p.same("the 95 % interval is among those",
				`/At .*95.*, fewer closes/.test(document.querySelector(".judgement.bad").textContent)`, "true")
			p.same("dots beyond chance", `document.querySelectorAll(".dot.off").length >= 2`, "true")
			p.same("width of the page", `document.documentElement.scrollWidth`, fmt.Sprint(v.width))
			p.same("labels that are cut off", `[...document.querySelectorAll(".reliability text")]
				.filter((e) => {
					const [r, box] = [e.getBoundingClientRect(), e.ownerSVGElement.getBoundingClientRect()];
					return r.left < box.left || r.right > box.right || r.bottom > box.bottom;
				}).map((e) => e.textContent)`, "")
			p.shot(fmt.Sprintf("calibration-wild-%d", v.width), false)
		}
	})
	t.Run("off", func(t *testing.T) {
		p := b.open(t, off+"/docs#calibration", desktop)
		p.wait(`document.querySelector("#proof .verdict")`)
		p.says("calibration is off", "-calibration-days 120")
	})
	t.Run("still running", func(t *testing.T) { testStillRunning(t, b) })
}

// showCalibration opens the panel and returns how many of 100 closes it says were inside.
func showCalibration(t *testing.T, b *browser, url string, v view) (*tab, float64) {
	t.Helper()
	p := b.open(t, url+"/docs#calibration", v)
	p.eval(`document.querySelector("#calibration").scrollIntoView()`, nil)
	p.wait(`document.querySelector(".reliability svg")`)
	p.says("Of 100 closes, ", "were inside the 95\u00a0% interval, 1 day ahead.")
	inside, err := strconv.ParseFloat(p.text(
		`document.querySelector("#proof .verdict strong").textContent`), 64)
	if err != nil {
		t.Fatal(err)
	}
	return p, inside
}

// says wants texts in the panel.
func (p *tab) says(texts ...string) {
	p.t.Helper()
	got := p.text(`document.querySelector("#proof").textContent`)
	for _, want := range texts {
		if !strings.Contains(got, want) {
			p.t.Errorf("the panel says %q, not %q", got, want)
		}
	}
}

// testStillRunning serves a report that is not there yet, then one, then none.
func testStillRunning(t *testing.T, b *browser) {
	var asked atomic.Int32
	site := docs.New(docs.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", site.Page)
	mux.HandleFunc("GET /docs/{asset}", site.Asset)
	mux.HandleFunc("GET /openapi.json", site.OpenAPI)
	var judged atomic.Bool
	mux.HandleFunc("GET /model", func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		calibration := any(map[string]any{"forecasts": 0, "reason": "still running"})
		if judged.Load() { // levels without a close, and without an error
			calibration = map[string]any{"from": "2026-01-05", "to": "2026-01-09", "origins": 5,
				"forecasts": 5, "skill": nil, "tickers_off": nil, "levels": []any{
					map[string]any{"confidence": 0.8, "horizon": 1, "coverage": 0.8,
						"standard_error": nil, "loss": 1, "skill": nil},
					map[string]any{"confidence": 0.95, "horizon": 1, "coverage": 1,
						"standard_error": nil, "loss": 1, "skill": nil},
					map[string]any{"confidence": 0.95, "horizon": 20, "coverage": nil,
						"standard_error": nil, "loss": nil, "skill": nil}}}
		}
		writeJSON(w, 200, map[string]any{"model_version": "1", "tickers": 1, "age_days": 0,
			"as_of": "2026-01-09", "calibration": calibration})
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	p := b.open(t, s.URL+"/docs#calibration", desktop)
	p.wait(`document.querySelector("#proof .verdict")`)
	p.says("are being judged (still running)")
	judged.Store(true)
	p.wait(`document.querySelector(".reliability svg")`)
	p.says("Of 100 closes, 100 were inside", "too few sessions to tell", "5 sessions from 5 Jan 2026")
	p.same("a band that is not known", `document.querySelectorAll(".chance").length`, "0")
	p.click("#proof .tabs button:nth-child(2)")
	p.wait(`document.querySelector("#proof .verdict").textContent.startsWith("No close has come")`)
	if whole := p.text(`document.querySelector("#proof").innerHTML`); strings.Contains(whole, "NaN") ||
		strings.Contains(whole, "undefined") {
		t.Errorf("the panel says %s", whole)
	}
}
