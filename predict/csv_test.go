package predict_test

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
)

// TestCSV: rows of CSV have the numbers of the same answer in JSON.
func TestCSV(t *testing.T) {
	h := newHandler(t)
	const target = "/predict/msft?days_ahead=3&confidence_interval=0.9"
	var want []map[string]any
	json.Unmarshal(call(h, "GET", target, "").Body.Bytes(), &want)
	for _, w := range []struct{ query, accept string }{
		{"&format=csv", ""}, {"", "text/csv"}, {"", "application/json;q=0.5, TEXT/CSV;q=0.9"},
		{"", "text/csv, */*"}, {"&format=csv", "application/json"},
	} {
		got := call(h, "GET", target+w.query, "", "Accept", w.accept)
		rows, err := csv.NewReader(got.Body).ReadAll()
		if err != nil || len(rows) != 4 || got.Header().Get("Content-Type") != "text/csv; charset=utf-8" {
			t.Fatalf("%+v: got %v, %v and %q", w, got.Header(), err, rows)
		}
		if head := strings.Join(rows[0], ","); head != "ticker,as_of,date,days_ahead,confidence,"+
			"predicted_price,confidence_lower,confidence_upper" {
			t.Errorf("got %s", head)
		}
		for i, row := range rows[1:] {
			j := want[i]
			text := fmt.Sprintf("MSFT %v %d 0.9 %v %v %v", j["date"], i+1, j["predicted_price"],
				j["confidence_lower"], j["confidence_upper"])
			if line := strings.Join(append(row[:1:1], row[2:]...), " "); line != text {
				t.Errorf("got %q, want %q", line, text)
			}
		}
		if vary := got.Header().Get("Vary"); !strings.Contains(vary, "Accept") {
			t.Errorf("Vary is %q", vary)
		}
		tag := got.Header().Get("ETag")
		if again := call(h, "GET", target+w.query, "", "Accept", w.accept, "If-None-Match", tag); again.Code != 304 {
			t.Errorf("%s: got %d, want 304", tag, again.Code)
		}
	}
	for _, w := range []struct{ query, accept string }{
		{"&format=json", "text/csv"}, {"", "*/*"}, {"", "application/json, text/csv"}, {"", "text/csv;q=0"},
		{"", "text/*"},
	} {
		if got := call(h, "GET", target+w.query, "", "Accept", w.accept); !strings.HasPrefix(got.Body.String(), "[{") {
			t.Errorf("%+v: got %s", w, got.Body)
		}
	}
	got := call(h, "GET", target+"&format=xml", "")
	if got.Code != 422 || !strings.Contains(got.Body.String(), `"loc":["query","format"]`) {
		t.Errorf("got %d %s", got.Code, got.Body)
	}
}

// TestBatchCSV: each item has its rows, or a row with its error, in order.
func TestBatchCSV(t *testing.T) {
	s := newService(t)
	h := handlerOf(s)
	_, mk := s.Current()
	series := mk.Tickers()[0].Series
	early := series.Dates[series.Len()-3].String()
	closes := "[" + strings.Repeat("100,101,", 20) + "100]"
	body := `{"requests":[{"ticker":"MSFT","days_ahead":2,"levels":[0.8]},{"ticker":"ZZ,\"Z"},{"days_ahead":1},` +
		`{"ticker":"=A;+B","history":` + closes + `},{"ticker":"` + mk.Tickers()[0].Name + `","as_of":"` + early + `"}]}`
	for _, w := range []*[2]string{{"?format=csv", "*/*"}, {"", "text/csv"}} {
		got := call(h, "POST", "/predict/batch"+w[0], body, "Accept", w[1])
		rows, err := csv.NewReader(got.Body).ReadAll()
		if err != nil || len(rows) != 9 {
			t.Fatalf("%v and %d rows: %q", err, len(rows), rows)
		}
		var short []string
		for _, row := range rows[1:] {
			short = append(short, row[0]+" "+row[3]+" "+row[4]+" "+row[8])
		}
		want := []string{"MSFT 1 0.95 ", "MSFT 1 0.8 ", "MSFT 2 0.95 ", "MSFT 2 0.8 ",
			`   requests[1]: 404 Unknown ticker 'ZZ,"Z'`, "   requests[2]: 422 body.ticker: Field required",
			"'=A;'+B 1 0.95 ", mk.Tickers()[0].Name + " 1 0.95 "}
		if !reflect.DeepEqual(short, want) {
			t.Errorf("got %q, want %q", short, want)
		}
		if last := rows[8]; last[1] != early {
			t.Errorf("as_of %s: got %q", early, last)
		}
	}
}

// TestStrict: with Prefer: handling=strict, fields that are not known are errors.
func TestStrict(t *testing.T) {
	h := newHandler(t)
	const body = `{"ticker":"A","days":5,"k\"ey":[1],"days_ahead":99}`
	extra := func(loc, input string) string {
		return `{"type":"extra_forbidden","loc":` + loc + `,"msg":"Extra inputs are not permitted","input":` + input + `}`
	}
	for prefer, strict := range map[string]bool{"": false, "handling=strict": true, "Handling=Strict": true,
		`respond-async, handling="strict"; x=1`: true, "handling=lenient": false, "strict": false,
		"handling=lenient, handling=strict": false, "wait=3 , handling=strict": true} {
		w := call(h, "POST", "/predict", body, "Prefer", prefer)
		got := strings.Contains(w.Body.String(), extra(`["body","days"]`, "5")+","+extra(`["body","k\"ey"]`, "[1]"))
		if w.Code != 422 || got != strict || (w.Header().Get("Preference-Applied") == "handling=strict") != strict {
			t.Errorf("%q: got %d %v %s", prefer, w.Code, w.Header(), w.Body)
		}
	}
	for _, tt := range []struct{ method, path, body, want string }{
		{"POST", "/predict", `{"ticker":"A","days_ahead":2,"levels":[0.9]}`, ""},
		{"POST", "/predict", `{"ticker":"A","x":1}`, extra(`["body","x"]`, "1")},
		{"POST", "/predict/batch", `{"requests":[{"ticker":"A","x":null}]}`, `{"results":[{"error":{"status":422,"detail":[` + extra(`["body","x"]`, "null")},
		{"POST", "/predict/batch", `{"requests":[{"ticker":"A"}],"x":1}`, `{"detail":[` + extra(`["body","x"]`, "1")},
		{"POST", "/predict/batch?x=1", `{"requests":[]}`, `{"detail":[` + extra(`["query","x"]`, `"1"`)},
		{"GET", "/predict/A?days=3&days_ahead=2", ``, `{"detail":[` + extra(`["query","days"]`, `"3"`)},
		{"GET", "/predict/A?days_ahead=2&confidence_interval=0.9&format=json", ``, ""},
	} {
		w := call(h, tt.method, tt.path, tt.body, "Prefer", "handling=strict")
		if !strings.Contains(w.Body.String(), tt.want) || tt.want == "" && w.Code != 200 {
			t.Errorf("%s %s: got %d %s, want %s", tt.path, tt.body, w.Code, w.Body, tt.want)
		}
		if w := call(h, tt.method, tt.path, tt.body); w.Code != 200 {
			t.Errorf("%s %s, not strict: got %d %s", tt.path, tt.body, w.Code, w.Body)
		}
	}
}
