package docs_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	"tickercast/docs"
)

const prefix = "/some/prefix"

// backend answers every route of the document with the document's own example. Only POST /predict
// and GET /tickers, which the studio calls, compute their answers: a fan that widens by a dollar a
// day. So the page is tested against the document and needs no server.
type backend struct {
	*httptest.Server
	key    string // the API key that requests must carry; empty for none
	mu     sync.Mutex
	bodies []string // of POST /predict; guarded by mu
}

func startBackend(t *testing.T) *backend {
	t.Helper()
	b := &backend{}
	site := docs.New(docs.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", site.Page)
	mux.HandleFunc("GET /docs/{asset}", site.Asset)
	mux.HandleFunc("GET /openapi.json", site.OpenAPI)
	mux.HandleFunc("POST /predict", b.predict)
	mux.HandleFunc("GET /tickers", func(w http.ResponseWriter, r *http.Request) {
		q := strings.ToUpper(r.FormValue("q"))
		found := []any{}
		for _, name := range []string{"AAPL", "MSFT", "MSI", "NVDA"} {
			if strings.HasPrefix(name, q) {
				found = append(found, map[string]any{"ticker": name, "as_of": "2026-02-18",
					"close": 100})
			}
		}
		writeJSON(w, 200, map[string]any{"tickers": found, "total": len(found), "limit": 8,
			"offset": 0})
	})
	doc := parseDocument(t)
	for path, methods := range doc.Paths {
		for method, op := range methods {
			pattern := strings.ToUpper(method) + " " + path
			if _, taken := mux.Handler(httptest.NewRequest(strings.ToUpper(method), path,
				nil)); taken != "" {
				continue
			}
			media, ok := op.Responses["200"].Content["application/json"]
			if !ok {
				t.Fatalf("%s: no JSON to answer with", pattern)
			}
			mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
				ticker := r.PathValue("ticker")
				if ticker == "ZZZZQ" {
					unknownTicker(w)
					return
				}
				answer := media.first()
				if o, ok := answer.(map[string]any); ok && ticker != "" {
					o = maps.Clone(o)
					o["ticker"] = ticker
					answer = o
				}
				writeJSON(w, 200, answer)
			})
		}
	}
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		open := r.URL.Path == "/openapi.json" || strings.HasPrefix(r.URL.Path, "/docs")
		if b.key != "" && !open && r.Header.Get("Authorization") != "Bearer "+b.key {
			writeJSON(w, 401, map[string]any{"detail": "Not authenticated"})
			return
		}
		if strings.HasPrefix(r.URL.Path, prefix) {
			// A proxy that publishes the server below a path does this.
			http.StripPrefix(prefix, mux).ServeHTTP(w, r)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(b.Close)
	return b
}

func (b *backend) predict(w http.ResponseWriter, r *http.Request) {
	q := struct {
		Ticker     string    `json:"ticker"`
		Days       int       `json:"days_ahead"`
		Confidence float64   `json:"confidence_interval"`
		Levels     []float64 `json:"levels"`
	}{Days: 1, Confidence: 0.95}
	var body strings.Builder
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, 1<<16)).Decode(&q); err != nil {
		writeJSON(w, 422, map[string]any{"detail": []any{map[string]any{
			"type": "json_invalid", "loc": []any{"body", 1}, "msg": "JSON decode error",
			"input": map[string]any{}, "ctx": map[string]any{"error": "Expecting value"}}}})
		return
	}
	fmt.Fprintf(&body, "%s %d %g", q.Ticker, q.Days, q.Confidence)
	b.mu.Lock()
	b.bodies = append(b.bodies, body.String())
	b.mu.Unlock()
	if q.Ticker == "ZZZZQ" {
		unknownTicker(w)
		return
	}
	rows := []any{}
	for day := 1; day <= q.Days; day++ {
		width := float64(day)
		row := map[string]any{"ticker": strings.ToUpper(q.Ticker),
			"date": fmt.Sprintf("2026-%02d-%02d", 3+day/29, 1+day%29), "model_version": "test",
			"predicted_price": 264, "confidence_lower": 264 - width*q.Confidence,
			"confidence_upper": 264 + width*q.Confidence}
		if q.Levels != nil {
			intervals := []any{}
			for _, c := range q.Levels {
				intervals = append(intervals,
					map[string]any{"confidence": c, "lower": 264 - width*c, "upper": 264 + width*c})
			}
			row["intervals"] = intervals
		}
		rows = append(rows, row)
	}
	writeJSON(w, 200, rows)
}

func (b *backend) asked() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.bodies)
}

func unknownTicker(w http.ResponseWriter) {
	writeJSON(w, 404, map[string]any{"detail": "Unknown ticker 'ZZZZQ'"})
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}
