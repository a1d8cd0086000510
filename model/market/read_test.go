package market_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"io"
	"math"
	"strings"
	"testing"
	"time"

	"tickercast/model/market"
)

// dump writes a panel as text: a row a line, in the order of the panel, with - for a column that is
// absent and ? for a price that is not known.
func dump(p *market.Panel) string {
	var b strings.Builder
	for _, s := range p.Series() {
		for i, d := range s.Dates {
			fmt.Fprintf(&b, "%s %v", s.Ticker, d)
			for _, column := range [][]float64{s.Open, s.High, s.Low, s.Close} {
				switch {
				case column == nil:
					b.WriteString(" -")
				case math.IsNaN(column[i]):
					b.WriteString(" ?")
				default:
					fmt.Fprintf(&b, " %v", column[i])
				}
			}
			b.WriteByte('\n')
		}
	}
	return b.String()
}

func zip(text string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	io.WriteString(w, text)
	w.Close()
	return b.String()
}

const plain = "date,ticker,close\n2026-02-17,AAPL,263.5\n2026-02-18,AAPL,264.35\n" +
	"2026-02-18,BRK.B,497\n"

const plainPanel = "AAPL 2026-02-17 - - - 263.5\nAAPL 2026-02-18 - - - 264.35\nBRK.B 2026-02-18 " +
	"- - - 497\n"

