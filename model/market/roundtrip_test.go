package market_test

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"tickercast/model/calendar"
	"tickercast/model/market"
)

// somePanel returns a panel of random prices on weekdays with holes. Open, high and low are in all
// series or in none.
func somePanel(t testing.TB, rng *rand.Rand, tickers, days int, ranges bool) *market.Panel {
	series := make([]market.Series, tickers)
	for i := range series {
		s := &series[i]
		s.Ticker = fmt.Sprintf("T%d", i)
		day := calendar.Of(2020, time.January, 1) + calendar.Date(rng.IntN(500))
		price := math.Exp(rng.NormFloat64()*2 + 3)
		for range 1 + rng.IntN(days) {
			day = calendar.Default().Next(day, 1)
			if rng.IntN(20) == 0 {
				day += calendar.Date(rng.IntN(60))
			}
			step := func() float64 { return math.Exp(rng.NormFloat64() * 0.02) }
			open := price * step()
			price = open * step()
			s.Dates = append(s.Dates, day)
			s.Close = append(s.Close, price)
			if !ranges {
				continue
			}
			high, low := max(open, price)*(1+math.Abs(rng.NormFloat64())*0.01),
				min(open, price)/(1+math.Abs(rng.NormFloat64())*0.01)
			if rng.IntN(10) == 0 {
				open = math.NaN()
			}
			if rng.IntN(10) == 0 {
				high = math.NaN()
			}
			if rng.IntN(10) == 0 {
				low = math.NaN()
			}
			s.Open, s.High, s.Low = append(s.Open, open), append(s.High, high), append(s.Low, low)
		}
	}
	p, err := market.NewPanel(series)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// long writes a panel as the rows of a CSV, the header first.
func long(p *market.Panel) []string {
	cell := func(column []float64, i int) string {
		if column == nil || math.IsNaN(column[i]) {
			return ""
		}
		return strconv.FormatFloat(column[i], 'g', -1, 64)
	}
	header := "date,ticker,open,high,low,close"
	if len(p.Series()) > 0 && p.Series()[0].Open == nil {
		header = "date,ticker,x,y,z,close"
	}
	rows := []string{header}
	for _, s := range p.Series() {
		for i, d := range s.Dates {
			rows = append(rows,
				strings.Join([]string{d.String(), s.Ticker, cell(s.Open, i), cell(s.High, i),
					cell(s.Low, i), cell(s.Close, i)}, ","))
		}
	}
	return rows
}

// wide writes the closes of a panel as the rows of a CSV, the header first.
func wide(p *market.Panel) []string {
	header := "date"
	cells := make(map[calendar.Date][]string)
	for i, s := range p.Series() {
		header += "," + s.Ticker
		for j, d := range s.Dates {
			if cells[d] == nil {
				cells[d] = make([]string, len(p.Series()))
			}
			cells[d][i] = strconv.FormatFloat(s.Close[j], 'g', -1, 64)
		}
	}
	rows := []string{header}
	for d, c := range cells { // in random order
		rows = append(rows, d.String()+","+strings.Join(c, ","))
	}
	return rows
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		withRanges := rng.IntN(2) == 0
		p := somePanel(t, rng, 1+rng.IntN(8), 40, withRanges)
		rows := long(p)
		if !withRanges && rng.IntN(2) == 0 {
			rows = wide(p)
		}
		body := rows[1:]
		if rng.IntN(2) == 0 {
			body = slices.Concat(body, body[:rng.IntN(len(body))]) // some days twice
		}
		if rng.IntN(2) == 0 {
			rng.Shuffle(len(body), func(i, j int) { body[i], body[j] = body[j], body[i] })
		}
		text := rows[0] + "\n" + strings.Join(body, "\n")
		if rng.IntN(2) == 0 {
			text = strings.ReplaceAll(text, ",", `","`)
			text = `"` + strings.ReplaceAll(text, "\n", "\"\r\n\"") + `"`
		}
		if rng.IntN(2) == 0 {
			text = zip(text)
		}
		got, err := readAs(strings.NewReader(text), "prices.csv")
		if err != nil {
			t.Fatal(err)
		}
		if got, want := dump(got), dump(p); got != want {
			t.Fatalf("got\n%swant\n%s", got, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		plain, zip(plain), wideSeed, "\ufeff" + plain, strings.ReplaceAll(plain, "\n", "\r\n"),
		"date,ticker,open,high,low,close,adj_close\n" +
			"2026-02-17,AAPL,9,12,8,10,5\n2026-02-18,AAPL,,11,13,10,10\n",
		"Date,Close,Name\n2026-02-17 00:00:00-05:00,1,\"A, \"\"B\"\"\"\n2026-02-17T00:00:00Z,1,C\n",
		"date,ticker,close\n2026-02-18,A,1\n2026-02-17,A,2\n2026-02-18,A,1\n",
		"date,ticker,close\n2026-02-18,A,1e15\n2026-02-17,A,1e-12\n", "date\n", "", "\x1f\x8b",
		utf16le("Date\tClose\n2026-02-17\t1.234,5\n"), "Date;Close\n18.02.2026;1,234\n",
		"Price,Close,Open\nTicker,A,A\nDate,,\n2026-02-17,1,2\n",
		"timestamp,close\n1771286400000,1\n1771372800000,$2\n",
		",A.Open,A.Close\n\"Feb 17, 2026\",1,\"1,000\"\n", zipOf("a.csv", plain),
		"SYMBOL,SERIES,CLOSE,DATE1\nA,EQ,1,17-Feb-2026\nA,BE,2,17-Feb-2026\n",
		"<DATE>,<TIME>,<CLOSE>\n20260217,0900,1\n20260217,1000,2\n",
		"date,close,adj_close\n2026-02-17 16:00:00 EST,1,\n02/18/2026,NaN,3\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := readAs(strings.NewReader(string(text)), "p.csv")
		if err != nil {
			if !strings.HasPrefix(err.Error(), "p.csv:") || p != nil {
				t.Fatalf("Read(%q) = %v, %v", text, p, err)
			}
			return
		}
		if _, err := market.NewPanel(p.Series()); err != nil {
			t.Fatalf("Read(%q) is unsound: %v", text, err)
		}
		if zipped, err := readAs(strings.NewReader(zip(string(text))),
			"p.csv"); !strings.HasPrefix(string(text), "\x1f\x8b") &&
			!strings.HasPrefix(string(text), "PK") {
			if err != nil || dump(zipped) != dump(p) {
				t.Fatalf("Read(%q) differs in gzip: %v", text, err)
			}
		}
	})
}

const wideSeed = "date,AAPL,MSFT\n2026-02-17,1,\n2026-02-18,2,3\n"
