// Package bench measures tickercast as its clients see it: it holds the workload behind the figures
// in the README and end-to-end benchmarks of the real binary.
//
// Benchmarks of single parts are beside them: of decode and encode in predict, of the cache in
// cache, of the arithmetic in model.
package bench

import (
	"fmt"
	"math/rand/v2"
	"strconv"
	"sync/atomic"

	"tickercast/bench/load"
)

// The workloads resemble what clients of a forecast service send, as far as that decides the cost
// of an answer. They name forty liquid US stocks, which any file of US prices is likely to hold. A
// request is a body as the contract documents it, 30 to 67 bytes, with the headers of a usual
// client, 166 to 204 bytes in all.
//
//   - Throughput and CPU time (Hit, Miss): answers have five rows and about 780 bytes, so that a
//     canned reply of that size does the same work on the network.
//   - Latency (Mixed): horizons and confidences differ, answers have 150 bytes to 4.7 kB.
//   - Batches (Batch): a thousand forecasts of one day, 60 kB answered with 170.
//   - Overload (BatchMiss): five hundred new forecasts, a hundred times the work of a refusal.
var tickers = [...]string{
	"AAPL", "MSFT", "NVDA", "AMZN", "GOOGL", "META", "AVGO", "TSLA", "JPM", "LLY",
	"V", "XOM", "MA", "UNH", "COST", "WMT", "PG", "HD", "JNJ", "NFLX",
	"ABBV", "BAC", "CRM", "ORCL", "CVX", "MRK", "KO", "AMD", "PEP", "CSCO",
	"ACN", "LIN", "MCD", "ADBE", "TMO", "ABT", "GE", "IBM", "DIS", "QCOM",
}

// Tickers lists the tickers that the workloads ask for.
func Tickers() []string { return append([]string(nil), tickers[:]...) }

var confidences = [...]string{"0.8", "0.9", "0.95", "0.99"}

// A Workload is a stream of requests, as load.Config.Requests wants it: it returns for each
// connection a function that returns the next request.
type Workload func(conn int) func() []byte

// Workloads returns all workloads by the name that commands use.
func Workloads(host string) map[string]Workload {
	return map[string]Workload{"hit": Hit(host), "miss": Miss(host), "mixed": Mixed(host),
		"batch": Batch(host), "batchmiss": BatchMiss(host), "month": HitMonth(host),
		"get": Get(host), "health": Health(host), "ten": BatchOfTen(host),
		"history": History(host), "infer": Infer(host)}
}

// appendBody appends the body of a request for one forecast.
func appendBody(b []byte, ticker string, days int, confidence string) []byte {
	return fmt.Appendf(b, `{"ticker":"%s","days_ahead":%d,"confidence_interval":%s}`, ticker, days,
		confidence)
}

