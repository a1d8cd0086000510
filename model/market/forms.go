package market

import (
	"strings"
	"unicode"
)

// field is what a column of a CSV holds.
type field byte

const (
	fieldNone field = iota
	fieldDate
	fieldClock // the time of day, beside a date
	fieldTicker
	fieldSeries // of a stock, as EQ and BE at the NSE of India
	fieldOpen
	fieldHigh
	fieldLow
	fieldClose
	fieldAdjusted
	fieldVolume
)

// names lists the known names of columns as normalName returns them. To read another form, add its
// names. If a header has several names of one field, the one that is listed first counts.
var names = [...]struct {
	field field
	names string // separated by spaces
	weak  bool   // they are tickers too, so they count only beside columns of prices
}{
	{fieldDate, "date", false},
	{fieldDate, "datetime", false},                // yfinance
	{fieldDate, "timestamp", false},               // Alpha Vantage, ccxt, NSE bhavcopy
	{fieldDate, "opentime", false},                // Binance
	{fieldDate, "windowstart", false},             // Polygon
	{fieldDate, "date1 traddt bizdt", false},      // NSE
	{fieldDate, "datadate caldt dlycaldt", false}, // CRSP and Compustat
	{fieldDate, "tradedate tradingdate tradingday pricedate quotedate", false},
	{fieldDate, "exchangedate businessdate", false}, // Refinitiv
	{fieldDate, "dateutc dategmt datelocal localdate utcdate isodate", false},
	{fieldDate, "timeopen starttime startdate periodstart begins beginsat", false}, // CoinMarketCap
	{fieldDate, "dates observationdate", false},                                    // Bloomberg, FRED
	{fieldDate, "gmttime utctime localtime", false},                                // Dukascopy
	{fieldDate, "unix unixtime unixtimestamp epoch epochtime", false},
	{fieldDate, "datum fecha 日期 交易日期", false}, // German, Spanish, Chinese
	{fieldDate, "data day dt", true},          // Polish and Italian
	{fieldDate, "time", true},                 // TradingView
	{fieldDate, "t", true},                    // Polygon, keys of JSON

	{fieldClock, "time", false}, // Stooq, MetaTrader

	{fieldTicker, "ticker symbol name", false},
	{fieldTicker, "tckrsymb", false}, // NSE
	{fieldTicker, "actsymbol tickersymbol stocksymbol tscode 股票代码", false},
	{fieldTicker, "tic code ric instrument stock", true}, // Compustat and others

	{fieldSeries, "series sctysrs", false}, // NSE

	{fieldOpen, "open openprice openingprice opnpric opening", false},
	{fieldOpen, "otwarcie eroffnung eröffnung erster apertura ouverture 开盘 开盘价", false},
	{fieldOpen, "o", true},
	{fieldHigh, "high highprice hghpric highest hoch tageshoch najwyzszy maximo máximo massimo", false},
	{fieldHigh, "plushaut haut 最高 最高价", false},
	{fieldHigh, "h", true},
	{fieldLow, "low lowprice lwpric lowest tief tagestief najnizszy minimo mínimo plusbas", false},
	{fieldLow, "最低 最低价", false},
	{fieldLow, "bas l", true},

	{fieldClose, "close", false},
	{fieldClose, "closelast", false},                       // Nasdaq
	{fieldClose, "closeprice clspric closingprice", false}, // NSE, BSE
	{fieldClose, "price", false},                           // Investing
	{fieldClose, "prc dlyprc prccd", false},                // CRSP and Compustat
	{fieldClose, "lastprice lasttradedprice pxlast", false},
	{fieldClose, "schlusskurs schluss schluß zamkniecie cierre chiusura", false},
	{fieldClose, "cloture clôture fermeture", false},
	{fieldClose, "收盘 收盘价", false},
	{fieldClose, "closeclosepriceadjustedforsplits", false}, // Yahoo's page, by pandas
	{fieldClose, "last c", true},                            // Barchart and others

	{fieldAdjusted, "adjclose adjustedclose closeadj closeadjusted adjustedcloseprice", false},
	{fieldAdjusted, "adjcloseprice adjustedprice adjprice", false},
	{fieldAdjusted, "adjclosingprice adjustedclosingprice", false},
	{fieldAdjusted, "adjusted", false}, // quantmod
	{fieldAdjusted, "adjcloseadjustedclosepriceadjustedforsplitsanddividendandorcapitalgain" +
		"distributions", false}, // Yahoo's page, by pandas

	{fieldVolume, "volume vol shares totalvolume tradedvolume volumen wolumen", false},
	{fieldVolume, "tickvol tickvolume tottrdqty ttltrdqnty", false},
	{fieldVolume, "v", true},
}

// normalName makes one of the ways in which a name is written: "Adj. Close**", "adj_close" and
// "5. Adjusted Close (USD)" differ only in what it drops.
func normalName(name string) string {
	name = strings.ToLower(strings.TrimSpace(name))
	if number, rest, ok := strings.Cut(name, ". "); ok && len(number) <= 3 &&
		strings.IndexFunc(number, unicode.IsDigit) == 0 {
		name = rest // "4. close", a key of Alpha Vantage's JSON
	}
	if before, _, ok := strings.Cut(name, "("); ok && before != "" {
		name = before // "Close (USD)"
	}
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, name)
}

// priceField returns the field of a column of prices or volumes.
func priceField(name string) field {
	name = normalName(name)
	for _, n := range names {
		if n.field >= fieldOpen && !n.weak && hasWord(n.names, name) {
			return n.field
		}
	}
	return fieldNone
}

func hasWord(words, word string) bool {
	for w := range strings.FieldsSeq(words) {
		if w == word {
			return true
		}
	}
	return false
}

// tickerField splits a name like "ACME.Close", "Volume_ACME" or "('Close', 'ACME')", as quantmod
// and pandas write them. Its field is fieldNone if the name is no such pair.
func tickerField(name string) (ticker string, f field) {
	const separators = "._ -:|,"
	name = strings.NewReplacer("('", "", "')", "", "', '", ",").Replace(name)
	if !strings.ContainsAny(name, separators) || priceField(name) != fieldNone {
		return "", fieldNone
	}
	for i, c := range name {
		if strings.ContainsRune(separators, c) {
			if f = priceField(name[i+1:]); f != fieldNone && i > 0 {
				return name[:i], f
			}
		}
	}
	for i := len(name) - 2; i > 0; i-- {
		if strings.IndexByte(separators, name[i]) >= 0 {
			if f = priceField(name[:i]); f != fieldNone {
				return name[i+1:], f
			}
		}
	}
	return "", fieldNone
}
