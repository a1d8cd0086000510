package cli

import (
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"time"

	"tickercast/predict/server"
)

// announce says that the server answers, and what: some lines on a terminal, else one line of the
// log.
func (e *env) announce(cfg *server.Config, i server.Info) {
	asOf := i.Market.AsOf()
	age := i.Market.Age(time.Now())
	if isTerminal(e.stderr) {
		writeBanner(e.stderr, cfg, i, age)
		return
	}
	cfg.Logger.Info("serving", "addr", i.Addr, "admin_addr", i.AdminAddr,
		"model", i.Model.Version(), "as_of", asOf.String(), "age_trading_days", age,
		"tickers", len(i.Market.Tickers()), "calendars", i.Market.Calendars(), "gomaxprocs", runtime.GOMAXPROCS(0),
		"version", server.Version(), "max_conns", i.MaxConns, "cache_bytes", i.CacheBytes,
		"client_memory_bytes", i.HeldBytes, "max_batch_body", i.MaxBatchBody,
		"memory_limit", cfg.MemoryLimit, "fastlane", i.FastLane)
}

// oldAge is from how many closed sessions on prices are too old to be forecast from in earnest.
const oldAge = 6

// writeBanner writes one URL a line, so that none is broken at the edge of a terminal.
func writeBanner(w io.Writer, cfg *server.Config, i server.Info, age int) {
	scheme := "http"
	if cfg.TLSCert != "" {
		scheme = "https"
	}
	if url := localURL(scheme, i.Addr); strings.HasPrefix(url, "unix:") {
		fmt.Fprintf(w, "forecasts at /predict of %s\n", url)
	} else {
		if cfg.Docs != "off" {
			fmt.Fprintf(w, "open %s/docs\n", url)
		}
		fmt.Fprintf(w, "forecasts at %s/predict\n", url)
	}
	if i.AdminAddr != "" {
		if url := localURL("http", i.AdminAddr); strings.HasPrefix(url, "unix:") {
			fmt.Fprintf(w, "metrics at /metrics of %s\n", url)
		} else {
			fmt.Fprintf(w, "metrics at %s/metrics\n", url)
		}
	}
	fmt.Fprintf(w, "prices: %d tickers up to %s, %d trading days ago; by calendar: %s\n",
		len(i.Market.Tickers()), i.Market.AsOf(), age, i.Market.Calendars())
	if age >= oldAge {
		fmt.Fprintln(w, "        these are old: serve newer ones with -prices FILE")
	}
	fmt.Fprintf(w, "model: %s, trained on %s to %s\n", i.Model.Version(),
		i.Model.TrainedFrom(), i.Model.TrainedTo())
	fmt.Fprintln(w, "Ctrl-C ends the server")
}

// localURL returns a URL for addr, with localhost for a wildcard host. A unix socket has no URL.
func localURL(scheme, addr string) string {
	if strings.HasPrefix(addr, "unix:") {
		return addr
	}
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		addr = net.JoinHostPort("localhost", port)
	}
	return scheme + "://" + addr
}
