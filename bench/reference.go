package bench

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
)

// AnswerBytes is the size of a typical answer to Hit, and of the reply of a Reference beside it.
const AnswerBytes = 780

// Canned returns a reply of n bytes that looks like a forecast.
func Canned(n int) []byte {
	const row = `{"ticker":"AAPL","date":"2026-02-19","predicted_price":264.35,` +
		`"confidence_lower":258.1,"confidence_upper":270.7,"model_version":"canned"},`
	return append(append([]byte{'['}, bytes.Repeat([]byte(row), n/len(row)+1)[:n-2]...), ']')
}

// Reference is a handler that only reads the body and writes a canned reply of n bytes: what
// net/http costs before any work is done.
func Reference(n int) http.Handler {
	reply := Canned(n)
	length := []string{strconv.Itoa(n)}
	contentType := []string{"application/json"}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		h := w.Header()
		h["Content-Type"], h["Content-Length"] = contentType, length
		w.Write(reply)
	})
}
