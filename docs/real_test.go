package docs_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"tickercast/model/calibrate"
	"tickercast/model/market"
	"tickercast/model/source"
	"tickercast/predict/server"
)

// embedded are weights and prices of the binary, opened once.
var embedded = sync.OnceValues(func() (data, error) { return openData(source.Config{}) })

type data struct {
	model  *calibrate.Yearly
	market *market.Market
}

func openData(src source.Config) (data, error) {
	m, prices, err := src.Open(context.Background())
	if err != nil {
		return data{}, err
	}
	return data{calibrate.Fixed(m), prices}, nil
}

func (d data) load(context.Context) (*calibrate.Yearly, *market.Market, error) {
	return d.model, d.market, nil
}

// startServer starts the program's own server on loopback and returns its URL. It ends with the
// test.
func startServer(t *testing.T, d data, change func(*server.Config)) string {
	t.Helper()
	ready, stop := make(chan server.Info, 1), make(chan os.Signal, 1)
	cfg := server.Default()
	cfg.Addr, cfg.AdminAddr, cfg.HealthSocket = "127.0.0.1:0", "127.0.0.1:0", ""
	cfg.Load = d.load
	cfg.Logger = slog.New(slog.DiscardHandler)
	cfg.OnReady = func(i server.Info) { ready <- i }
	cfg.Signals.Stop = stop
	cfg.DrainDelay = 0
	if change != nil {
		change(&cfg)
	}
	s, err := server.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	select {
	case i := <-ready:
		return "http://" + i.Addr
	case err := <-ended:
		ended <- err
		t.Fatalf("the server ended: %v", err)
		return ""
	}
}

// startEmbedded serves what the binary embeds.
func startEmbedded(t *testing.T, change func(*server.Config)) string {
	t.Helper()
	d, err := embedded()
	if err != nil {
		t.Fatal(err)
	}
	return startServer(t, d, change)
}

// below publishes a server below a prefix, which it strips as nginx does.
func below(t *testing.T, at, prefix string) string {
	t.Helper()
	to, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(to)
	s := httptest.NewServer(http.StripPrefix(prefix, proxy))
	t.Cleanup(s.Close)
	return s.URL + prefix
}

// keysFile holds the key of a client, as a server reads it.
func keysFile(t *testing.T, lines ...string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "keys")
	if err := os.WriteFile(file, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
