package docs_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"

	"tickercast/docs"
)

// TestSend tries the console against a server that is slow where the test says so.
func TestSend(t *testing.T) {
	if testing.Short() {
		t.Skip("a browser takes seconds to start")
	}
	release, gone := make(chan struct{}), make(chan struct{}, 9)
	site := docs.New(docs.Config{})
	mux := http.NewServeMux()
	mux.HandleFunc("GET /docs", site.Page)
	mux.HandleFunc("GET /docs/{asset}", site.Asset)
	mux.HandleFunc("GET /openapi.json", site.OpenAPI)
	mux.HandleFunc("POST /predict", func(w http.ResponseWriter, r *http.Request) {
		var q struct{ Ticker string }
		json.NewDecoder(r.Body).Decode(&q)
		if q.Ticker == "SLOW" {
			select {
			case <-release:
			case <-r.Context().Done():
				gone <- struct{}{}
			}
		}
		writeJSON(w, 200, []any{map[string]any{"ticker": q.Ticker}})
	})
	s := httptest.NewServer(mux)
	defer s.Close()
	defer close(release)
	b := startBrowser(t)
	p := b.open(t, s.URL+"/docs#"+predictID, desktop)
	body := func(json string) {
		p.eval(inRoute(predictID, "textarea")+".value = `"+json+"`", nil)
	}
	const send, cancel = "#" + predictID + " .primary", "#" + predictID + " .try .bar button:nth-of-type(2)"
	button := inRoute(predictID, ".primary") + ".textContent"
	answer := inRoute(predictID, ".result pre") + ".textContent"

	body(`{"ticker": "SLOW"}`)
	p.same("before", button, "Send")
	p.click(send)
	p.wait(button + ` === "Sending…"`)
	p.same("Cancel is there", inRoute(predictID, ".try .bar button:nth-of-type(2)")+".hidden",
		"false")
	body(`{"ticker": "FAST"}`)
	p.click(send)
	p.wait(answer + `.includes("FAST")`)
	<-gone // the first call was given up, so its answer cannot come
	p.same("after", button, "Send")
	p.same("the answer", answer+`.includes("SLOW")`, "false")

	body(`{"ticker": "SLOW"}`)
	p.click(send)
	p.wait(button + ` === "Sending…"`)
	p.click(cancel)
	p.wait(button + ` === "Send"`)
	<-gone
	p.same("it says so", inRoute(predictID, ".try > .bar [role=status]")+".textContent", "Cancelled.")
	p.same("the answer before stays", answer+`.includes("FAST")`, "true")

	s.CloseClientConnections()
	s.Listener.Close()
	body(`{"ticker": "FAST"}`)
	p.click(send)
	p.wait(inRoute(predictID, ".result .error") + `?.textContent.startsWith("No answer")`)
	p.same("after no answer", button, "Send")
}
