package predict_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"testing"

	"tickercast/model"
	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/predict/server"
)

// exchange is a request and what must come back.
type exchange struct {
	Name    string
	Method  string
	Path    string
	Headers map[string]string
	Body    string
	Base64  []byte `json:"body_base64"`

	Status int
	JSON   json.RawMessage
	Text   *string
	Want   *struct {
		Rows   int
		Ticker string
	}
	RespHeaders map[string]string `json:"resp_headers"`
}

// TestExchanges runs the exchanges of testdata and, where it is there, the shared reference over a
// real connection.
func TestExchanges(t *testing.T) {
	for _, file := range []string{"testdata/exchanges.json",
		"../../shared/reference/vectors.json"} {
		t.Run(file, func(t *testing.T) {
			b, err := os.ReadFile(file)
			if os.IsNotExist(err) && strings.HasPrefix(file, "..") {
				t.Skip("the shared reference is not here")
			}
			if err != nil {
				t.Fatal(err)
			}
			var all []exchange
			if err := json.Unmarshal(b, &all); err != nil {
				t.Fatal(err)
			}
			url := startServer(t)
			for _, x := range all {
				t.Run(x.Name, func(t *testing.T) { x.run(t, url) })
			}
		})
	}
}

// startServer serves the test market until the test ends.
func startServer(t *testing.T) (url string) {
	t.Helper()
	m, err := model.Embedded()
	if err != nil {
		t.Fatal(err)
	}
	mk := testMarket(t, 1, "A", "AAPL", "MSFT", "NVDA")
	ready := make(chan string, 1)
	cfg := server.Default()
	cfg.Addr, cfg.AdminAddr = "127.0.0.1:0", ""
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.Load = func(context.Context) (*calibrate.Yearly, *market.Market, error) {
		return calibrate.Fixed(m), mk, nil
	}
	cfg.OnReady = func(i server.Info) { ready <- i.Addr }
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case addr := <-ready:
		return "http://" + addr
	case err := <-ended:
		t.Fatalf("the server ended before it was ready: %v", err)
		return ""
	}
}

func (x *exchange) run(t *testing.T, url string) {
	body := x.Base64
	if body == nil {
		body = []byte(x.Body)
	}
	req, err := http.NewRequestWithContext(t.Context(), x.Method, url+x.Path, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for k, v := range x.Headers {
		req.Header.Set(k, v)
	}
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != x.Status {
		t.Fatalf("status: got %d %s, want %d", resp.StatusCode, got, x.Status)
	}
	for k, want := range x.RespHeaders {
		if got := resp.Header.Get(k); got != want {
			t.Errorf("%s: got %q, want %q", k, got, want)
		}
	}
	switch {
	case x.Text != nil:
		if string(got) != *x.Text {
			t.Errorf("body: got %q, want %q", got, *x.Text)
		}
	case x.JSON != nil:
		var want bytes.Buffer
		if err := json.Compact(&want, x.JSON); err != nil {
			t.Fatal(err)
		}
		if string(got) != want.String() {
			t.Errorf("body:\ngot  %s\nwant %s", got, want.String())
		}
	case x.Want != nil:
		var rows []map[string]any
		if err := json.Unmarshal(got, &rows); err != nil {
			t.Fatal(err)
		}
		if len(rows) != x.Want.Rows || rows[0]["ticker"] != x.Want.Ticker {
			t.Errorf("got %d rows of %v, want %d of %s", len(rows), rows[0]["ticker"], x.Want.Rows,
				x.Want.Ticker)
		}
	}
	if x.Text == nil {
		if got := resp.Header.Get("Content-Type"); got != "application/json" {
			t.Errorf("Content-Type: got %q, want application/json", got)
		}
	}
}
