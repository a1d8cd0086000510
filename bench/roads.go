package bench

import (
	"fmt"
	"math"
	"math/rand/v2"
	"strconv"

	"tickercast/bench/load"
)

// A Road is a way to ask for forecasts that is measured of its own, and what it is compared with.
type Road struct {
	Name     string // as commands name it
	Title    string
	Workload func(host string) Workload
	Conns    int
	TLS      bool
	Streams  int // of HTTP/2 on each connection; 0 means HTTP/1.1
}

// Roads lists the roads that users take.
func Roads() []Road {
	return []Road{
		{Name: "post", Title: "POST /predict, 5 days", Workload: Hit, Conns: 64},
		{Name: "month", Title: "POST /predict, 30 days", Workload: HitMonth, Conns: 64},
		{Name: "get", Title: "GET /predict/{ticker}?days_ahead=5", Workload: Get, Conns: 64},
		{Name: "health", Title: "GET /health", Workload: Health, Conns: 64},
		{Name: "tls", Title: "POST /predict, 5 days, over TLS, HTTP/1.1", Workload: Hit, Conns: 64,
			TLS: true},
		{Name: "h2", Title: "POST /predict, 5 days, over TLS, HTTP/2, 16 x 8 streams",
			Workload: Hit, Conns: 16, TLS: true, Streams: 8},
		{Name: "batch", Title: "POST /predict/batch, 10 tickers, 5 days", Workload: BatchOfTen,
			Conns: 8},
		{Name: "history", Title: "POST /predict, 300 closes of history, 5 days", Workload: History,
			Conns: 8},
		{Name: "infer", Title: "POST /v2/models/tickercast/infer, 2 tickers, 5 days",
			Workload: Infer, Conns: 8},
	}
}

// HitMonth is Hit with thirty days.
func HitMonth(host string) Workload {
	var bodies [][]byte
	for i := range 4 * len(tickers) {
		bodies = append(bodies, appendBody(nil, tickers[i%len(tickers)], 30,
			confidences[i/len(tickers)]))
	}
	return cycle(host, "/predict", bodies)
}

// Get asks for each ticker as a browser does.
func Get(host string) Workload {
	var requests [][]byte
	for _, ticker := range tickers {
		requests = append(requests, load.NewRequest("GET", "/predict/"+ticker+"?days_ahead=5",
			host, nil))
	}
	return inTurn(requests)
}

// Health asks what probes ask.
func Health(host string) Workload {
	return inTurn([][]byte{load.NewRequest("GET", "/health", host, nil)})
}

// BatchOfTen asks in each call for ten forecasts of five days, which are in the cache.
func BatchOfTen(host string) Workload {
	var bodies [][]byte
	for k := range len(tickers) {
		bodies = append(bodies, batchBody(10, func(b []byte, i int) []byte {
			return appendBody(b, tickers[(k+i)%len(tickers)], 5, confidences[k%len(confidences)])
		}))
	}
	return cycle(host, "/predict/batch", bodies)
}

// HistoryLength is the number of closes in a request of History.
const HistoryLength = 300

// History brings series of its own: walks of HistoryLength closes with two to four decimals, as
// clients have them.
func History(host string) Workload {
	var bodies [][]byte
	rng := rand.New(rand.NewPCG(3, 0))
	for _, ticker := range tickers {
		b := fmt.Appendf(nil, `{"ticker":"%s","days_ahead":5,"as_of":"2026-02-18","history":[`,
			ticker)
		price, decimals := 10*math.Exp(3*rng.Float64()), 2+rng.IntN(3)
		for i := range HistoryLength {
			if i > 0 {
				b = append(b, ',')
			}
			price *= math.Exp(0.015 * rng.NormFloat64())
			b = strconv.AppendFloat(b, price, 'f', decimals, 64)
		}
		bodies = append(bodies, append(b, "]}"...))
	}
	return cycle(host, "/predict", bodies)
}

// Infer asks for two tickers by the Open Inference Protocol.
func Infer(host string) Workload {
	var bodies [][]byte
	for i, ticker := range tickers {
		bodies = append(bodies, fmt.Appendf(nil, `{"inputs":[`+
			`{"name":"ticker","shape":[2],"datatype":"BYTES","data":["%s","%s"]},`+
			`{"name":"days_ahead","shape":[1],"datatype":"INT32","data":[5]}]}`,
			ticker, tickers[(i+1)%len(tickers)]))
	}
	return cycle(host, "/v2/models/tickercast/infer", bodies)
}
