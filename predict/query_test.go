package predict

import (
	"mime"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"tickercast/model/calendar"
)

// FuzzQuery holds the reading of a query to net/url, for those that net/url reads.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "a", "a=", "a=1&a=2", "a=+%2B", "%61=x", "&&a=1&", "a=%zz",
		"a=%", "a=%f", "a==", "a=%ff%c3%a9", "b=1", "a=1;a=2"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		q := newQuery(&http.Request{URL: &url.URL{RawQuery: raw}})
		got, ok := q.value("a")
		if !utf8.Valid(got) {
			t.Errorf("%q: got %q, which is no UTF-8", raw, got)
		}
		values, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		want, exists := values["a"]
		if ok != exists || ok && string(got) != string(replaceInvalid([]byte(want[len(want)-1]))) {
			t.Errorf("%q: got %q %v, want the last of %q", raw, got, ok, want)
		}
	})
}

// TestContentTypeIsLatin1: bytes above ASCII are characters of Latin-1, of which two are blanks.
func TestContentTypeIsLatin1(t *testing.T) {
	for s, want := range map[string]bool{
		"\xa0application/json\x85": true, "\x1capplication/json\x1f": true,
		"application/\xe9+JSON": true, "application/+json": true,
		"\x80application/json": false, "application/json\xff": false,
		"\xc2\xa0application/json": false,
		"\ufffdapplication/json":   false, "appl\u0130cation/json": false,
		"application/j\u017fon": false,
	} {
		if got := isJSON(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	}
}

// FuzzContentType: what package mime reads as JSON is JSON, and what it reads as something else is
// not. Package mime reads UTF-8, so this goes for ASCII alone.
func FuzzContentType(f *testing.F) {
	for _, s := range []string{"", "application/json", "Application/JSON; charset=utf-8",
		"application/x+json", "application/jsonx", "text/json", "application/json/x",
		"application/", ";", "AppliCAtion/json\f"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, _, err := mime.ParseMediaType(s)
		if err != nil || strings.ContainsFunc(s,
			func(r rune) bool { return r > unicode.MaxASCII }) {
			return
		}
		want := m == "application/json" || strings.HasPrefix(m, "application/") &&
			strings.HasSuffix(m, "+json")
		if got := isJSON(s); got != want {
			t.Errorf("%q: got %v, want %v", s, got, want)
		}
	})
}

// FuzzDate: a date is read as package calendar reads it, or has a reason not to be.
func FuzzDate(f *testing.F) {
	for _, s := range []string{"2024-02-29", "2023-02-29", "0000-01-01", "9999-12-31", "2024-13-01",
		"2024-1-1", "", "2024-01-01T", "2024-01-01x", "20240101"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got, rule := toDate([]byte(s))
		want, err := calendar.Parse(s)
		if (rule == nil) != (err == nil && want <= latest) || rule == nil && got != want {
			t.Errorf("%q: got %v %v, want %v %v", s, got, rule, want, err)
		}
	})
}

// The two grammars of numbers in strings, as expressions.
var (
	blanks = `[\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]*`

	digitsGrammar  = `\d+(_\d+)*`
	integerGrammar = regexp.MustCompile(`^` + blanks + `([+-]?(0[0_]*)?` + digitsGrammar +
		`|\+?0[0_]*-_?[1-9]\d*(_\d+)*|\+?0[0_]*-_?0)(\.0+)?` + blanks + `$`)
	floatGrammar = `(?i)[+-]?(inf|infinity|nan|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)`
	trimmedFloat = regexp.MustCompile(`^` + blanks + floatGrammar + blanks + `$`)
	joinedFloat  = regexp.MustCompile(`^` + floatGrammar + `$`)
)

// FuzzNumberStrings holds the lax conversions to their grammars.
func FuzzNumberStrings(f *testing.F) {
	for _, s := range []string{"5", " +05.0 ", "0__5", "-0_5", "0-5", "0-_5", "0-05", "1_0", "_1",
		"5.", "0.9", "1e400", "i_nf", "-nan", "0._9", " 0.9_5", "0x1", "\u00a01\u2003", "\u200b1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || len(s) > 1000 {
			return
		}
		if _, rule := toInt(kindString, []byte(s)); (rule == nil) != integerGrammar.MatchString(s) {
			t.Errorf("integer %q: got %v, want it accepted: %v", s, rule,
				integerGrammar.MatchString(s))
		}
		want := trimmedFloat.MatchString(s)
		if !want && s != "" && s[0] != '_' && s[len(s)-1] != '_' && !strings.Contains(s, "__") {
			want = joinedFloat.MatchString(strings.ReplaceAll(s, "_", ""))
		}
		if _, rule := toFloat(kindString, []byte(s)); (rule == nil) != want {
			t.Errorf("number %q: got %v, want it accepted: %v", s, rule, want)
		}
	})
}
