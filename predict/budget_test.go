package predict_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"

	"tickercast/predict"
)

// slowReader is a client that takes the headers, and the body when it is let go.
type slowReader struct {
	*httptest.ResponseRecorder
	wait chan struct{}
}

func (w slowReader) Write(b []byte) (int, error) {
	<-w.wait
	return w.ResponseRecorder.Write(b)
}

// TestSlowReadersOfLargeAnswers: what few clients hold is bounded, and the others are served
// meanwhile.
func TestSlowReadersOfLargeAnswers(t *testing.T) {
	list := func(n int, item string) string {
		return `{"requests":[` + strings.TrimSuffix(strings.Repeat(item+",", n), ",") + `]}`
	}
	tickers := strings.TrimSuffix(strings.Repeat(`"A",`, 1000), ",")
	large := map[string]string{
		// 4.6 MB
		"/predict/batch": list(1000, `{"ticker":"A","days_ahead":30}`),
		// 1.2 MB
		inferPath: `{"inputs":[{"name":"ticker","datatype":"BYTES","shape":[1000],"data":[` + tickers + `]},
			{"name":"days_ahead","datatype":"INT32","shape":[1],"data":[30]}]}`,
	}
	for path, body := range large {
		synctest.Test(t, func(t *testing.T) {
			// less than either
			s := newService(t, func(cfg *predict.Config) { cfg.AnswerBytes = 1 << 20 })
			defer s.Close()
			mux := http.NewServeMux()
			mux.HandleFunc("POST /predict/batch", s.ServeBatch)
			mux.HandleFunc("POST /v2/models/{name}/infer", s.ServeModelInfer)
			first := slowReader{httptest.NewRecorder(), make(chan struct{})}
			done := make(chan struct{})
			go func() {
				defer close(done)
				r := httptest.NewRequest("POST", path, strings.NewReader(body))
				r.Header.Set("Content-Type", "application/json")
				mux.ServeHTTP(first, r)
			}()
			synctest.Wait()
			if w := post(t, mux.ServeHTTP, path, body); w.Code != 503 ||
				w.Header().Get("Retry-After") != "1" {
				t.Errorf("%s, beside a slow reader: %d %.100s, want a 503 with Retry-After", path,
					w.Code, w.Body)
			}
			if w := post(t, mux.ServeHTTP, "/predict/batch",
				list(100, `{"ticker":"A"}`)); w.Code != 200 {
				t.Errorf("a small batch beside a slow reader of %s: %d %.100s, want 200", path,
					w.Code, w.Body)
			}
			close(first.wait)
			<-done
			if first.Code != 200 || first.Body.Len() < 1<<20 {
				t.Errorf("%s, alone: %d, %d bytes; want 200 and more than AnswerBytes", path,
					first.Code, first.Body.Len())
			}
			if w := post(t, mux.ServeHTTP, path, body); w.Code != 200 {
				t.Errorf("%s, afterwards: %d %.100s, want 200", path, w.Code, w.Body)
			}
			if got := s.AnswersRefused(); got != 1 {
				t.Errorf("%s: %d refused, want 1", path, got)
			}
		})
	}
}
