package predict_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"tickercast/model"
	"tickercast/model/calendar"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict"
)

func calendarOf(t testing.TB, name string) *calendar.Calendar {
	t.Helper()
	c, ok := calendar.Lookup(name)
	if !ok {
		t.Fatalf("there is no calendar %q", name)
	}
	return c
}

// seriesOn walks a price over the last n sessions of a calendar up to a day.
func seriesOn(t testing.TB, ticker, name, last string, n int) market.Series {
	t.Helper()
	c, rng := calendarOf(t, name), rand.New(rand.NewPCG(uint64(n), 1))
	end, err := calendar.Parse(last)
	if err != nil {
		t.Fatal(err)
	}
	s, price := market.Series{Ticker: ticker}, 100.0
	for d := c.Floor(end); len(s.Dates) < n; d = c.Floor(d - 1) {
		price *= math.Exp(0.02 * rng.NormFloat64())
		s.Dates, s.Close = append(s.Dates, d), append(s.Close, price)
	}
	slices.Reverse(s.Dates)
	return s
}

// serviceOf serves series with the calendars that their dates show.
func serviceOf(t testing.TB, series []market.Series,
	change ...func(*predict.Config)) *predict.Service {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	p, err := market.NewPanel(series)
	if err != nil {
		t.Fatal(err)
	}
	mk, err := market.New(t.Context(), p, nil)
	if err != nil {
		t.Fatal(err)
	}
	s := newEmptyService(t, change...)
	if err := s.Swap(t.Context(), calibrate.Fixed(m), mk); err != nil {
		t.Fatal(err)
	}
	return s
}

// TestDatesAreSessions asks every route for the days after the last close of markets around the
// world.
func TestDatesAreSessions(t *testing.T) {
	for _, k := range []struct {
		ticker, calendar, last string
		rows                   int
		want                   string
	}{
		{"BTC", "24/7", "2025-03-01", 60, "2025-03-02 2025-03-03 2025-03-04"},
		{"RELI.NS", "XBOM", "2018-02-12", 300, "2018-02-14 2018-02-15 2018-02-16"},
		{"TEVA.TA", "XTAE", "2022-05-12", 300, "2022-05-15 2022-05-16 2022-05-17"},
		{"0700.HK", "XHKG", "2022-12-23", 300, "2022-12-28 2022-12-29 2022-12-30"},
		{"7203.T", "XTKS", "2024-09-20", 300, "2024-09-24 2024-09-25 2024-09-26"},
		{"VOD.L", "XLON", "2023-05-05", 300, "2023-05-09 2023-05-10 2023-05-11"},
		{"ACME", "XNYS", "2026-02-13", 300, "2026-02-17 2026-02-18 2026-02-19"},
	} {
		h := handlerOf(serviceOf(t,
			[]market.Series{seriesOn(t, k.ticker, k.calendar, k.last, k.rows)}))
		body := fmt.Sprintf(`{"ticker":%q,"days_ahead":3}`, k.ticker)
		tensor := fmt.Sprintf(`{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1],"data":[%q]},`+
			`{"name":"days_ahead","datatype":"INT32","shape":[1],"data":[3]}]}`, k.ticker)
		for _, ask := range []struct{ method, path, body string }{
			{"POST", "/predict", body},
			{"POST", "/predict/batch", `{"requests":[` + body + `]}`},
			{"GET", "/predict/" + k.ticker + "?days_ahead=3", ""},
			{"POST", "/v2/models/tickercast/infer", tensor},
		} {
			got := call(h, ask.method, ask.path, ask.body).Body.String()
			var dates []string
			for i := range got {
				if i+10 <= len(got) && got[i] == '2' && got[i+4] == '-' {
					if d, err := calendar.Parse(got[i : i+10]); err == nil {
						dates = append(dates, d.String())
					}
				}
			}
			if strings.Join(dates, " ") != k.want {
				t.Errorf("%s of %s: got the dates %v, want %s", ask.path, k.ticker, dates, k.want)
			}
		}
		for _, path := range []string{"/tickers", "/tickers/" + k.ticker} {
			want := fmt.Sprintf(`"ticker":%q,"calendar":%q`, k.ticker, k.calendar)
			if got := call(h, "GET", path, "").Body.String(); !strings.Contains(got, want) {
				t.Errorf("%s: got %s, want %s in it", path, got, want)
			}
		}
	}
}

