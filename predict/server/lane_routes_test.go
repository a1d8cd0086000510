package server_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"tickercast/predict/internal/ratelimit"
	"tickercast/predict/server"
)

// getWith is a plain GET with more headers.
func getWith(target, headers string) string {
	return "GET " + target + " HTTP/1.1\r\nHost: x\r\n" + headers + "\r\n"
}

// batchWith is a batch with more headers.
func batchWith(headers, body string) string {
	return strings.Replace(predictWith(headers, body), "/predict", "/predict/batch", 1)
}

// inferWith is an inference with more headers.
func inferWith(headers, body string) string {
	return strings.Replace(predictWith(headers, body), "/predict", inferPath, 1)
}

// twoTensors is the body of a plain inference.
const twoTensors = `{"inputs":[{"name":"ticker","shape":[2],"datatype":"BYTES","data":["AAPL",` +
	`"MSFT"]},{"name":"days_ahead","shape":[1],"datatype":"INT32","data":[5]}]}`

// batchOf is the body of a batch with some items.
func batchOf(items ...string) string { return `{"requests":[` + strings.Join(items, ",") + `]}` }

// manyMonths is the body of a short batch with a long answer.
var manyMonths = batchOf(strings.Split(strings.Repeat(`{"ticker":"AAPL","days_ahead":30};`, 12),
	";")[:12]...)

// twoYears is one with an answer that is compressed for those who accept that.
var twoYears = batchOf(strings.Split(strings.Repeat(`{"ticker":"AAPL","days_ahead":30};`, 20),
	";")[:20]...)

// twice sends a request and then, on a connection that is still in the lane if the first was, the
// same with another behind it: the first time an answer may not be in the cache.
func twice(request string) string {
	return request + request + getWith("/health", "")
}

const aMonth = `{"ticker":"MSFT","days_ahead":30}`

// own is a body with closes of its own and more fields.
func own(fields string) string {
	return `{"ticker":"MINE","history":[` + strings.Repeat("100.25, 101,99.875,", 13) + `100.5]` +
		fields + `}`
}

// otherFields are conversations with all fields of POST /predict.
var otherFields = []string{
	twice(predictWith(alice, own(""))), predictWith("", own("")), predictWith(alice, own("}")),
	predictWith(alice, own(`,"as_of":"2026-02-18","calendar":"XLON","days_ahead":30`)),
	predictWith(alice, own(`,"as_of":"9999-12-31"`)), predictWith(alice, own(`,"calendar":"x"`)),
	predictWith(alice, own(`,"levels":[0.8,0.99],"days_ahead":30`)),
	predictWith(alice, own(`,"levels":[0.8,0.81,0.9,0.99],"days_ahead":30`)),
	predictWith(alice, own(`,"levels":[]`)), predictWith(alice, own(`,"history":null`)),
	predictWith(alice, strings.Replace(own(""), "100.5", "1e2", 1)),
	predictWith(alice, strings.Replace(own(""), "100.5", "0", 1)),
	predictWith(alice, strings.Replace(own(""), "100.5", "100.4999999999999999999", 1)),
	predictWith(alice, `{"ticker":"MINE","history":[1,2]}`),
	predictWith(alice, `{"ticker":"X","history":`+history+`}`),
	twice(predictWith(alice, `{"ticker":"AAPL","levels":[0.8]}`)),
	twice(predictWith(alice, `{"ticker":"AAPL","as_of":"2026-01-15"}`)),
	predictWith(alice, `{"ticker":"AAPL","as_of":"1926-01-15"}`),
	predictWith(alice, `{"ticker":"AAPL","as_of":"2026-01-15","levels":[0.8]}`),
	predictWith(alice, `{"ticker":"AAPL","calendar":"XLON"}`),
	strings.Repeat(predictWith(alice, own("")), 7) + predictWith(bob, own("")),
	twice(batchWith(alice, batchOf(own(""), aForecast))),
	twice(batchWith(alice, batchOf(`{"ticker":"AAPL","levels":[0.9]}`, aForecast))),
}

