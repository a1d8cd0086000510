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
	var out strings.Builder
	writeBanner(&out, server.Info{Addr: "[::]:8080", AdminAddr: "127.0.0.1:9090", Model: m,
		Market: mk}, 7)
	lines := strings.Split(strings.TrimSuffix(out.String(), "\n"), "\n")
	wants := []string{"http://localhost:8080/predict", m.Version(),
		mk.AsOf().String() + ", 7 trading days ago; by calendar: XNYS 503"}
	if len(lines) != len(wants) || !strings.Contains(lines[0], "http://127.0.0.1:9090/metrics") {
		t.Fatalf("got %q, want three lines, and the admin address in the first", lines)
	}
	for i, want := range wants {
		if !strings.Contains(lines[i], want) {
			t.Errorf("line %d is %q, want %q in it", i+1, lines[i], want)
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
		if got := localURL(addr); got != want {
			t.Errorf("localURL(%q) = %q, want %q", addr, got, want)
		}
	}
}
