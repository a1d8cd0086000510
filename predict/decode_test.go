package predict

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"tickercast/predict/pyjson"
)

// oddBodies seed the fuzz targets. Each tests one rule.
var oddBodies = []string{
	``, ` `, `null`, `{}`, `[]`, `"x"`, `0`, `01`, `1E400`, `tru`,
	`{"ticker":"AAPL"}`, `{"ticker":"AAPL","days_ahead":5}`,
	` { "ticker" : "aapl" , "confidence_interval" : 0.95 } `,
	`{"ticker":"A","days_ahead":30,"confidence_interval":0.99}`, `{"ticker":"A","days_ahead":031}`,
	`{"ticker":"A","days_ahead":0}`,
	`{"ticker":"A","confidence_interval":0.80000000000000000001}`,
	`{"ticker":"A","confidence_interval":0.}`,
	`{"ticker":"A","confidence_interval":0.9e0}`, `{"ticker":"A","ticker":"B"}`, `{"ticker":"A",}`,
	`{"ticker":"A"}x`,
	`{"ticker":"ABCDEFGHIJ"}`, `{"ticker":"ABCDEFGHIJK"}`, `{"ticker":""}`, `{"ticker":"\u0041"}`,
	`{"ticker":"é"}`,
	`{"ticker":"A","days_ahead":"5","x":[{"a":1,"a":2}]}`, `{"ticker":"A","days_ahead":5.0}`,
	`{"days_ahead":5}`,
	`{"ticker":"\ud83d\ude00"}`, `{"ticker":"\ud83d"}`, `"\u123"`, "\"\xff\"", "\"\xed\xa0\x80\"",
	"\ufeff{}",
	`{"ticker":"A","history":[1,2,3],"as_of":"2024-01-01","levels":[0.8]}`,
	`{"ticker":"A","history":[1,2,3],"calendar":"XLON"}`, `{"ticker":"A","calendar":"\ud800"}`,
	strings.Repeat("[", 101),
}

// FuzzDecodeFast compares the fast path with the full one: what it accepts, both read the same.
func FuzzDecodeFast(f *testing.F) {
	closes := strings.Repeat("1.5,", MinHistory)
	for _, s := range append(oddBodies,
		`{"ticker":"A","history":[`+closes+`264.35]}`,
		`{"history": [ `+closes+` 187.42999267578125 , 3 ] , "ticker":"A" , "as_of":"2026-02-18"}`,
		`{"ticker":"A","history":[`+closes+`1e5]}`, `{"ticker":"A","history":[`+closes+`01]}`,
		`{"ticker":"A","history":[`+closes+`]}`, `{"ticker":"A","history":[`+closes+`1],"x":1}`,
		`{"ticker":"A","history":[`+closes+`1.]}`, `{"ticker":"A","history":[`+closes+`-1]}`,
		`{"ticker":"A","history":[`+closes+`0.0000000000001]}`,
		`{"ticker":"A","history":[`+closes+`[1]]}`, `{"ticker":"A","history":[`+closes+`1 2]}`,
		`{"ticker":"A","history":[`+closes+`99999999999999999999]}`,
		`{"ticker":"A","history":[`+closes+`9007199254740993]}`,
		`{"ticker":"A","levels":[0.8,0.99]}`, `{"ticker":"A","levels":[]}`,
		`{"ticker":"A","levels":[0.8],"levels":[0.9]}`, `{"ticker":"A","as_of":"2026-02-30"}`,
		`{"ticker":"A","as_of":"2026-02-28"}`, `{"ticker":"A","calendar":"XLON"}`,
		`{"ticker":"A","calendar":"XLON","history":[`+closes+`1]}`,
		`{"ticker":"A","history":[`+closes+`1],"calendar":"xlon"}`,
		`{"ticker":"A","history":[`+closes+`1],"calendar":"nyse"}`) {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got Request
		n, ok := decodeFast(body, &got)
		if !ok {
			return
		}
		want, err := decodeFull(body[:n], false, nil)
		if err != nil {
			t.Fatalf("decodeFast took %q, which is wrong: %v", body[:n], err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("decodeFast(%q): got %+v, want %+v", body[:n], got, want)
		}
	})
}

// FuzzDecode: every body is a request within the limits, or an error that is JSON.
func FuzzDecode(f *testing.F) {
	for _, s := range oddBodies {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Decode(body)
		if err != nil {
			e, _ := errors.AsType[*Error](err)
			if b := e.AppendJSON(nil); !json.Valid(b) || !utf8.Valid(b) {
				t.Errorf("Decode(%q): the error is no JSON: %q", body, b)
			}
			return
		}
		if n := pyjson.CodePoints(r.Ticker); n < 1 || n > MaxTicker || !utf8.Valid(r.Ticker) {
			t.Errorf("Decode(%q): ticker %q", body, r.Ticker)
		}
		if r.Days < MinDays || r.Days > MaxDays ||
			!(r.Confidence >= MinConfidence && r.Confidence <= MaxConfidence) {
			t.Errorf("Decode(%q): %d days, confidence %v", body, r.Days, r.Confidence)
		}
		if n := len(r.History); r.History != nil && (n < MinHistory || n > MaxHistory) ||
			len(r.Levels) > MaxLevels {
			t.Errorf("Decode(%q): %+v", body, r)
		}
	})
}

func TestDecodeFastTakesWhatClientsSend(t *testing.T) {
	for _, s := range []string{
		`{"ticker":"AAPL"}`,
		`{"ticker": "AAPL", "days_ahead": 5}`,
		`{"days_ahead":30,"ticker":"BRK.B","confidence_interval":0.9}`,
		"{\n  \"ticker\": \"AAPL\",\n  \"days_ahead\": 10,\n  \"confidence_interval\": 0.99\n}",
		`{"ticker":"AAPL","confidence_interval":0.800000000000001}`,
		`{"ticker":"A","days_ahead":5,"as_of":"2026-02-18","history":[` +
			strings.Repeat("187.42999267578125, 99, ", 150) + `264.3]}`,
		`{"ticker":"A","levels":[0.8, 0.9]}`,
	} {
		var r Request
		if n, ok := decodeFast([]byte(s), &r); !ok || n != len(s) {
			t.Errorf("decodeFast(%q): got %d %v, want all of it", s, n, ok)
		}
	}
}
