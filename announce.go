package main

import (
	"fmt"
	"io"
	"log/slog"
	"net"
	"runtime"
	"time"
	"unicode/utf8"

	"tickercast/model/calendar"
	"tickercast/predict"
)

// announce says that the server answers, and what: one line of the log, or three lines on a
// terminal. The line has room for more.
func (p *program) announce(logger *slog.Logger, addr, admin string, w world, more ...any) {
	asOf := w.market.AsOf()
	age := calendar.Between(asOf, calendar.FromTime(time.Now().UTC()))
	if isTerminal(p.stderr) {
		announceTo(p.stderr, addr, admin, w, age)
		return
	}
	logger.Info("serving",
		append([]any{"addr", addr, "admin_addr", admin, "model", w.model.Version(), "as_of",
			asOf.String(),
			"age_trading_days", age, "tickers", len(w.market.Tickers()), "gomaxprocs",
			runtime.GOMAXPROCS(0), "version", buildVersion()}, more...)...)
}

func announceTo(out io.Writer, addr, admin string, w world, age int) {
	url := browsable(addr)
	fmt.Fprintf(out, "serving  %s/predict, documented and drawn at %s/docs", url, url)
	if admin != "" {
		fmt.Fprintf(out, ", metrics at %s/metrics", browsable(admin))
	}
	fmt.Fprintf(out, "\nmodel    %s, trained on %s to %s\n", w.model.Version(),
		w.model.TrainedFrom(), w.model.TrainedTo())
	fmt.Fprintf(out, "prices   %d tickers up to %s, %d trading days ago\n", len(w.market.Tickers()),
		w.market.AsOf(), age)
}

// browsable is the URL by which this machine reaches an address that was listened on.
func browsable(addr string) string {
	host, port, err := net.SplitHostPort(addr)
	if ip := net.ParseIP(host); err == nil && (host == "" || ip != nil && ip.IsUnspecified()) {
		addr = net.JoinHostPort("localhost", port)
	}
	return "http://" + addr
}

// warn tells what of the prices is served but may not be what was meant.
func (w world) warn(logger *slog.Logger) {
	if n := w.unaskable(); n > 0 {
		logger.Warn("tickers with names too long to be asked for over HTTP", "tickers", n,
			"longest", predict.MaxTicker)
	}
	if len(w.unended) > 0 {
		logger.Warn("prices that end without a line break and may be cut short", "files", w.unended)
	}
}

// unaskable counts the tickers that only the command line can name: a request's has at most
// predict.MaxTicker characters.
func (w world) unaskable() (n int) {
	for i := range w.market.Tickers() {
		if utf8.RuneCountInString(w.market.Tickers()[i].Name) > predict.MaxTicker {
			n++
		}
	}
	return n
}
