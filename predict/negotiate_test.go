package predict_test

import (
	"encoding/csv"
	"encoding/json"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// FuzzNegotiation: whatever a client asks for, an answer has the form and the coding that it says.
func FuzzNegotiation(f *testing.F) {
	f.Add("text/csv", "gzip", "handling=strict", "format=csv")
	f.Add("application/x-ndjson, text/csv;q=0.3", "gzip;q=0.5, *;q=0", `a, handling="strict";x`, "")
	f.Add(";;,q=,text/csv;q=9", "identity;q=0, br", "handling", "&format=%63sv&=&format")
	h := newHandler(f)
	const batch = `{"requests":[{"ticker":"A","days_ahead":2},{"ticker":"ZZ"}]}`
	f.Fuzz(func(t *testing.T, accept, coding, prefer, query string) {
		for _, tt := range [][2]string{{"GET", "/predict/A"}, {"POST", "/predict/batch"}} {
			r := httptest.NewRequest(tt[0], tt[1], strings.NewReader(batch))
			r.URL = &url.URL{Path: tt[1], RawQuery: query}
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("Accept", accept)
			r.Header.Set("Accept-Encoding", coding)
			r.Header.Set("Prefer", prefer)
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			body := w.Body.String()
			if w.Header().Get("Content-Encoding") == "gzip" {
				body = unzip(t, w.Body.Bytes())
			}
			var err error
			switch kind := w.Header().Get("Content-Type"); kind {
			case "application/json":
				err = json.Unmarshal([]byte(body), new(any))
			case "application/x-ndjson":
				for line := range strings.Lines(body) {
					err = json.Unmarshal([]byte(line), new(any))
				}
			case "text/csv; charset=utf-8":
				_, err = csv.NewReader(strings.NewReader(body)).ReadAll()
			default:
				t.Errorf("type %q", kind)
			}
			if err != nil || w.Code != 200 && w.Code != 422 {
				t.Errorf("%s %q, %q, %q, %q: got %d, %v, %s", tt[1], query, accept, coding, prefer,
					w.Code, err, body)
			}
		}
	})
}
