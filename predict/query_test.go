package predict

import (
	"net/http"
	"net/url"
	"testing"
	"unicode/utf8"

	"tickercast/predict/pyjson"
)

// FuzzQuery compares the reading of a query with net/url, where that accepts it.
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
		if ok != exists ||
			ok && string(got) != string(pyjson.ReplaceInvalid([]byte(want[len(want)-1]))) {
			t.Errorf("%q: got %q %v, want the last of %q", raw, got, ok, want)
		}
	})
}
