package bench

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"tickercast/predict"
)

// roadHandler has the routes that the roads ask for.
func roadHandler(s *predict.Service) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST /predict", s.ServePredict)
	mux.HandleFunc("GET /predict/{ticker}", s.ServeTicker)
	mux.HandleFunc("POST /predict/batch", s.ServeBatch)
	mux.HandleFunc("POST /v2/models/{name}/infer", s.ServeModelInfer)
	mux.HandleFunc("GET /health", s.ServeHealth)
	return mux
}

// TestRoadsAreAnswered sends a lap of each road to the endpoint: every request must get a 200 with
// as many forecasts as the road's title says.
func TestRoadsAreAnswered(t *testing.T) {
	h := roadHandler(newService(t))
	rows := map[string]int{"post": 5, "month": 30, "get": 5, "tls": 5, "h2": 5, "batch": 50,
		"history": 5}
	for _, road := range Roads() {
		next := road.Workload("there")(0)
		for range 200 {
			r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(next())))
			if err != nil {
				t.Fatalf("%s: %v", road.Name, err)
			}
			w := httptest.NewRecorder()
			h.ServeHTTP(w, r)
			got := bytes.Count(w.Body.Bytes(), []byte(`"predicted_price":`))
			if w.Code != 200 || got != rows[road.Name] {
				t.Fatalf("%s: status %d, %d rows: %.300s", road.Name, w.Code, got, w.Body)
			}
		}
	}
}

func TestHistoriesAreOfTheStatedLength(t *testing.T) {
	next := History("there")(0)
	for range len(tickers) {
		_, content, _ := bytes.Cut(next(), []byte("\r\n\r\n"))
		var b struct{ History []float64 }
		if err := json.Unmarshal(content, &b); err != nil || len(b.History) != HistoryLength {
			t.Fatalf("%d closes, error %v, want %d", len(b.History), err, HistoryLength)
		}
	}
}
