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
}{
	{fieldDate, "date"},
	{fieldDate, "datetime"},                // yfinance
	{fieldDate, "timestamp"},               // Alpha Vantage, ccxt, NSE bhavcopy
	{fieldDate, "opentime"},                // Binance
	{fieldDate, "windowstart"},             // Polygon
	{fieldDate, "date1 traddt bizdt"},      // NSE
	{fieldDate, "datadate caldt dlycaldt"}, // CRSP and Compustat
	{fieldDate, "tradedate tradingdate tradingday pricedate quotedate exchangedate businessdate"},
	{fieldDate, "dateutc dategmt datelocal localdate utcdate isodate day dt"},
	{fieldDate, "timeopen starttime startdate periodstart begins beginsat"}, // CoinMarketCap
	{fieldDate, "dates observationdate"},                                    // Bloomberg, FRED
	{fieldDate, "gmttime utctime localtime"},                                // Dukascopy
	{fieldDate, "unix unixtime unixtimestamp epoch epochtime"},
	{fieldDate, "datum data fecha 日期 交易日期"}, // German, Polish and Italian, Spanish, Chinese
	{fieldDate, "time"}, // TradingView
	{fieldDate, "t"},    // Polygon, keys of JSON

	{fieldClock, "time"}, // Stooq, MetaTrader

	{fieldTicker, "ticker symbol name"},
	{fieldTicker, "tckrsymb"}, // NSE
	{fieldTicker, "tic actsymbol tickersymbol stocksymbol tscode code ric instrument stock 股票代码"},

	{fieldSeries, "series sctysrs"}, // NSE

	{fieldOpen, "open openprice openingprice opnpric opening otwarcie eroffnung eröffnung erster"},
	{fieldOpen, "apertura ouverture 开盘 开盘价 o"},
	{fieldHigh, "high highprice hghpric highest hoch tageshoch najwyzszy maximo máximo massimo"},
	{fieldHigh, "plushaut haut 最高 最高价 h"},
	{fieldLow, "low lowprice lwpric lowest tief tagestief najnizszy minimo mínimo plusbas"},
	{fieldLow, "bas 最低 最低价 l"},

	{fieldClose, "close"},
	{fieldClose, "closelast"},                       // Nasdaq
	{fieldClose, "closeprice clspric closingprice"}, // NSE, BSE
	{fieldClose, "price"},                           // Investing
	{fieldClose, "prc dlyprc prccd"},                // CRSP and Compustat
	{fieldClose, "lastprice lasttradedprice pxlast"},
	{fieldClose, "schlusskurs schluss schluß zamkniecie cierre chiusura cloture clôture fermeture"},
	{fieldClose, "收盘 收盘价"},
	{fieldClose, "closeclosepriceadjustedforsplits"}, // Yahoo's page, by pandas
	{fieldClose, "last c"},                           // see lookup

	{fieldAdjusted, "adjclose adjustedclose closeadj closeadjusted adjustedcloseprice"},
	{fieldAdjusted, "adjcloseprice adjustedprice adjprice adjclosingprice adjustedclosingprice"},
	{fieldAdjusted, "adjusted"}, // quantmod
	{fieldAdjusted, "adjcloseadjustedclosepriceadjustedforsplitsanddividendandorcapitalgain" +
		"distributions"}, // Yahoo's page, by pandas

	{fieldVolume, "volume vol shares totalvolume tradedvolume volumen wolumen tickvol tickvolume"},
	{fieldVolume, "tottrdqty ttltrdqnty v"},
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
		if n.field >= fieldOpen && len(name) > 1 && hasWord(n.names, name) {
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