func TestReadForms(t *testing.T) {
	for _, c := range []struct{ name, text, want string }{
		{"long", plain, plainPanel},
		{"gzip", zip(plain), plainPanel},
		{"two gzip members", zip(plain[:30]) + zip(plain[30:]), plainPanel},
		{"byte order mark", "\ufeff" + plain, plainPanel},
		{"byte order mark in gzip", zip("\ufeff" + plain), plainPanel},
		{"CRLF", strings.ReplaceAll(plain, "\n", "\r\n"), plainPanel},
		{"no last line end", strings.TrimSuffix(plain, "\n"), plainPanel},
		{"blank lines", strings.ReplaceAll(plain, "\n", "\n\n"), plainPanel},
		{"quotes", `"date","ticker","close"` + "\n" + `"2026-02-17","AAPL","263.5"` +
			"\n2026-02-18,\"AAPL\",264.35\n\"2026-02-18\",BRK.B,\"497\"\n", plainPanel},
		{"a comma and a line end in quotes",
			"close,date,note,ticker\n263.5,2026-02-17,\"up, " +
				"then\n\"\"down\"\"\",AAPL\n264.35,2026-02-18,,AAPL\n497,2026-02-18,,BRK.B\n",
			plainPanel},
		{"spaces",
			"date , ticker, close\n2026-02-17, AAPL, 263.5\n2026-02-18 ,AAPL " +
				",264.35\n2026-02-18,\" BRK.B\",\t497\n", plainPanel},
		{"numbers",
			"date,ticker,close\n2026-02-17,AAPL,+2635e-1\n2026-02-18,AAPL,264.350\n" +
				"2026-02-18,BRK.B,4.97E+02\n", plainPanel},
		{"unsorted",
			"date,ticker,close\n2026-02-18,BRK.B,497\n2026-02-18,AAPL,264.35\n" +
				"2026-02-17,AAPL,263.5\n", plainPanel},
		{"repeated",
			plain + "2026-02-17,AAPL,263.50\n2026-02-18,AAPL,264.35\n2026-02-17,AAPL,263.5\n",
			plainPanel},
		{"other columns",
			"volume,Close,Symbol,DATE,sector\n1,263.5,AAPL,2026-02-17,\n" +
				",264.35,AAPL,2026-02-18,x\nmany,497,BRK.B,2026-02-18,y\n", plainPanel},
		{"a symbol before a name",
			"date,Name,Symbol,close\n2026-02-17,Apple,AAPL,263.5\n" +
				"2026-02-18,Apple,AAPL,264.35\n2026-02-18,Berkshire,BRK.B,497\n", plainPanel},
		{"only names",
			"date,close,Name\n2026-02-17,263.5,AAPL\n2026-02-18,264.35,AAPL\n" +
				"2026-02-18,497,BRK.B\n", plainPanel},
		{"midnight",
			"date,ticker,close\n2026-02-17 00:00:00,AAPL,263.5\n2026-02-18 " +
				"00:00:00-05:00,AAPL,264.35\n2026-02-18T00:00:00.000Z,BRK.B,497\n", plainPanel},
		{"adjusted close",
			"date,ticker,close,adj_close\n2026-02-17,AAPL,1,263.5\n" +
				"2026-02-18,AAPL,2,264.35\n2026-02-18,BRK.B,3,497\n", plainPanel},
		{"only an adjusted close",
			"Date,Ticker,Adj Close,Open\n2026-02-17,AAPL,263.5,1\n" +
				"2026-02-18,AAPL,264.35,1\n2026-02-18,BRK.B,497,1\n", plainPanel},
		{"wide", "date,BRK.B,AAPL,GONE\n2026-02-17,,263.5,\n2026-02-18,497,264.35,\n", plainPanel},
		{"wide, without a name for the dates",
			",AAPL,BRK.B\n2026-02-17,263.5,#N/A\n2026-02-18,264.35,497\n", plainPanel},
		{"wide, with weak names for tickers", ",LAST,LOW,DAY,TIC,T,OPEN,DATA\n2026-02-18,1,2,3,4,5,6,7\n",
			"DATA 2026-02-18 - - - 7\nDAY 2026-02-18 - - - 3\nLAST 2026-02-18 - - - 1\n" +
				"LOW 2026-02-18 - - - 2\nOPEN 2026-02-18 - - - 6\nT 2026-02-18 - - - 5\n" +
				"TIC 2026-02-18 - - - 4\n"},
		{"wide, by quantmod",
			",AAPL.Close,BRK.B.Close\n2026-02-17,263.5,NA\n2026-02-18,264.35,497\n", plainPanel},
		{"wide, unsorted, repeated",
			"Date,AAPL,BRK.B\n2026-02-18,264.35,497\n2026-02-18,264.35,\n2026-02-17,263.5,\n",
			plainPanel},
		{"wide, with words of the long form for tickers", "date,LOW,OPEN\n2026-02-18,250,7\n",
			"LOW 2026-02-18 - - - 250\nOPEN 2026-02-18 - - - 7\n"},
		{
			"open, high, low",
			"date,ticker,open,high,low,close\n2026-02-17,AAPL,9,12,8,10\n2026-02-18,AAPL,,12,,10\n",
			"AAPL 2026-02-17 9 12 8 10\nAAPL 2026-02-18 ? 12 ? 10\n",
		},
		{
			"adjusted open, high, low",
			"date,ticker,open,high,low,close,adj " +
				"close\n2026-02-17,AAPL,9,12,8,10,5\n2026-02-18,AAPL,9,12,8,10,10\n",
			"AAPL 2026-02-17 4.5 6 4 5\nAAPL 2026-02-18 9 12 8 10\n",
		},
		{"some of them", "date,ticker,low,close\n2026-02-17,AAPL,8,10\n",
			"AAPL 2026-02-17 - - 8 10\n"},
		{
			"ranges that do not fit are dropped",
			"date,ticker,open,high,low,close\n" +
				"2026-02-10,AAPL,9,8,12,10\n" + // high below low
				"2026-02-11,AAPL,9,9,8,10\n" + // close above high
				"2026-02-12,AAPL,9,12,11,10\n" + // close below low
				"2026-02-13,AAPL,13,12,8,10\n" + // open above high
				"2026-02-14,AAPL,7,12,8,10\n" + // open below low, on a Saturday
				"2026-02-16,AAPL,,9,,10\n" +
				"2026-02-17,AAPL,9,9.99999,8,10\n" + // rounding
				"2026-02-18,AAPL,10,10,10,10\n",
			"AAPL 2026-02-10 ? ? ? 10\nAAPL 2026-02-11 ? ? ? 10\nAAPL 2026-02-12 ? ? ? 10\nAAPL " +
				"2026-02-13 ? ? ? 10\nAAPL 2026-02-14 ? ? ? 10\n" +
				"AAPL 2026-02-16 ? ? ? 10\nAAPL 2026-02-17 9 9.99999 8 10\nAAPL 2026-02-18 10 " +
				"10 10 10\n",
		},
		{"the first of a day counts",
			"date,ticker,open,close\n2026-02-18,AAPL,9,10\n2026-02-17,AAPL,8,10\n" +
				"2026-02-18,AAPL,8,10\n", "AAPL 2026-02-17 8 - - 10\nAAPL 2026-02-18 9 - - 10\n"},
		{"any ticker",
			"date,ticker,close\n2026-02-18,aapl,1\n2026-02-18,HINDUNILVR.NS,2\n" +
				"2026-02-18,Société Générale,3\n", "HINDUNILVR.NS 2026-02-18 - - - 2\n" +
				"Société Générale 2026-02-18 - - - 3\naapl 2026-02-18 - - - 1\n"},
	} {
		p, err := readAs(strings.NewReader(c.text), "prices.csv")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if got := dump(p); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.name, got, c.want)
		}
		if _, err := market.NewPanel(p.Series()); err != nil {
			t.Errorf("%s: unsound: %v", c.name, err)
		}
	}
}

