// Package bench measures tickercast from the outside: the workload that the figures in the README
// speak of, end-to-end benchmarks of the real binary, and the check that keeps a change from making
// it slower.
//
// It does not measure parts. Those have their benchmarks beside them: decode and encode in predict,
// the cache in cache, the arithmetic in model.
package bench

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync/atomic"

	"tickercast/bench/load"
)

// The workload should be like what clients of a forecast service send, as far as that decides the
// cost of an answer:
//
//   - it names liquid US stocks, forty of them, so that any price file that a user has knows them;
//   - a request is the body that the contract documents and nothing else, 30 to 67 bytes, with the headers of a usual
//     client, 166 to 204 bytes in all;
//   - for throughput and CPU time, all answers have five rows and very nearly the same size, some 780 bytes, so that a
//     canned reply of that size does the same work on the network;
//   - for latency, horizons and confidences are mixed: most clients want the next day at the default confidence, some
//     want a month, so that answers have 150 bytes to 4.7 kB; and popularity falls with rank, as it does in life;
//   - for batches, a call holds a thousand forecasts of one day, 60 kB that are answered with 170;
//   - for overload, a call for many forecasts holds five hundred of five days that nobody has asked for, and takes a hundred
//     times what a refusal does.
//
// Every stream is the same in every process: a figure never depends on a lucky draw.
var tickers = [...]string{
	"AAPL", "MSFT", "NVDA", "AMZN", "GOOGL", "META", "AVGO", "TSLA", "JPM", "LLY",
	"V", "XOM", "MA", "UNH", "COST", "WMT", "PG", "HD", "JNJ", "NFLX",
	"ABBV", "BAC", "CRM", "ORCL", "CVX", "MRK", "KO", "AMD", "PEP", "CSCO",
	"ACN", "LIN", "MCD", "ADBE", "TMO", "ABT", "GE", "IBM", "DIS", "QCOM",
}

var confidences = [...]string{"0.8", "0.9", "0.95", "0.99"}

// Tickers are those that the workload names, most popular first.
func Tickers() []string { return slices.Clone(tickers[:]) }

// Confidences are those of the Hit and Mixed streams, rising.
func Confidences() []float64 { return []float64{0.8, 0.9, 0.95, 0.99} }

// A Mix is a stream of prediction requests: it hands each connection a function that returns the
// next request, as load.Config.Requests wants it.
type Mix func(conn int) func() []byte

// Mixes are the streams by the name that commands know them by.
func Mixes(host string) map[string]Mix {
	return map[string]Mix{"hit": Hit(host), "miss": Miss(host), "mixed": Mixed(host),
		"batch": Batch(host), "batchmiss": BatchMiss(host)}
}

// HitBodies are the bodies of the Hit mix: every ticker and confidence, five days.
func HitBodies() [][]byte {
	var bodies [][]byte
	for _, ticker := range tickers {
		for _, c := range confidences {
			bodies = append(bodies, fmt.Appendf(nil,
				`{"ticker":"%s","days_ahead":5,"confidence_interval":%s}`, ticker, c))
		}
	}
	rand.New(rand.NewPCG(1, 0)).Shuffle(len(bodies),
		func(i, j int) { bodies[i], bodies[j] = bodies[j], bodies[i] })
	return bodies
}

// Hit asks for 160 keys in turn: after the first round each is in the cache.
func Hit(host string) Mix {
	return cycle(host, "/predict", HitBodies())
}

// BatchSize is the number of forecasts in a request of the Batch mix: the most that one call may
// ask for.
const BatchSize = 1000

// Batch asks for BatchSize forecasts of one day in a call: the 160 keys of a horizon over and over.
func Batch(host string) Mix {
	body := []byte(`{"requests":[`)
	for i := range BatchSize {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"ticker":"%s","days_ahead":1,"confidence_interval":%s}`,
			tickers[i%len(tickers)], confidences[i/len(tickers)%len(confidences)])
	}
	return cycle(host, "/predict/batch", [][]byte{append(body, "]}"...)})
}

// Mixed draws 4,096 requests by popularity: ticker of rank k with weight 1/k, one day half of the
// time, confidence left out more often than not. They hold 549 distinct keys.
func Mixed(host string) Mix {
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
func cycle(host, path string, bodies [][]byte) Mix {
	requests := make([][]byte, len(bodies))
	for i, b := range bodies {
		requests[i] = load.NewRequest("POST", path, host, b)
	}
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

// Miss asks for a key that was never asked for before, in requests and answers of the size of
// Hit's: there are 190 million, each a confidence of its own. Streams of one Mix never repeat each
// other; those of two processes may.
func Miss(host string) Mix {
	n := fresh()
	return func(int) func() []byte {
		var requests [len(tickers)][]byte
		// where in its request the nine digits of the confidence are
		var digits [len(tickers)][]byte
		for i, ticker := range tickers {
			body := fmt.Appendf(nil,
				`{"ticker":"%s","days_ahead":5,"confidence_interval":0.800000000}`, ticker)
			requests[i] = load.NewRequest("POST", "/predict", host, body)
			digits[i] = requests[i][len(requests[i])-10 : len(requests[i])-1]
		}
		return func() []byte {
			k := n.Add(1)
			i := int(k % int64(len(tickers)))
			strconv.AppendInt(digits[i][:0], billionths(k), 10)
			return requests[i]
		}
	}
}

// Confidences that never repeat are counted in billionths between those that the service takes.
const lowest, highest = 800_000_000, 990_000_000

func billionths(k int64) int64 { return lowest + k%(highest-lowest) }

// fresh is a counter of such confidences. It begins anywhere, since another process has left its
// keys in the server.
func fresh() *atomic.Int64 {
	n := new(atomic.Int64)
	n.Store(rand.Int64N(highest - lowest))
	return n
}

// BatchMissSize is the number of forecasts in a request of the BatchMiss mix.
const BatchMissSize = 500

// BatchMiss asks in each call for BatchMissSize forecasts of five days that were never asked for
// before.
func BatchMiss(host string) Mix {
	n := fresh()
	return func(int) func() []byte {
		body := []byte(`{"requests":[`)
		var ends [BatchMissSize]int // behind the confidences, in the body
		for i := range ends {
			if i > 0 {
				body = append(body, ',')
			}
			body = fmt.Appendf(body,
				`{"ticker":"%s","days_ahead":5,"confidence_interval":0.800000000}`,
				tickers[i%len(tickers)])
			ends[i] = len(body) - 1
		}
		body = append(body, "]}"...)
		request := load.NewRequest("POST", "/predict/batch", host, body)
		head := len(request) - len(body)
		return func() []byte {
			for _, end := range ends {
				at := head + end - 9
				strconv.AppendInt(request[:at], billionths(n.Add(1)), 10)
			}
			return request
		}
	}
}
