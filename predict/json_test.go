package predict

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"
)

// oddBodies seed the fuzz targets: each has broken, or could break, one rule.
var oddBodies = []string{
	``, ` `, `null`, `{}`, `[]`, `"x"`, `0`, `-0`, `01`, `1.`, `.5`, `+1`, `1e`, `1e+`, `1E400`,
	`-`, `tru`, `true`, `NaN`,
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
	`{"ticker":"\ud83d\ude00"}`, `{"ticker":"\ud83d"}`, `"\u123"`, `"\x"`, "\"\x01\"", "\"\xff\"",
	"\"\xed\xa0\x80\"", "\ufeff{}",
	`{"ticker":"A","history":[1,2,3],"as_of":"2024-01-01","levels":[0.8]}`,
	`{"a":[1,{"b":[]}],"c":{}}`, `[1 2]`, `{"a" 1}`, `{"a":}`,
	strings.Repeat("[", 100) + strings.Repeat("]", 100), strings.Repeat("[", 101),
	strings.Repeat("9", 4301),
}

// FuzzParse holds the parser to encoding/json: it accepts what that accepts, but for the rules of
// the contract.
func FuzzParse(f *testing.F) {
	for _, s := range oddBodies {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		d, err := parse(body)
		src := bytes.TrimPrefix(body, []byte("\ufeff"))
		want := json.Valid(src)
		if want && (len(body) >= 2 && (body[0] == 0 || body[1] == 0) || !wellFormed(body) ||
			depth(src) > maxDepth || longestInteger(src) > maxDigits) {
			want = false
		}
		if got := err == nil; got != want {
			t.Fatalf("parse(%q): got %v, want accepted %v", body, err, want)
		}
		if err != nil {
			if err.Status != 400 && err.Status != 422 {
				t.Errorf("parse(%q): got status %d", body, err.Status)
			}
			if len(err.Issues) > 0 && (err.Issues[0].Index < 0 ||
				err.Issues[0].Index > codePoints(src)) {
				t.Errorf("parse(%q): position %d is not in the body", body, err.Issues[0].Index)
			}
			return
		}
		if int(d.nodes[0].next) != len(d.nodes) {
			t.Errorf("parse(%q): the root ends at node %d of %d", body, d.nodes[0].next,
				len(d.nodes))
		}
		echo := d.echo(0)
		if !json.Valid(echo) || !utf8.Valid(echo) {
			t.Fatalf("echo of %q is no JSON: %q", body, echo)
		}
		// An echo that is whole echoes to itself, and says what encoding/json reads in the body.
		if len(echo) >= maxEcho || bytes.Contains(src, []byte(`\u`)) || !utf8.Valid(src) {
			return
		}
		again, err := parse(echo)
		if err != nil || !bytes.Equal(again.echo(0), echo) {
			t.Errorf("echo of %q does not echo to itself: %q", body, echo)
		}
		var got, sent any
		if json.Unmarshal(src, &sent) == nil && json.Unmarshal(echo, &got) == nil {
			g, _ := json.Marshal(got)
			s, _ := json.Marshal(sent)
			if !bytes.Equal(bytes.ReplaceAll(g, []byte("-0"), []byte("0")),
				bytes.ReplaceAll(s, []byte("-0"), []byte("0"))) {
				t.Errorf("echo of %q: got %s, want %s", body, g, s)
			}
		}
	})
}

// depth is the number of brackets open at once in valid JSON.
func depth(b []byte) int {
	open, most, quoted := 0, 0, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == '[' || c == '{'):
			open++
			most = max(most, open)
		case !quoted && (c == ']' || c == '}'):
			open--
		}
	}
	return most
}

// longestInteger is the number of digits of the longest integer in valid JSON.
func longestInteger(b []byte) int {
	most := 0
	dec := json.NewDecoder(bytes.NewReader(b))
	dec.UseNumber()
	for {
		tok, err := dec.Token()
		if err != nil {
			return most
		}
		if n, ok := tok.(json.Number); ok && !strings.ContainsAny(string(n), ".eE") {
			most = max(most, len(strings.TrimPrefix(string(n), "-")))
		}
	}
}

// FuzzPlain holds the fast path to the full one: what it takes, the full path reads the same.
func FuzzPlain(f *testing.F) {
	for _, s := range oddBodies {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var got Request
		n, ok := decodePlain(body, &got)
		if !ok {
			return
		}
		want, err := decodeFull(body[:n])
		if err != nil {
			t.Fatalf("decodePlain took %q, which is wrong: %v", body[:n], err)
		}
		if !bytes.Equal(got.Ticker, want.Ticker) || got.Days != want.Days ||
			got.Confidence != want.Confidence || got.History != nil || got.Levels != nil ||
			want.History != nil || want.Levels != nil || got.HasAsOf {
			t.Errorf("decodePlain(%q): got %+v, want %+v", body[:n], got, want)
		}
	})
}

// FuzzDecode asks of every body that it gets a request within the limits, or an answer that is
// JSON.
func FuzzDecode(f *testing.F) {
	for _, s := range oddBodies {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		r, err := Decode(body)
		if err != nil {
			e := err.(*Error)
			if b := e.AppendJSON(nil); !json.Valid(b) || !utf8.Valid(b) {
				t.Errorf("Decode(%q): the error is no JSON: %q", body, b)
			}
			return
		}
		if n := codePoints(r.Ticker); n < 1 || n > MaxTicker || !utf8.Valid(r.Ticker) {
			t.Errorf("Decode(%q): ticker %q", body, r.Ticker)
		}
		if r.Days < MinDays || r.Days > MaxDays ||
			!(r.Confidence >= MinConfidence && r.Confidence <= MaxConfidence) {
			t.Errorf("Decode(%q): %d days, confidence %v", body, r.Days, r.Confidence)
		}
		if n := len(r.History); r.History != nil && (n < MinHistory || n > MaxHistory) ||
			len(r.Levels) > MaxLevels || r.HasAsOf && r.History == nil {
			t.Errorf("Decode(%q): %+v", body, r)
		}
	})
}

func TestPlainTakesWhatClientsSend(t *testing.T) {
	for _, s := range []string{
		`{"ticker":"AAPL"}`,
		`{"ticker": "AAPL", "days_ahead": 5}`,
		`{"days_ahead":30,"ticker":"BRK.B","confidence_interval":0.9}`,
		"{\n  \"ticker\": \"AAPL\",\n  \"days_ahead\": 10,\n  \"confidence_interval\": 0.99\n}",
		`{"ticker":"AAPL","confidence_interval":0.800000000000001}`,
	} {
		var r Request
		if n, ok := decodePlain([]byte(s), &r); !ok || n != len(s) {
			t.Errorf("decodePlain(%q): got %d %v, want all of it", s, n, ok)
		}
	}
}

// TestDeepBodiesAreCheap: work must not grow with depth times length.
func TestDeepBodiesAreCheap(t *testing.T) {
	body := strings.Repeat(`{"a":`, 99) + "[" + strings.Repeat("0,", 30000) + "0]" +
		strings.Repeat("}", 99)
	d, err := parse([]byte(body))
	if err != nil {
		t.Fatal(err)
	}
	allocs := testing.AllocsPerRun(5, func() { d.echo(0) })
	if allocs > 99*10 {
		t.Errorf("echo of a deep body: got %v allocations", allocs)
	}
}
