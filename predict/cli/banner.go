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

// announce says that the server answers, and what: three lines on a terminal, else one line of the
// log.
func (e *env) announce(cfg *server.Config, i server.Info) {
	asOf := i.Market.AsOf()
	age := i.Market.Age(time.Now())
	if isTerminal(e.stderr) {
		writeBanner(e.stderr, i, age)
		return
	}
	cfg.Logger.Info("serving", "addr", i.Addr, "admin_addr", i.AdminAddr,
		"model", i.Model.Version(), "as_of", asOf.String(), "age_trading_days", age,
		"tickers", len(i.Market.Tickers()), "calendars", i.Market.Calendars(), "gomaxprocs", runtime.GOMAXPROCS(0),
		"version", server.Version(), "max_conns", i.MaxConns, "cache_bytes", i.CacheBytes,
		"memory_limit", cfg.MemoryLimit, "fastlane", i.FastLane)
}

func writeBanner(w io.Writer, i server.Info, age int) {
	url := localURL(i.Addr)
	fmt.Fprintf(w, "serving  %s/predict, documented and drawn at %s/docs", url, url)
	if i.AdminAddr != "" {
		fmt.Fprintf(w, ", metrics at %s/metrics", localURL(i.AdminAddr))
	}
	fmt.Fprintf(w, "\nmodel    %s, trained on %s to %s\n", i.Model.Version(),
		i.Model.TrainedFrom(), i.Model.TrainedTo())
	fmt.Fprintf(w, "prices   %d tickers up to %s, %d trading days ago; by calendar: %s\n",
		len(i.Market.Tickers()), i.Market.AsOf(), age, i.Market.Calendars())
}

// localURL returns an http URL for addr, with localhost for a wildcard host. A unix socket has no
// URL.
func localURL(addr string) string {
	if strings.HasPrefix(addr, "unix:") {
		return addr
	}
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		addr = net.JoinHostPort("localhost", port)
	}
	return "http://" + addr
}
