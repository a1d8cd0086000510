package predict_test

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"tickercast/model/market"
	"tickercast/predict"
	"tickercast/predict/internal/limits"
)

func zip(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, s)
	z.Close()
	return b.String()
}

func unzip(t *testing.T, b []byte) string {
	t.Helper()
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestGzippedBodies: a compressed body means on every POST what the plain one means.
func TestGzippedBodies(t *testing.T) {
	h := newHandler(t)
	for path, body := range map[string]string{
		"/predict":             `{"ticker":"A","days_ahead":3}`,
		"/predict/batch":       `{"requests":[{"ticker":"A"},{"ticker":"ZZ"}]}`,
		inferPath:              inferBody(3),
		"/v2/repository/index": `{"ready":true}`,
	} {
		want := call(h, "POST", path, body)
		for coding, coded := range map[string]string{"gzip": zip(body), "GZip": zip(body),
			"x-gzip": zip(body), "identity": body, " gzip ": zip(body[:5]) + zip("") + zip(body[5:])} {
			w := call(h, "POST", path, coded, "Content-Encoding", coding)
			if w.Code != want.Code || w.Body.String() != want.Body.String() {
				t.Errorf("%s, %s: got %d %.200s, want %d %.200s", path, coding, w.Code, w.Body,
					want.Code, want.Body)
			}
		}
		for coded, detail := range map[string]string{
			body: "The body is not valid gzip", zip(body)[:20]: "The body is not valid gzip",
			zip(body) + "x": "The body is not valid gzip", zip(body)[:len(zip(body))-1] + "x": "The body is not valid gzip",
			strings.Repeat(zip(""), 1001): "The body is not valid gzip",
		} {
			w := call(h, "POST", path, coded, "Content-Encoding", "gzip")
			if w.Code != 400 || !strings.Contains(w.Body.String(), detail) {
				t.Errorf("%s with %q: got %d %.200s", path, coded, w.Code, w.Body)
			}
		}
		for _, coding := range []string{"deflate", "br", "zstd", "gzip, gzip", "gzip, br", "x"} {
			w := call(h, "POST", path, zip(body), "Content-Encoding", coding)
			if w.Code != 415 || w.Header().Get("Accept-Encoding") != "gzip" {
				t.Errorf("%s, %s: got %d %v, want 415", path, coding, w.Code, w.Header())
			}
		}
	}
}

// TestLongHistories: 500 histories of 300 closes each go through, plain and compressed.
func TestLongHistories(t *testing.T) {
	if testing.Short() {
		t.Skip("it forecasts 1000 histories")
	}
	h := newHandler(t)
	var b strings.Builder
	b.WriteString(`{"requests":[`)
	for i := range 500 {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(`{"ticker":"OWN","history":[`)
		for j := range 300 {
			if j > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(&b, "%.4f", 100*math.Exp(0.1*math.Sin(float64(j)/20)+0.01*math.Sin(float64(7*j+i))))
		}
		b.WriteString(`]}`)
	}
	b.WriteString(`]}`)
	plain := call(h, "POST", "/predict/batch", b.String())
	var got struct{ Results []struct{ Predictions []any } }
	if err := json.Unmarshal(plain.Body.Bytes(), &got); err != nil || len(got.Results) != 500 {
		t.Fatalf("%d bytes: got %d %.200s", b.Len(), plain.Code, plain.Body)
	}
	for i, r := range got.Results {
		if len(r.Predictions) != 1 {
			t.Fatalf("item %d has %d predictions", i, len(r.Predictions))
		}
	}
	zipped := call(h, "POST", "/predict/batch", zip(b.String()), "Content-Encoding", "gzip")
	if zipped.Body.String() != plain.Body.String() {
		t.Errorf("gzipped: got %d %.200s", zipped.Code, zipped.Body)
	}
}

// TestCompressedAnswers: long answers come as gzip to clients that take it, and mean the same.
func TestCompressedAnswers(t *testing.T) {
	s := newService(t)
	h := handlerOf(s)
	_, mk := s.Current()
	for _, tt := range []struct{ method, path, body, accept string }{
		{"POST", "/predict/batch", everyTicker(mk), "application/json"},
		{"POST", "/predict/batch", everyTicker(mk), "application/x-ndjson"},
		{"POST", inferPath, inferBody(1000), "*/*"},
	} {
		plain := call(h, tt.method, tt.path, tt.body, "Accept", tt.accept)
		w := call(h, tt.method, tt.path, tt.body, "Accept", tt.accept, "Accept-Encoding", "gzip")
		if w.Header().Get("Content-Encoding") != "gzip" ||
			unzip(t, w.Body.Bytes()) != plain.Body.String() ||
			w.Header().Get("Content-Length") != fmt.Sprint(w.Body.Len()) {
			t.Errorf("%s: got %d %v", tt.path, w.Code, w.Header())
		}
		for _, got := range []map[string][]string{plain.Header(), w.Header()} {
			if !strings.Contains(strings.Join(got["Vary"], ", "), "Accept-Encoding") {
				t.Errorf("%s: Vary is %q", tt.path, got["Vary"])
			}
		}
	}
	if w := call(h, "GET", "/tickers?limit=3", "", "Accept-Encoding", "gzip"); w.Header().Get("Content-Encoding") != "" {
		t.Errorf("a short answer: got %v", w.Header())
	}
	w := call(h, "GET", "/tickers?limit=3", "", "Accept-Encoding", "gzip, identity;q=0")
	if !strings.HasPrefix(unzip(t, w.Body.Bytes()), `{"tickers":[`) {
		t.Errorf("without identity: got %v", w.Header())
	}
}

// TestNoRoomToCompress: an answer goes as it is when there is no room for a compressed copy.
func TestNoRoomToCompress(t *testing.T) {
	l := limits.NewLimiter(512 << 10)
	mux := newHandler(t, func(cfg *predict.Config) {
		cfg.Hold = func(w http.ResponseWriter) *limits.Hold { return &w.(*heldWriter).hold }
	})
	for accept, want := range map[string]int{"gzip": 200, "gzip, identity;q=0": 503} {
		answer := httptest.NewRecorder()
		w := &heldWriter{ResponseWriter: answer}
		l.Open(&w.hold, w, limits.FreeBytes)
		r := httptest.NewRequest("POST", "/predict/batch", strings.NewReader(`{"requests":[`+
			strings.Repeat(`{"ticker":"A","days_ahead":30},`, 20)+`{"ticker":"A"}]}`))
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Accept-Encoding", accept)
		mux.ServeHTTP(w, r)
		w.hold.Release()
		if answer.Code != want || answer.Header().Get("Content-Encoding") != "" ||
			want == 200 && answer.Body.Len() < 64<<10 {
			t.Errorf("%s: got %d %v, want %d and no coding", accept, answer.Code, answer.Header(),
				want)
		}
		if used := l.Used(); used != 0 {
			t.Errorf("%s: %d bytes are in use afterwards", accept, used)
		}
	}
}

// everyTicker is a batch that asks for 30 days of each listed ticker, again and again.
func everyTicker(mk *market.Market) string {
	var b strings.Builder
	for i := range 503 {
		fmt.Fprintf(&b, `,{"ticker":"%s","days_ahead":30}`, mk.Tickers()[i%len(mk.Tickers())].Name)
	}
	return `{"requests":[` + b.String()[1:] + `]}`
}

func TestAcceptEncoding(t *testing.T) {
	s := newService(t)
	h := handlerOf(s)
	_, mk := s.Current()
	body := everyTicker(mk)
	for accept, want := range map[string]bool{
		"": false, "gzip": true, "GZIP": true, "x-gzip": true, "gzip, deflate, br, zstd": true,
		"deflate, br": false, "*": true, "gzip;q=0": false, "gzip;q=0, *": false, "*;q=0": false,
		"gzip;q=0.0": false, "gzip; Q=0.001": true, "gzip;q=1.000": true, "gzip;q=2": false,
		"gzip;q=nan": false, "gzip;q=": false, "identity, gzip;q=0.5": false,
		"identity;q=0.5, gzip;q=0.5": true, "identity;q=0.5, *;q=1": true, "br;q=1.0,gzip;q=0.8,*;q=0.1": true,
		"gzipped": false, "gzip ; q=0": false, "gzip;q=-1": false, "gzip;q=1e-3": false, ",,gzip": true,
	} {
		w := call(h, "POST", "/predict/batch", body, "Accept-Encoding", accept)
		if got := w.Header().Get("Content-Encoding") == "gzip"; got != want {
			t.Errorf("%q: compressed is %v, want %v", accept, got, want)
		}
	}
}

// FuzzGzip: any compressed body gets an answer as plain bytes would.
func FuzzGzip(f *testing.F) {
	f.Add([]byte(zip(`{"ticker":"A"}`)))
	f.Add([]byte(zip(`{"ticker"`) + zip(`:"A"}`)))
	f.Add([]byte(zip(strings.Repeat(" ", 1<<17))))
	f.Add([]byte("\x1f\x8b\x08\x04"))
	h := newHandler(f)
	f.Fuzz(func(t *testing.T, body []byte) {
		w := call(h, "POST", "/predict", string(body), "Content-Encoding", "gzip")
		z, err := gzip.NewReader(bytes.NewReader(body))
		if err != nil {
			if w.Code != 400 && w.Code != 422 {
				t.Errorf("%q: got %d %s for no gzip", body, w.Code, w.Body)
			}
			return
		}
		plain, err := io.ReadAll(io.LimitReader(z, 64<<10+1))
		switch want := call(h, "POST", "/predict", string(plain)); {
		case err == nil && w.Code != want.Code && w.Code != 400:
			t.Errorf("%q: got %d %s, want %d %s", body, w.Code, w.Body, want.Code, want.Body)
		case err != nil && w.Code != 400 && w.Code != 413:
			t.Errorf("%q: got %d %s for faulty gzip", body, w.Code, w.Body)
		}
	})
}