// HitBodies returns the bodies of Hit: every ticker and confidence, five days.
func HitBodies() (bodies [][]byte) {
	for _, ticker := range tickers {
		for _, c := range confidences {
			bodies = append(bodies, appendBody(nil, ticker, 5, c))
		}
	}
	rand.New(rand.NewPCG(1, 0)).Shuffle(len(bodies),
		func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	return bodies
}

// Hit asks for 160 keys in turn: after the first round each is in the cache.
func Hit(host string) Workload { return cycle(host, "/predict", HitBodies()) }

// BatchSize is the number of forecasts in a request of Batch, the most that one call may hold.
const BatchSize = 1000

// Batch asks for BatchSize forecasts of one day in a call, 160 keys over and over.
func Batch(host string) Workload {
	body := batchBody(BatchSize, func(b []byte, i int) []byte {
		return appendBody(b, tickers[i%len(tickers)], 1,
			confidences[i/len(tickers)%len(confidences)])
	})
	return cycle(host, "/predict/batch", [][]byte{body})
}

// batchBody returns the body of a batch of n requests; appendItem appends the i-th.
func batchBody(n int, appendItem func(b []byte, i int) []byte) []byte {
	b := []byte(`{"requests":[`)
	for i := range n {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendItem(b, i)
	}
	return append(b, "]}"...)
}

// Mixed draws 4,096 requests: the ticker of rank k with weight 1/k, one day half of the time, no
// confidence in three of five. They hold 549 distinct keys.
func Mixed(host string) Workload {
	rng := rand.New(rand.NewPCG(2, 0))
	var total float64
	for k := range tickers {
		total += 1 / float64(k+1)
	}
	days := [...]int{1, 1, 1, 1, 1, 5, 5, 10, 21, 30}
	bodies := make([][]byte, 4096)
	for i := range bodies {
		u, rank := rng.Float64()*total, 0
		for ; rank < len(tickers)-1; rank++ {
			if u -= 1 / float64(rank+1); u < 0 {
				break
			}
		}
		b := fmt.Appendf(nil, `{"ticker":"%s","days_ahead":%d`, tickers[rank],
			days[rng.IntN(len(days))])
		if rng.IntN(5) < 2 {
			b = fmt.Appendf(b, `,"confidence_interval":%s`, confidences[rng.IntN(len(confidences))])
		}
		bodies[i] = append(b, '}')
	}
	return cycle(host, "/predict", bodies)
}

// cycle sends the bodies in turn. Connections begin at different places, so that they do not all
// ask for one key at once.
func cycle(host, path string, bodies [][]byte) Workload {
	requests := make([][]byte, len(bodies))
	for i, b := range bodies {
		requests[i] = load.NewRequest("POST", path, host, b)
	}
	return inTurn(requests)
}

// inTurn is cycle for whole requests.
func inTurn(requests [][]byte) Workload {
	return func(conn int) func() []byte {
		i := conn * 61 % len(requests)
		return func() []byte {
			r := requests[i]
			if i++; i == len(requests) {
				i = 0
			}
			return r
		}
	}
}

// Confidences that never repeat are counted in billionths between those that the service accepts.
// The streams of a Workload share a counter, which begins anywhere: another process may have left
// its keys in the server.
const lowest, highest = 800_000_000, 990_000_000

func newCounter() *atomic.Int64 {
	n := new(atomic.Int64)
	n.Store(rand.Int64N(highest - lowest))
	return n
}

// setConfidence writes the k-th confidence over the nine digits that end at the given place.
func setConfidence(request []byte, end int, k int64) {
	strconv.AppendInt(request[:end-9], lowest+k%(highest-lowest), 10)
}

// Miss asks for a new key each time, in requests and answers of the size of Hit's.
func Miss(host string) Workload {
	n := newCounter()
	return func(int) func() []byte {
		var requests [len(tickers)][]byte
		for i, ticker := range tickers {
			requests[i] = load.NewRequest("POST", "/predict", host,
				appendBody(nil, ticker, 5, "0.800000000"))
		}
		return func() []byte {
			k := n.Add(1)
			r := requests[k%int64(len(tickers))]
			setConfidence(r, len(r)-1, k)
			return r
		}
	}
}

// BatchMissSize is the number of forecasts in a request of BatchMiss.
const BatchMissSize = 500

// BatchMiss asks in each call for BatchMissSize forecasts of five days with new keys.
func BatchMiss(host string) Workload {
	n := newCounter()
	return func(int) func() []byte {
		var ends [BatchMissSize]int // of the confidences, in the body
		body := batchBody(BatchMissSize, func(b []byte, i int) []byte {
			b = appendBody(b, tickers[i%len(tickers)], 5, "0.800000000")
			ends[i] = len(b) - 1
			return b
		})
		request := load.NewRequest("POST", "/predict/batch", host, body)
		head := len(request) - len(body)
		return func() []byte {
			for _, end := range ends {
				setConfidence(request, head+end, n.Add(1))
			}
			return request
		}
	}
}