// otherRoutes are conversations about what is not POST /predict.
var otherRoutes = []string{
	getWith("/health", ""), getWith("/health", "Connection: close\r\n"), getWith("/health?x", ""),
	strings.Replace(getWith("/health", ""), "GET", "HEAD", 1),
	strings.Replace(getWith("/health", ""), "HTTP/1.1", "HTTP/1.0", 1),
	getWith("/health", "Origin: https://a.example\r\n"), getWith("/health", "Expect: x\r\n"),
	getWith("/livez", ""), getWith("/health", "X-Request-Id: mine\r\nX-API-Key: key-of-eve\r\n"),

	getWith("/predict/AAPL", ""), getWith("/predict/AAPL", alice), getWith("/predict/aapl", bob),
	twice(getWith("/predict/AAPL?days_ahead=5&confidence_interval=0.9", alice)),
	twice(getWith("/predict/AAPL?days_ahead=30", alice)),
	getWith("/predict/AAPL?days_ahead=+5%20&confidence_interval=9e-1", alice),
	getWith("/predict/AAPL?days_ahead=0&days_ahead=7&x=y", alice),
	getWith("/predict/AAPL?days_ahead=31&confidence_interval=2", alice),
	getWith("/predict/AAPL?days_ahead=", alice), getWith("/predict/AAPL?", alice),
	getWith("/predict/AAPL?days_ahead=%zz", alice), getWith("/predict/AAPL?d%61ys_ahead=3", alice),
	getWith("/predict/TOO_LONG_A_NAME", alice), getWith("/predict/NOPE", alice),
	getWith("/predict/BRK.B", alice), getWith("/predict/batch", alice), getWith("/predict/", alice),
	getWith("/predict/AAPL/", alice), getWith("/predict/A%41PL", alice), getWith("/predict", alice),
	getWith("/predict/"+strings.Repeat("A", 1500), alice),
	getWith("/predict/AAPL", alice+"If-None-Match: *\r\n"),
	getWith("/predict/AAPL", alice+`If-None-Match: "a", W/"b"`+"\r\n"),
	getWith("/predict/AAPL", alice+"If-None-Match: *\r\nConnection: close\r\n"),
	getWith("/predict/AAPL", alice+"If-Modified-Since: x\r\n"),
	getWith("/predict/AAPL", alice+"Range: bytes=0-1\r\n"),
	getWith("/predict/AAPL", alice+"Cookie: a=b\r\nAccept: text/html\r\n"),
	strings.Replace(getWith("/predict/AAPL", alice), "GET", "HEAD", 1),
	strings.Repeat(getWith("/predict/AAPL", alice), 8), strings.Repeat(getWith("/health", ""), 9),
	getWith("/predict/AAPL", alice) + predictWith(alice, aForecast) + getWith("/health", ""),

	batchWith("", batchOf(aForecast)), twice(batchWith(alice, batchOf(aForecast, aMonth))),
	twice(batchWith(alice, ` { "requests" : [ `+aForecast+" , "+aMonth+" ] } ")),
	twice(batchWith(alice, batchOf(aForecast, unsound))), twice(batchWith(alice, batchOf())),
	twice(batchWith(alice, batchOf(`{"ticker":"NOPE"}`, aForecast))),
	twice(batchWith(alice+"Accept: application/x-ndjson\r\n", batchOf(aForecast))),
	twice(batchWith(alice+"Accept: text/html, application/x-ndjson;q=0.5\r\n", batchOf(aForecast))),
	twice(batchWith(alice, manyMonths)), twice(batchWith(alice, batchOf(aForecast)+"x")),
	twice(batchWith(alice, `{"requests":[]`)), twice(batchWith(alice, `{"requests":7}`)),
	strings.Repeat(batchWith(alice, batchOf(aForecast)), 8),

	inferWith("", twoTensors), twice(inferWith(alice, twoTensors)), inferWith(bob, twoTensors),
	twice(inferWith(alice, strings.Replace(twoTensors, "AAPL", "NOPE", 1))),
	twice(inferWith(alice, strings.Replace(twoTensors, "[2]", "[3]", 1))),
	twice(inferWith(alice, strings.Replace(twoTensors, "5]", "31]", 1))),
	twice(inferWith(alice, strings.Replace(twoTensors, `{"in`, `{"id":"7","in`, 1))),
	twice(inferWith(alice, strings.Replace(twoTensors, `}]}`,
		`}],"parameters":{"binary_data_output":true}}`, 1))),
	twice(inferWith(alice, strings.Replace(twoTensors, `}]}`,
		`}],"outputs":[{"name":"date"}]}`, 1))),
	twice(inferWith(alice+"Inference-Header-Content-Length: 20\r\n", twoTensors)),
	twice(inferWith(alice+"Accept-Encoding: gzip, identity;q=0\r\n", twoTensors)),
	twice(inferWith(alice+"Accept: text/csv\r\n", twoTensors)), twice(inferWith(alice, `{}`)),
	twice(inferWith(alice, inferenceOf(300))), strings.Repeat(inferWith(alice, twoTensors), 8),
	twice(strings.Replace(inferWith(alice, twoTensors), "tickercast", "other", 1)),
	twice(strings.Replace(inferWith(alice, twoTensors), "tickercast", "tickercast/versions/1", 1)),

	// Other forms and codings of answers.
	getWith("/predict/AAPL?format=csv", alice), getWith("/predict/AAPL?format=json", alice),
	getWith("/predict/AAPL?f%6Frmat=csv", alice), getWith("/predict/AAPL?format=xml", alice),
	getWith("/predict/NOPE?format=csv", alice), getWith("/predict/AAPL?format=csv", bob),
	getWith("/predict/AAPL", alice+"Accept: text/csv\r\n"),
	getWith("/predict/AAPL", alice+"Accept: text/html, TEXT/CSV;q=0.5, */*\r\n"),
	getWith("/predict/AAPL", alice+"Accept: application/json, text/csv\r\n"),
	getWith("/predict/AAPL", alice+"Accept: text/csv;q=0\r\n"),
	getWith("/predict/AAPL?days=3", alice+"Prefer: handling=strict\r\n"),
	getWith("/predict/AAPL", alice+"Prefer: handling=lenient\r\n"),
	getWith("/predict/AAPL", alice+"Accept-Encoding: gzip\r\n"),
	getWith("/predict/AAPL", alice+"Accept-Encoding: *;q=0\r\n"),
	predictWith(alice+"Prefer: handling=strict\r\n", aForecast),
	predictWith(alice+"Accept-Encoding: gzip, identity;q=0\r\n", aForecast),
	twice(batchWith(alice+"Accept: text/csv\r\n", batchOf(aForecast))),
	twice(batchWith(alice+"Prefer: handling=strict\r\n", batchOf(aForecast))),
	twice(batchWith(alice+"Accept-Encoding: gzip\r\n", batchOf(aForecast))),
	twice(batchWith(alice+"Accept-Encoding: gzip, identity;q=0\r\n", batchOf(aForecast))),
	twice(batchWith(alice+"Accept-Encoding: gzip, *;q=0\r\n", batchOf(aForecast))),
	twice(batchWith(alice+"Accept-Encoding: *;q=0\r\n", batchOf(aForecast))),
	twice(batchWith(alice+"Accept-Encoding: gzip, deflate, br\r\n", twoYears)), twice(
		strings.Replace(batchWith(alice, batchOf(aForecast)), "batch", "batch?format=csv", 1)),
}

