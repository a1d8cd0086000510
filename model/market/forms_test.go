package market_test

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"

	"tickercast/model/market"
)

// utf16le writes a text as Windows programs do.
func utf16le(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.LittleEndian.AppendUint16(b, u)
	}
	return string(b)
}

func utf16be(text string) string {
	b := []byte{0xfe, 0xff}
	for _, u := range utf16.Encode([]rune(text)) {
		b = binary.BigEndian.AppendUint16(b, u)
	}
	return string(b)
}

// lines joins the lines of a file.
func lines(l ...string) string { return strings.Join(l, "\n") + "\n" }

// TestReadKinds reads a small file of each kind that people have, as d/ACME.csv.
func TestReadKinds(t *testing.T) {
	const two = "ACME 2026-02-17 - - - 10.5\nACME 2026-02-18 - - - 10.6\n"
	const ranges = "ACME 2026-02-17 10 11 9 10.5\nACME 2026-02-18 10 11 9 10.6\n"
	for _, c := range []struct{ name, text, want string }{
		{"Yahoo with null rows", lines("Date,Open,High,Low,Close,Adj Close,Volume",
			"2026-02-17,10,11,9,10.5,10.5,100", "2026-02-18,null,null,null,null,null,null"),
			"ACME 2026-02-17 10 11 9 10.5\n"},
		{"every missing value", lines("Date,Close", "2026-02-10,", "2026-02-11,NaN", "2026-02-12,NA",
			"2026-02-13,N/A", "2026-02-14,#N/A", "2026-02-15,-", "2026-02-16,Null",
			"2026-02-17,10.5", "2026-02-18,10.6"), two},
		{"Yahoo's page", lines("Date,Open,High,Low,Close*,Adj Close**,Volume",
			`"Feb 18, 2026","1,234.50","1,300.00","1,200.00","1,250.00","1,250.00","1,000"`,
			`"Feb 17, 2026",0.26 Dividend,,,,,`,
			`"Feb 13, 2026","1,234","1,300","1,200","1,250","1,250",-`),
			"ACME 2026-02-13 1234 1300 1200 1250\nACME 2026-02-18 1234.5 1300 1200 1250\n"},
		{"yfinance", lines("Price,Close,High,Low,Open,Volume", "Ticker,ACME,ACME,ACME,ACME,ACME",
			"Date,,,,,", "2026-02-17,10.5,11,9,10,100", "2026-02-18,10.6,11,9,10,100"), ranges},
		{"yfinance with an empty row", lines("Price,Close,High,Low,Open,Volume",
			"Ticker,ACME,ACME,ACME,ACME,ACME", "Datetime,,,,,",
			"2026-02-17 00:00:00+00:00,10.5,11,9,10,100", "2026-02-18 00:00:00+00:00,,,,,"),
			"ACME 2026-02-17 10 11 9 10.5\n"},
		{"yfinance of two tickers", lines("Price,Close,Close,Open,Open", "Ticker,ACME,B,ACME,B",
			"Date,,,,", "2026-02-17,10.5,20,10,19", "2026-02-18,,21,,20"),
			"ACME 2026-02-17 10 - - 10.5\nB 2026-02-17 19 - - 20\nB 2026-02-18 20 - - 21\n"},
		{"yfinance grouped by ticker", lines("Ticker,ACME,ACME,B,B", "Price,Open,Close,Open,Close",
			"Date,,,,", "2026-02-17,10,10.5,19,20"),
			"ACME 2026-02-17 10 - - 10.5\nB 2026-02-17 19 - - 20\n"},
		{"yfinance before it named its levels", lines(",Adj Close,Adj Close,Close,Close",
			",ACME,B,ACME,B", "Date,,,,", "2026-02-17,5.25,20,10.5,20"),
			"ACME 2026-02-17 - - - 5.25\nB 2026-02-17 - - - 20\n"},
		{"yfinance history()", lines("Date,Open,High,Low,Close,Volume,Dividends,Stock Splits",
			"2026-02-17 00:00:00-05:00,10,11,9,10.5,100,0.0,0.0",
			"2026-02-18 00:00:00-05:00,10,11,9,10.6,100,0.0,0.0"), ranges},
		{"Alpha Vantage", lines("timestamp,open,high,low,close,volume",
			"2026-02-18,10,11,9,10.6,100", "2026-02-17,10,11,9,10.5,100"), ranges},
		{"keys of Alpha Vantage", lines("date,1. open,2. high,3. low,4. close,5. volume",
			"2026-02-18,10,11,9,10.6,0", "2026-02-17,10,11,9,10.5,100"), ranges},
		{"Stooq", lines("Date,Open,High,Low,Close,Volume", "2026-02-17,10,11,9,10.5,100",
			"2026-02-18,10,11,9,10.6,100"), ranges},
		{"Stooq in bulk", lines(
			"<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
			"ACME,D,20260217,000000,10,11,9,10.5,100,0", "ACME,D,20260218,000000,10,11,9,10.6,100,0"),
			ranges},
		{"MetaTrader", lines("<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>",
			"2026.02.17\t10\t11\t9\t10.5\t1\t2", "2026.02.18\t10\t11\t9\t10.6\t1\t2"), ranges},
		{"Nasdaq", lines("Date,Close/Last,Volume,Open,High,Low",
			"02/18/2026,$10.60,100,$10,$11,$9", "02/17/2026,$10.50,100,$10,$11,$9"), ranges},
		{"Investing", "\ufeff" + lines(`"Date","Price","Open","High","Low","Vol.","Change %"`,
			`"02/18/2026","10.6","10","11","9","1.2M","1%"`,
			`"02/17/2026","10.5","10","11","9","","-1%"`), ranges},
		{"BSE", lines("Date,Open Price,High Price,Low Price,Closing Price,WAP,No. of Trades",
			"18-February-2026,10,11,9,10.6,1,2", "17-February-2026,10,11,9,10.5,1,2"), ranges},
		{"NSE bhavcopy", lines(
			"SYMBOL,SERIES,OPEN,HIGH,LOW,CLOSE,LAST,PREVCLOSE,TOTTRDQTY,TIMESTAMP,ISIN,",
			"ACME,N1,990,990,990,990,990,990,1,17-FEB-2026,X,",
			"ACME,EQ,10,11,9,10.5,10.4,10.3,1,17-FEB-2026,X,",
			"ACME,BE,10,11,9,10.6,10.4,10.3,1,18-FEB-2026,X,"), ranges},
		{"NSE with deliveries", lines("SYMBOL, SERIES, DATE1, PREV_CLOSE, OPEN_PRICE, HIGH_PRICE, "+
			"LOW_PRICE, LAST_PRICE, CLOSE_PRICE", "ACME, EQ, 17-Feb-2026, 9, 10, 11, 9, 10.4, 10.5",
			"ACME, EQ, 18-Feb-2026, 9, 10, 11, 9, 10.4, 10.6"), ranges},
		{"NSE page", lines(`"Date ","series ","OPEN ","HIGH ","LOW ","PREV. CLOSE ","ltp ","close "`,
			`"18-Feb-2026","EQ","10","11","9","9","10.6","10.6"`,
			`"17-Feb-2026","EQ","10","11","9","9","10.5","10.5"`), ranges},
		{"ccxt", lines("timestamp,open,high,low,close,volume", "1771286400000,10,11,9,10.5,1",
			"1771372800000,10,11,9,10.6,1"), ranges},
		{"Binance in microseconds", lines("open_time,open,high,low,close,volume,close_time",
			"1771286400000000,10,11,9,10.5,1,1771372799999999",
			"1771372800000000,10,11,9,10.6,1,1771459199999999"), ranges},
		{"Polygon", lines("ticker,volume,open,close,high,low,window_start,transactions",
			"ACME,1,10,10.5,11,9,1771304400000000000,5", "ACME,1,10,10.6,11,9,1771390800000000000,5"),
			ranges},
		{"keys of Polygon", lines("v,vw,o,c,h,l,t,n", "1,10,10,10.5,11,9,1771304400000,5",
			"1,10,10,10.6,11,9,1771390800000,5"), ranges},
		{"seconds", lines("timestamp,close", "1771286400,10.5", "1771372800,10.6"), two},
		{"CRSP", lines("PERMNO,date,TICKER,PRC,VOL", "1,20260217,ACME,10.5,1",
			"1,20260218,ACME,10.6,1"), two},
		{"Kaggle", lines("date,open,high,low,close,volume,Name", "2026-02-17,10,11,9,10.5,1,ACME",
			"2026-02-18,10,11,9,10.6,1,ACME"), ranges},
		{"pandas without a name of the index", lines(",Open,High,Low,Close",
			"2026-02-17,10,11,9,10.5", "2026-02-18,10,11,9,10.6"), ranges},
		{"pandas with an index beside the date", lines(",Date,Open,High,Low,Close",
			"0,2026-02-17,10,11,9,10.5", "1,2026-02-18,10,11,9,10.6"), ranges},
		{"quantmod", lines(`"","ACME.Open","ACME.High","ACME.Low","ACME.Close","ACME.Volume"`,
			`"2026-02-17",10,11,9,10.5,1`, `"2026-02-18",10,11,9,10.6,1`), ranges},
		{"fields before tickers", lines("Date,Open_ACME,High_ACME,Low_ACME,Close_ACME,Volume_ACME",
			"2026-02-17,10,11,9,10.5,1", "2026-02-18,10,11,9,10.6,1"), ranges},
		{"flat levels", lines(`Date,"('Close', 'ACME')","('Open', 'ACME')"`,
			"2026-02-17,10.5,10"), "ACME 2026-02-17 10 - - 10.5\n"},
		{"a price column", lines("date,price", "2026-02-17,10.5", "2026-02-18,10.6"), two},
		{"other names of a close", lines("Date,Last Price,High,Low", "2026-02-17,10.5,11,9"),
			"ACME 2026-02-17 - 11 9 10.5\n"},
		{"GOOGLEFINANCE", lines("Date,Close", "2/17/2026 16:00:00,10.5",
			"2/18/2026 13:00:00,10.6"), two},
		{"Prague", lines("Date;Close", "18.02.2026;10,6", "17.02.2026;10,5"), two},
		{"decimal commas", lines("Datum;Schlusskurs", "2026-02-16;1.234,5", "2026-02-17;1,250",
			"2026-02-18;1.250"), "ACME 2026-02-16 - - - 1234.5\nACME 2026-02-17 - - - 1.25\n" +
			"ACME 2026-02-18 - - - 1250\n"},
		{"decimal points beside semicolons", lines("Date;Close", "2026-02-16;1,234.5",
			"2026-02-17;1,250"), "ACME 2026-02-16 - - - 1234.5\nACME 2026-02-17 - - - 1250\n"},
		{"tabs", lines("Date\tClose", "2026-02-17\t10.5", "2026-02-18\t10,6"), two},
		{"spaces between thousands", lines("Date;Close", "2026-02-17;1 234,5",
			"2026-02-18;12\u00a0345\u202f678,25"),
			"ACME 2026-02-17 - - - 1234.5\nACME 2026-02-18 - - - 1.234567825e+07\n"},
		{"currencies", lines("Date,Close", `2026-02-16,"₹1,23,456.50"`, "2026-02-17,€10.5",
			`2026-02-18,"£ 1,000"`), "ACME 2026-02-16 - - - 123456.5\n" +
			"ACME 2026-02-17 - - - 10.5\nACME 2026-02-18 - - - 1000\n"},
		{"zeros and dashes", lines("date,ticker,open,high,low,close", "2026-02-18,ACME,0,-,-,10.5",
			"2026-02-19,ACME,0.0000,null,NaN,10.6"),
			"ACME 2026-02-18 ? ? ? 10.5\nACME 2026-02-19 ? ? ? 10.6\n"},
		{"stamps in UTC", lines("Date,Close", "2026-02-17 05:00:00+00:00,10.5",
			"2026-02-18T21:00:00Z,10.6"), two},
		{"stamps in their own zone", lines("Date,Close", "2026-02-17T00:00:00+09:00,10.5",
			"2026-02-18 16:00:00 EST,10.6"), two},
		{"slashes after the year", lines("Date,Close", "2026/02/17,10.5", "2026/2/18,10.6"), two},
		{"words", lines("Date,Close", `"Tue, 17 Feb 2026",10.5`, `"Wednesday, February 18, 2026",10.6`),
			two},
		{"day first", lines("Date,Close", "03/02/2026,1", "01/02/2026,2", "28/01/2026,3",
			"02/02/2026,4"), "ACME 2026-01-28 - - - 3\nACME 2026-02-01 - - - 2\n" +
			"ACME 2026-02-02 - - - 4\nACME 2026-02-03 - - - 1\n"},
		{"month first", lines("Date,Close", "2/3/2026,1", "2/1/2026,2", "1/28/2026,3"),
			"ACME 2026-01-28 - - - 3\nACME 2026-02-01 - - - 2\nACME 2026-02-03 - - - 1\n"},
		{"empty rows at the end", lines("Date,Close,", "2026-02-17,10.5,", "2026-02-18,10.6,", ",,",
			",,,,"), two},
		{"UTF-16", utf16le(lines("Date\tClose", "2026-02-17\t10.5", "2026-02-18\t10.6")), two},
		{"UTF-16 of the other order", utf16be(lines("Date;Close;é😀", "2026-02-17;10.5;",
			"2026-02-18;10.6;")), two},
		{"UTF-16 in gzip", zip(utf16le(lines("Date,Close", "2026-02-17,10.5", "2026-02-18,10.6"))),
			two},
		{"pandas_datareader", lines("Attributes,Close,Open", "Symbols,ACME,ACME", "Date,,",
			"2026-02-17,10.5,10"), "ACME 2026-02-17 10 - - 10.5\n"},
		{"WIKI", lines("Date,Open,High,Low,Close,Volume,Adj. Open,Adj. High,Adj. Low,Adj. Close",
			"2026-02-17,20,22,18,21,1,10,11,9,10.5"), "ACME 2026-02-17 10 11 9 10.5\n"},
		{"Polish", lines("Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen",
			"2026-02-17,10,11,9,10.5,1"), "ACME 2026-02-17 10 11 9 10.5\n"},
		{"SAS", lines("date,prc", "17FEB2026,10.5", "18FEB2026,10.6"), two},
		{"FRED", lines("observation_date,close", "2026-02-16,.", "2026-02-17,10.5",
			"2026-02-18,10.6"), two},
		{"rows with a comma at their end", lines("Date,Close Price,WAP", "18-February-2026,10.6,1,",
			"17-February-2026,10.5,1,"), two},
		{"days without prices ahead", lines("Date,Close", "2026-02-17,10.5", "2026-02-18,10.6",
			"2031-02-18,", "Total,"), two},
		{"Yahoo's page, by pandas", lines("Date,Open,Close Close price adjusted for splits.",
			`"Feb 17, 2026",10,10.5`), "ACME 2026-02-17 10 - - 10.5\n"},
		{"Barchart", lines("Time,Open,High,Low,Last,Change,Volume", "02/17/2026,10,11,9,10.5,1,1",
			"02/18/2026,10,11,9,10.6,1,1"), ranges},
		{"zip", zipOf("ACME.csv", lines("Date,Close", "2026-02-17,10.5", "2026-02-18,10.6"),
			"__MACOSX/._ACME.csv", "x", "README.md", "x"), two},
	} {
		p, err := readAs(strings.NewReader(c.text), "d/ACME.csv")
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		if _, err := market.NewPanel(p.Series()); err != nil {
			t.Errorf("%s: unsound: %v", c.name, err)
		}
		if got := dump(p); got != c.want {
			t.Errorf("%s: got\n%swant\n%s", c.name, got, c.want)
		}
	}
}

