package cli

import (
	"strings"
	"testing"

	"tickercast/model/source"
	"tickercast/predict/server"
)

func TestBanner(t *testing.T) {
	m, mk, err := source.Config{}.Open(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	info := server.Info{Addr: "[::]:8080", AdminAddr: "127.0.0.1:9090", Model: m, Market: mk}
	cfg := server.Default()
	prices := "prices: 503 tickers up to " + mk.AsOf().String()
	model := "model: " + m.Version()
	for _, tt := range []struct {
		edit  func()
		age   int
		wants []string
	}{
		{func() {}, 5, []string{"open http://localhost:8080/docs",
			"forecasts at http://localhost:8080/predict", "metrics at http://127.0.0.1:9090/metrics",
			prices + ", 5 trading days ago; by calendar: XNYS 503", model, "Ctrl-C"}},
		{func() { cfg.TLSCert, info.AdminAddr = "chain.pem", "unix:/run/admin" }, 6,
			[]string{"open https://localhost:8080/docs", "forecasts at https://localhost:8080/predict",
				"metrics at /metrics of unix:/run/admin", prices, "serve newer ones with -prices FILE",
				model, "Ctrl-C"}},
		{func() { cfg.Docs, info.AdminAddr = "off", "" }, 0,
			[]string{"forecasts at https://localhost:8080/predict", prices, model, "Ctrl-C"}},
		{func() { info.Addr = "unix:/run/http" }, 0,
			[]string{"forecasts at /predict of unix:/run/http", prices, model, "Ctrl-C"}},
	} {
		tt.edit()
		var out strings.Builder
		writeBanner(&out, &cfg, info, tt.age)
		lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
		if len(lines) != len(tt.wants) {
			t.Fatalf("got %q, want %d lines", lines, len(tt.wants))
		}
		for i, want := range tt.wants {
			if !strings.Contains(lines[i], want) {
				t.Errorf("line %d is %q, want %q in it", i+1, lines[i], want)
			}
			if strings.Count(lines[i], "://") > 1 {
				t.Errorf("line %d has two URLs: %q", i+1, lines[i])
			}
		}
	}
}

func TestLocalURL(t *testing.T) {
	for addr, want := range map[string]string{
		"[::]:80":        "http://localhost:80",
		"0.0.0.0:80":     "http://localhost:80",
		"127.0.0.1:8080": "http://127.0.0.1:8080",
		"[::1]:8080":     "http://[::1]:8080",
	} {
		if got := localURL("http", addr); got != want {
			t.Errorf("localURL(%q) = %q, want %q", addr, got, want)
		}
	}
}
