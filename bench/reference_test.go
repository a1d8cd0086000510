package bench

import (
	"net/http/httptest"
	"strings"
	"testing"
)

func TestReference(t *testing.T) {
	for _, n := range []int{2, 150, AnswerBytes, 5000} {
		w := httptest.NewRecorder()
		Reference(n).ServeHTTP(w, httptest.NewRequest("POST", "/predict", strings.NewReader("{}")))
		body := w.Body.String()
		if w.Code != 200 || len(body) != n || body[0] != '[' || body[n-1] != ']' ||
			w.Header().Get("Content-Type") != "application/json" {
			t.Errorf("n = %d: status %d, %d bytes, header %v", n, w.Code, len(body), w.Header())
		}
	}
}