// TestCoverageOnStatedDates counts the closes of a coin within their intervals by row and by the
// date that an answer states. Dates of another calendar would count other closes.
func TestCoverageOnStatedDates(t *testing.T) {
	coin := seriesOn(t, "BTC", "24/7", "2025-03-30", 700)
	byRow, byDate, n := 0, 0, 0
	for end := 400; end+5 < coin.Len(); end += 3 {
		s := serviceOf(t, []market.Series{coin.Slice(0, end)})
		rows := forecast(t, s, `{"ticker":"BTC","days_ahead":5}`)
		for h, r := range rows {
			within := func(close float64) int {
				if r.Lower <= close && close <= r.Upper {
					return 1
				}
				return 0
			}
			d, err := calendar.Parse(r.Date)
			if err != nil {
				t.Fatal(err)
			}
			at, found := slices.BinarySearch(coin.Dates, d)
			if !found {
				t.Fatalf("the coin has no close on %s", d)
			}
			byRow += within(coin.Close[end+h])
			byDate += within(coin.Close[at])
			n++
		}
	}
	t.Logf("%d of %d closes are within 95 %% by row, %d by date", byRow, n, byDate)
	if byRow != byDate || byRow < n*92/100 {
		t.Errorf("%d of %d closes are within by row, %d by date", byRow, n, byDate)
	}
}

// TestHistoryBeginsAfterTheLastSession asks for a history without as_of around the end of a
// session.
func TestHistoryBeginsAfterTheLastSession(t *testing.T) {
	newYork := time.FixedZone("EST", -5*60*60)
	for _, k := range []struct {
		now            time.Time
		calendar, want string
	}{
		{time.Date(2026, 3, 5, 15, 59, 0, 0, newYork), "", "2026-03-05"},
		{time.Date(2026, 3, 5, 17, 0, 0, 0, newYork), "", "2026-03-06"},
		{time.Date(2026, 3, 5, 19, 30, 0, 0, newYork), "", "2026-03-06"},
		{time.Date(2026, 3, 6, 8, 0, 0, 0, newYork), "", "2026-03-06"},
		{time.Date(2026, 3, 6, 16, 0, 0, 0, newYork), `"XNAS"`, "2026-03-09"},
		{time.Date(2025, 11, 28, 13, 5, 0, 0, newYork), `"XNYS"`, "2025-12-01"}, // a half day
		{time.Date(2026, 3, 6, 1, 0, 0, 0, time.UTC), `"XTKS"`, "2026-03-06"},
		{time.Date(2026, 3, 6, 7, 0, 0, 0, time.UTC), `"XTKS"`, "2026-03-09"},
		{time.Date(2026, 3, 6, 23, 0, 0, 0, time.UTC), `"24/7"`, "2026-03-06"},
		{time.Date(2026, 3, 6, 23, 0, 0, 0, time.UTC), `"weekdays"`, "2026-03-06"},
		{time.Date(2026, 3, 6, 23, 0, 0, 0, newYork), `null`, "2026-03-09"},
	} {
		s := newService(t,
			func(cfg *predict.Config) { cfg.Now = func() time.Time { return k.now } })
		body := `{"ticker":"MINE","history":` +
			history(40, func(i int) float64 { return 9 + math.Sin(float64(i)) })
		if k.calendar != "" {
			body += `,"calendar":` + k.calendar
		}
		if got := forecast(t, s, body+`}`)[0].Date; got != k.want {
			t.Errorf("at %s by %s: got %s, want %s", k.now, k.calendar, got, k.want)
		}
	}
}