// TestLaneAnswersOtherRoutes makes sure that what should be plain is: the lane answers all of it.
func TestLaneAnswersOtherRoutes(t *testing.T) {
	for _, tls := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			p := newPathPair(t, pairKeys(t), tls, func(c *server.Config) {
				c.RateLimit.Requests = 50
			})
			inLane := getWith("/predict/AAPL?days_ahead=30", alice) +
				getWith("/predict/AAPL", alice+"Accept-Encoding: gzip, deflate, br\r\n") +
				getWith("/predict/AAPL?days_ahead=31", alice) + getWith("/health", "") +
				getWith("/predict/MSFT", alice+"If-None-Match: *\r\n") +
				predictWith(alice, aMonth) + getWith("/predict/NOPE", bob) +
				predictWith("", aForecast) + predictWith(bob, `{"ticker":"NOPE"}`) +
				predictWith(bob, own(`,"as_of":"2026-02-18","levels":[0.8,0.99]`)) +
				predictWith(bob, `{"ticker":"AAPL","as_of":"1926-01-15"}`) +
				batchWith(bob, batchOf(aMonth, `{"ticker":"AAPL","days_ahead":30}`)) +
				batchWith("", batchOf(aMonth)) + batchWith(bob, batchOf()) +
				inferWith(bob, twoTensors) + inferWith("", twoTensors) +
				getWith("/health", "Connection: close\r\n")
			out := p.talk(t, 0, inLane, 1<<20)
			for status, want := range map[int]int{200: 9, 304: 1, 401: 3, 404: 2, 422: 2} {
				got := strings.Count(out, fmt.Sprintf("HTTP/1.1 %d ", status))
				require.Equal(t, want, got, "%d: %s", status, out)
			}
			time.Sleep(time.Minute) // their rates are used up
			out = p.talk(t, 0, strings.Repeat(inferWith(alice, twoTensors), 26)+
				getWith("/health", "Connection: close\r\n"), 1<<20)
			require.Equal(t, 25, strings.Count(out, `"outputs":[`), out)
			require.Equal(t, 1, strings.Count(out, "HTTP/1.1 429 "), out)
			require.Equal(t, "0", p.servers[0].metric("fastlane_handed_over_total"))
		})
	}
}

// TestItemsAreOfOneRequest asks for several forecasts at once and then for one, which costs one.
func TestItemsAreOfOneRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := newPathPair(t, pairKeys(t), false, func(c *server.Config) {
			c.RateLimit = ratelimit.Rate{Requests: 10, Period: time.Hour}
		})
		out := p.talk(t, 0, inferWith(alice, twoTensors)+
			strings.Repeat(getWith("/predict/AAPL", alice), 9)+
			getWith("/health", "Connection: close\r\n"), 1<<20)
		require.Equal(t, 10, strings.Count(out, "HTTP/1.1 200 "), out)
		require.Equal(t, 1, strings.Count(out, "HTTP/1.1 429 "), out)
		require.Equal(t, "0", p.servers[0].metric("fastlane_handed_over_total"))
	})
}