// TestReadRefusesKinds wants messages that say what a file is and how to mend it.
func TestReadRefusesKinds(t *testing.T) {
	const price = "is not a price (want a decimal number, 1e-12 to 1e+15)"
	for _, c := range []struct{ name, text, want string }{
		{"a range without a close", lines("Date,Open,High,Low", "2026-02-17,10.1,10.9,9.4"),
			`ACME.csv:1: header has open, high, low but no close: "Date,Open,High,Low"`},
		{"a range of a ticker without a close", lines("Date,ACME.Open,ACME.High,ACME.Low",
			"2026-02-17,1,1,1"), "ACME.csv:1: header has open, high, low but no close: "},
		{"a volume of a ticker", lines("Date,ACME,Volume_ACME", "2026-02-17,1,1"),
			"ACME.csv:1: header has a volume but no column close or adj_close: "},
		{"all that is missing", lines("symbol,turnover", "ACME,1"),
			"ACME.csv:1: header has no column date and no column close or adj_close: "},
		{"a stray index", lines(",Date,AAPL,MSFT", "0,2026-02-17,1,1"),
			"ACME.csv:1: header begins with a column without a name, an index: remove it: "},
		{"a close of zero", lines("date,close", "2026-02-17,0"), `ACME.csv:2: close "0" ` + price},
		{"adjusted below zero", lines("Date,Close,Adj Close", "2026-02-17,10,-0.08"),
			`ACME.csv:2: adj_close "-0.08" ` + price},
		{"a range without its close", lines("Date,High,Low,Close", "2026-02-17,11,9,"),
			`ACME.csv:2: close "" ` + price},
		{"CRSP's mean", lines("date,TICKER,PRC", "20260217,ACME,-10.5"),
			`ACME.csv:2: PRC "-10.5" is not a price: by a minus CRSP marks the mean of bid and ask`},
		{"a comma among commas", lines("date,close", `2026-02-17,"10,5"`),
			`ACME.csv:2: close "10,5" ` + price},
		{"a comma that may be either", lines("date;close", "2026-02-17;1,234"),
			`ACME.csv:2: close "1,234" is not a price: its comma may stand before decimals`},
		{"the future", lines("date,ticker,close", "2026-03-03,ACME,10.40", "2062-03-04,ACME,10.50"),
			`ACME.csv:3: date "2062-03-04" is in the future`},
		{"the future, month first", lines("date,close", "03/13/2026,10.40", "12/30/2026,10.50"),
			`ACME.csv:3: date 2026-12-30 is in the future`},
		{"a date without an order", lines("date,close", "03/04/2026,1", "04/04/2026,1"),
			`ACME.csv:2: date "03/04/2026" may have the day or the month first, and no date with a ` +
				`day after the 12th shows which (want YYYY-MM-DD)`},
		{"two orders", lines("date,close", "13/04/2026,1", "04/14/2026,1"),
			`ACME.csv:3: date "04/14/2026" has the month first, but line 2 has the day first`},
		{"two forms of dates", lines("date,close", "13/04/2026,1", "2026-04-14,1"),
			`ACME.csv:3: date "2026-04-14" is written unlike the first date of the file`},
		{"MarketWatch", lines("Date,Open,High,Low,Close", "11/09/17,1,1,1,1"),
			`ACME.csv:2: date "11/09/17" is a date with a year of two digits (want YYYY-MM-DD)`},
		{"hours", lines("Datetime,Close", "2026-02-17 09:30:00-05:00,1", "2026-02-17 10:30:00-05:00,2"),
			`ACME.csv:3: ticker "ACME" has a second time on 2026-02-17: intraday prices (want one`},
		{"five minutes", lines("unix,close", "1771286400,1", "1771286700,1"), "intraday"},
		{"hours beside dates", lines("<DATE>,<TIME>,<CLOSE>", "20260217,0900,1", "20260217,1000,1"),
			"ACME.csv:3: ticker \"ACME\" has a second time on 2026-02-17: intraday"},
		{"two closes of the NSE", lines("SYMBOL,SERIES,CLOSE,DATE1", "ACME,EQ,1,17-Feb-2026",
			"ACME,EQ,2,17-Feb-2026"), `ACME.csv:3: ticker "ACME" on 2026-02-17 closes at 2, but at 1`},
		{"the header again", lines("Date,Close", "2026-02-17,1", "Date,Close"),
			"ACME.csv:3: the header again"},
		{"sep", lines("sep=,", "Date,Close", "2026-02-17,1"),
			`ACME.csv:1: "sep=," is a line for spreadsheets, not the header: remove it`},
		{"a formula", lines("Date,Close", `"=""2026-02-17""",1`),
			`ACME.csv:2: date "=\"2026-02-17\"" is a formula of a spreadsheet (want YYYY-MM-DD)`},
		{"a bare formula", lines("Date,Close", `="2026-02-17",1`),
			`ACME.csv:2: a formula of a spreadsheet, ="...": save the values`},
		{"a preamble", lines("Prices of ACME", "", "Date,Close", "2026-02-17,1"),
			`ACME.csv:1: header has no column date: "Prices of ACME" (line 3 looks like the header: ` +
				`remove what is above it)`},
		{"an error page", "<!DOCTYPE html>\n<html><body>\n",
			`ACME.csv:1: is an HTML file: want CSV: "<!DOCTYPE html>"`},
		{"404", "404 Not Found: No data found\n",
			`ACME.csv:1: header has no column date: "404 Not Found: No data found"`},
		{"JSON", ` {"prices": []}`, `ACME.csv:1: is a JSON file: want CSV: "{\"prices\": []}"`},
		{"Parquet", "PAR1\x15\x04", "ACME.csv:1: is a Parquet file: want CSV"},
		{"xz", "\xfd7zXZ\x00", "ACME.csv:1: is an xz file: want CSV"},
		{"bzip2", "BZh91AY", "ACME.csv:1: is a bzip2 file: want CSV"},
		{"zstd", "\x28\xb5\x2f\xfd\x24", "ACME.csv:1: is a zstd file: want CSV"},
		{"Parquet in gzip", zip("PAR1\x15\x04"), "ACME.csv:1: is a Parquet file: want CSV"},
		{"gzip in gzip", zip(zip(plain)), "ACME.csv:1: is a gzip file: want CSV"},
		{"two files in a zip", zipOf("a.csv", plain, "b.CSV", plain),
			"ACME.csv:1: is a zip with 2 CSV files: want one"},
		{"an Excel file", zipOf("[Content_Types].xml", ""), "ACME.csv:1: is an Excel file: want CSV"},
		{"only a header", "Date,Close\n", "ACME.csv: no prices below the header"},
		{"only missing prices", lines("Date,Close", "2026-02-17,null"),
			"ACME.csv: no prices below the header"},
		{"tickers without a column", lines("Date,Share,Close", "2026-02-17,A,1", "2026-02-17,B,2"),
			`ACME.csv:3: ticker "ACME" on 2026-02-17 closes at 2, but at 1 in line 2 (is a column ` +
				`with tickers missing?)`},
	} {
		p, err := readAs(strings.NewReader(c.text), "ACME.csv")
		if err == nil {
			t.Errorf("%s was read as\n%s", c.name, dump(p))
		} else if !strings.Contains(err.Error(), c.want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%s:\ngot  %v\nwant %s", c.name, err, c.want)
		}
	}
}