func TestHistoryHasACalendar(t *testing.T) {
	h := newHandler(t)
	closes := history(40, func(i int) float64 { return 9 + math.Sin(float64(i)) })
	ask := func(fields string) string {
		return call(h, "POST", "/predict",
			`{"ticker":"MINE","as_of":"2024-09-20",`+fields+`}`).Body.String()
	}
	for name, want := range map[string]string{"XNYS": "2024-09-23", "XTKS": "2024-09-24",
		"24/7": "2024-09-21", "XNSE": "2024-09-23", "XTAE": "2024-09-22"} {
		got := ask(`"history":` + closes + `,"calendar":"` + name + `"`)
		if !strings.Contains(got, `"date":"`+want+`"`) {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
	for _, bad := range []string{`"xnys"`, `"XXXX"`, `""`, `7`, `["XNYS"]`, `true`} {
		var got struct {
			Detail []struct {
				Type, Msg string
				Loc       []string
				Input     json.RawMessage
				Ctx       struct{ Expected string }
			}
		}
		body := ask(`"history":` + closes + `,"calendar":` + bad)
		if err := json.Unmarshal([]byte(body), &got); err != nil || len(got.Detail) != 1 {
			t.Fatalf("%s: got %s", bad, body)
		}
		d := got.Detail[0]
		if d.Type != "literal_error" || fmt.Sprint(d.Loc) != "[body calendar]" ||
			string(d.Input) != bad || d.Msg != "Input should be "+d.Ctx.Expected ||
			!strings.HasPrefix(d.Ctx.Expected, "'XNYS', 'XNAS', 'XTSE', ") ||
			!strings.HasSuffix(d.Ctx.Expected, "'weekdays' or '24/7'") {
			t.Errorf("%s: got %s", bad, body)
		}
	}
	want := `{"detail":[{"type":"value_error","loc":["body","calendar"],"msg":"Value error, ` +
		`calendar goes with history","input":"XNYS","ctx":{"error":{}}}]}`
	if got := call(h, "POST", "/predict",
		`{"ticker":"A","calendar":"XNYS"}`).Body.String(); got != want {
		t.Errorf("without a history: got %s, want %s", got, want)
	}
	if w := call(h, "POST", "/predict", `{"ticker":"A","calendar":null}`); w.Code != 200 {
		t.Errorf("null: got %d %s", w.Code, w.Body)
	}
}

// TestLeftOutTickers asks for a ticker of weekly rows: clients get the 404 of any unknown ticker,
// and the log gets the reason once.
func TestLeftOutTickers(t *testing.T) {
	day := seriesOn(t, "WEEK.L", "XLON", "2025-03-07", 400)
	week := market.Series{Ticker: day.Ticker}
	for i := 4; i < day.Len(); i += 5 {
		week.Dates, week.Close = append(week.Dates, day.Dates[i]), append(week.Close, day.Close[i])
	}
	var told []string
	h := handlerOf(serviceOf(t, []market.Series{week,
		seriesOn(t, "ACME", "XNYS", "2025-03-07", 400),
		seriesOn(t, "NEW", "XNYS", "2025-03-07", 10)}, func(cfg *predict.Config) {
		cfg.LeftOut = func(r market.Refusal) { told = append(told, r.Ticker+": "+r.Reason) }
	}))
	for _, ticker := range []string{"WEEK.L", "week.l", "WEEK", "NEW", "ZZ"} {
		w := call(h, "POST", "/predict", fmt.Sprintf(`{"ticker":%q}`, ticker))
		if want := fmt.Sprintf(`{"detail":"Unknown ticker '%s'"}`, ticker); w.Code != 404 ||
			w.Body.String() != want {
			t.Errorf("%s: got %d %s, want 404 %s", ticker, w.Code, w.Body, want)
		}
		call(h, "GET", "/predict/"+ticker, "")
	}
	want := []string{"WEEK.L: rows are 7 days apart: not daily prices",
		"NEW: 10 closes up to 2025-03-07, a forecast needs 30"}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}

func TestAnswersNameTheTickerAsListed(t *testing.T) {
	h := handlerOf(serviceOf(t, []market.Series{seriesOn(t, "BRK-B", "XNYS", "2025-03-07", 400),
		seriesOn(t, "RELIANCE.NS", "XBOM", "2025-03-07", 400)}))
	for sent, want := range map[string]string{"brk.b": "BRK-B", "BRK/B": "BRK-B",
		"reliance": "RELIANCE.NS"} {
		w := call(h, "POST", "/predict", fmt.Sprintf(`{"ticker":%q}`, sent))
		if w.Code != 200 || !strings.HasPrefix(w.Body.String(), `[{"ticker":"`+want+`"`) {
			t.Errorf("%s: got %d %s, want %s", sent, w.Code, w.Body, want)
		}
	}
}