func TestReadRefuses(t *testing.T) {
	row := func(r string) string {
		return "date,ticker,open,close\n2026-02-17,AAPL,1,1\n" + r + "\n2026-02-19,AAPL,1,1\n"
	}
	const price = "is not a price (want a decimal number, 1e-12 to 1e+15)"
	for _, c := range []struct{ text, want string }{
		{"", "p.csv: empty file"},
		{"\n\r\n", "p.csv: empty file"},
		{"\ufeff", "p.csv: empty file"},
		{zip(""), "p.csv: empty file"},
		{"date,ticker,close\n", "p.csv: no prices below the header"},
		{"date,AAPL\n2026-02-18,\n", "p.csv: no prices below the header"},
		{"date|ticker|close\n2026-02-18|AAPL|1\n", `p.csv:1: header has no column date: ` +
			`"date|ticker|close" (fields are separated by commas, semicolons or tabs, not by '|')`},
		{"Date Ticker Close\n2026-02-18 AAPL 1\n", `p.csv:1: header has no column date: ` +
			`"Date Ticker Close" (fields are separated by commas, semicolons or tabs, not by ' ')`},
		{"ticker,close\nAAPL,1\n", `p.csv:1: header has no column date: "ticker,close"`},
		{"AAPL,date\n1,2026-02-18\n",
			`p.csv:1: header has no column close or adj_close: "AAPL,date"`},
		{"date,open,high,low,volume\n2026-02-18,1,1,1,1\n",
			`p.csv:1: header has open, high, low but no close: "date,open,high,low,volume"`},
		{"date,ticker,cost\n2026-02-18,AAPL,1\n",
			`p.csv:1: header has no column close or adj_close: "date,ticker,cost"`},
		{"date,ticker,close,Close\n2026-02-18,AAPL,1,1\n",
			`p.csv:1: header has two columns "close": "date,ticker,close,Close"`},
		{"date,AAPL,AAPL\n2026-02-18,1,1\n",
			`p.csv:1: header has two columns "AAPL": "date,AAPL,AAPL"`},
		{"date,AAPL,\n2026-02-18,1,\n", `p.csv:1: header column 3: empty ticker: "date,AAPL,"`},
		{"date\n2026-02-18\n", `p.csv:1: header has no ticker: "date"`},
		{"2026-02-18,AAPL,1\n", `p.csv:1: header has no column date: "2026-02-18,AAPL,1"`},
		{"\x89PNG\r\n\x1a\n", `p.csv:1: header has no column date: "\x89PNG"`},

		{row("2026-02-18,AAPL,1,0"), `p.csv:3: close "0" ` + price},
		{row("2026-02-18,AAPL,1,-1.5"), `p.csv:3: close "-1.5" ` + price},
		{row("2026-02-18,AAPL,1,NaN"), `p.csv:3: close "NaN" ` + price},
		{row("2026-02-18,AAPL,1,Inf"), `p.csv:3: close "Inf" ` + price},
		{row("2026-02-18,AAPL,1,1e999"), `p.csv:3: close "1e999" ` + price},
		{row("2026-02-18,AAPL,1,1e300"), `p.csv:3: close "1e300" ` + price},
		{row("2026-02-18,AAPL,1,1e-300"), `p.csv:3: close "1e-300" ` + price},
		{row("2026-02-18,AAPL,1,0x1p4"), `p.csv:3: close "0x1p4" ` + price},
		{row("2026-02-18,AAPL,1,1_0"), `p.csv:3: close "1_0" ` + price},
		{row("2026-02-18,AAPL,1,1.2.3"), `p.csv:3: close "1.2.3" ` + price},
		{row("2026-02-18,AAPL,1,"), `p.csv:3: close "" ` + price},
		{row("2026-02-18,AAPL,1," + strings.Repeat("9", 200)),
			`p.csv:3: close "` + strings.Repeat("9", 80) + `" ` + price},
		{"date,AAPL,MSFT\n2026-02-18,1,x\n", `p.csv:2: "MSFT" "x" ` + price},
		{"date,ticker,close,adj_close\n2026-02-18,AAPL,,1\n", `p.csv:2: close "" ` + price},

		{row("2026-02-30,AAPL,1,1"), `p.csv:3: date "2026-02-30" is not a date (want YYYY-MM-DD)`},
		{row("02/18/2026,AAPL,1,1"), `p.csv:3: date "02/18/2026" is not a date (want YYYY-MM-DD)`},
		{row("2026-02-18 09:30:00,AAPL,1,1"),
			`p.csv:3: date "2026-02-18 09:30:00" is not a date (want YYYY-MM-DD)`},
		{row(",AAPL,1,1"), `p.csv:3: date "" is not a date (want YYYY-MM-DD)`},
		{row("0202-02-18,AAPL,1,1"),
			`p.csv:3: date "0202-02-18" is not a date of the years 1800 to 2199`},

		{row("2026-02-18,,1,1"), `p.csv:3: empty ticker`},
		{row("2026-02-18,\"A\nB\",1,1"),
			`p.csv:3: ticker "A\nB" has a character that cannot be printed`},
		{row("2026-02-18,A\xffB,1,1"), `p.csv:3: ticker "A\xffB" is not UTF-8`},
		{row("2026-02-18," + strings.Repeat("A", 65) + ",1,1"),
			`p.csv:3: ticker "` + strings.Repeat("A", 64) + `" is longer than 64 bytes`},

		{row("2026-02-18,AAPL,1"), "p.csv:3: 3 fields, but 4 in the header"},
		{row("2026-02-18,AAPL,1,1,"), "p.csv:3: 5 fields, but 4 in the header"},
		{row("2026-02-18,A\"APL,1,1"), `p.csv:3: bare " in non-quoted-field`},
		{row("2026-02-18,\"AAPL,1,1"), `p.csv:3: extraneous or missing " in quoted-field`},
		{plain + "2026-02-19,AAP", "p.csv:5: 2 fields, but 3 in the header"},
		{zip(plain + "2026-02-19,AAP"), "p.csv:5: 2 fields, but 3 in the header"},

		{plain + "2026-02-17,AAPL,263.51\n",
			`p.csv:5: ticker "AAPL" on 2026-02-17 closes at 263.51, but at 263.5 in line 2`},
		{"date,AAPL\n2026-02-17,2\n2026-02-18,1\n2026-02-17,3\n",
			`p.csv:4: ticker "AAPL" on 2026-02-17 closes at 3, but at 2 in line 2`},

		{"\x1f\x8b", "p.csv:1: decompressing: unexpected EOF"},
		{zip(plain)[:40], "p.csv:2: decompressing: unexpected EOF"},
		{zip(plain)[:len(zip(plain))-1], "p.csv:5: decompressing: unexpected EOF"},
		{zip(plain) + "x", "p.csv:5: decompressing: unexpected EOF"},
		{zip(plain) + strings.Repeat("x", 20), "p.csv:5: decompressing: gzip: invalid header"},
	} {
		p, err := readAs(strings.NewReader(c.text), "p.csv")
		if err == nil {
			t.Errorf("%.80q was read as\n%s", c.text, dump(p))
		} else if err.Error() != c.want {
			t.Errorf("%.80q:\ngot  %v\nwant %s", c.text, err, c.want)
		}
	}
}

// readAs reads a file with a name, on a day in 2026.
func readAs(r io.Reader, name string) (*market.Panel, error) {
	now := func() time.Time { return time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC) }
	return market.Read(context.Background(), r, name, market.Options{Now: now})
}
