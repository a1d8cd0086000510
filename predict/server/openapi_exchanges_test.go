package server_test

import (
	"strings"
	"sync"

	"tickercast/model"
)

// An exchange is a request and the status that it leads to.
type exchange struct {
	route  string // method and path, as the document has them
	method string // empty: that of the route
	target string // empty: the route's path, filled in
	header string // "Name: value", or empty
	body   string
	status int
}

// filled is a path of the document with values that exist.
func filled(path string) string {
	return strings.NewReplacer("{ticker}", "AAPL", "{asset}", "app.css", "{name}",
		"tickercast", "{version}", servedVersion()).Replace(path)
}

// servedVersion is that of the embedded weights.
var servedVersion = sync.OnceValue(func() string {
	m, err := model.Embedded()
	if err != nil {
		panic(err)
	}
	return m.Version()
})

const (
	predictRoute = "POST /predict"
	batchRoute   = "POST /predict/batch"
	inferRoute   = "POST /v2/models/{name}/infer"
	versionRoute = "/v2/models/{name}/versions/{version}"
	indexRoute   = "POST /v2/repository/index"
)

var posts = []string{predictRoute, batchRoute, inferRoute, "POST " + versionRoute + "/infer",
	indexRoute}

func exchanges() []exchange {
	long := strings.Repeat("A", 11)
	list := []exchange{
		{route: predictRoute, body: `{"ticker":"AAPL","days_ahead":2}`, status: 200},
		{route: predictRoute, target: "/predict/", status: 307},
		{route: predictRoute, body: "\"\xff\"", status: 400},
		{route: predictRoute, body: `{"ticker":"ZZZZQ"}`, status: 404},
		{route: predictRoute, body: strings.Repeat(" ", 65<<10), status: 413},
		{route: predictRoute, body: `{"ticker":"` + long + `"}`, status: 422},
		{route: predictRoute, body: `{"days_ahead":5}`, status: 422},
		{route: predictRoute, body: `{"ticker": AAPL}`, status: 422},
		{route: batchRoute, body: `{"requests":[{"ticker":"AAPL"},` +
			`{"ticker":"AAPL","levels":[0.9]},{"ticker":"ZZZZQ"}]}`, status: 200},
		{route: batchRoute, header: "Accept: application/x-ndjson",
			body: `{"requests":[{"ticker":"ZZZZQ"}]}`, status: 200},
		{route: batchRoute, header: "Accept: text/csv", body: `{"requests":[]}`, status: 200},
		{route: batchRoute, body: "\"\xff\"", status: 400},
		{route: batchRoute, body: strings.Repeat(" ", 4<<20+1), status: 413},
		{route: batchRoute, body: `{"requests":{}}`, status: 422},
		{route: "GET /predict/{ticker}", target: "/predict/AAPL?days_ahead=2", status: 200},
		{route: "GET /predict/{ticker}", header: "Accept: text/csv", status: 200},
		{route: "GET /predict/{ticker}", header: "If-None-Match: *", status: 304},
		{route: "GET /predict/{ticker}", target: "/predict/ZZZZQ", status: 404},
		{route: "GET /predict/{ticker}", target: "/predict/AAPL?days_ahead=31", status: 422},
		{route: "GET /tickers", target: "/tickers?q=AAPL&limit=1", status: 200},
		{route: "GET /tickers", target: "/tickers?limit=0", status: 422},
		{route: "GET /tickers/{ticker}", target: "/tickers/AAPL?limit=2", status: 200},
		{route: "GET /tickers/{ticker}", target: "/tickers/ZZZZQ", status: 404},
		{route: "GET /tickers/{ticker}", target: "/tickers/" + long, status: 422},
		{route: "GET /model", status: 200},
		{route: "GET /v2", status: 200},
		{route: "GET /v2/health/live", status: 200},
		{route: "GET /v2/health/ready", status: 200},
		{route: "GET /v2/models/{name}", status: 200},
		{route: "GET /v2/models/{name}", target: "/v2/models/other", status: 404},
		{route: "GET /v2/models/{name}/ready", status: 200},
		{route: "GET /v2/models/{name}/ready", target: "/v2/models/other/ready", status: 404},
		{route: inferRoute, target: "/v2/models/other/infer", body: tensor("AAPL"), status: 404},
		{route: "GET /v2/models", status: 200},
		{route: indexRoute, body: `{"ready":true}`, status: 200},
		{route: indexRoute, body: `{`, status: 400},
		{route: indexRoute, body: strings.Repeat(" ", 64<<10+1), status: 413},
		{route: "GET " + versionRoute, status: 200},
		{route: "GET " + versionRoute, target: "/v2/models/tickercast/versions/1", status: 404},
		{route: "GET " + versionRoute + "/ready", status: 200},
		{route: "GET " + versionRoute + "/ready", target: "/v2/models/tickercast/versions/1/ready",
			status: 404},
		{route: "POST " + versionRoute + "/infer", target: "/v2/models/tickercast/versions/1/infer",
			body: tensor("AAPL"), status: 404},
		{route: "GET /health", status: 200},
		{route: "GET /livez", status: 200},
		{route: "GET /readyz", status: 200},
		{route: "GET /docs/{asset}", target: "/docs/app.js", status: 200},
		{route: "GET /docs/{asset}", target: "/docs/icon.svg", status: 200},
		{route: "GET /docs/{asset}", target: "/docs/nope.js", status: 404},
	}
	binary := strings.TrimSuffix(tensor("AAPL"), "}") + `,"parameters":{"binary_data_output":true}}`
	for _, route := range []string{inferRoute, "POST " + versionRoute + "/infer"} {
		list = append(list, exchange{route: route, body: tensor("AAPL"), status: 200},
			exchange{route: route, body: binary, status: 200},
			exchange{route: route, body: tensor("ZZZZQ"), status: 400},
			exchange{route: route, body: strings.Repeat(" ", 4<<20+1), status: 413})
	}
	for _, route := range posts {
		list = append(list, exchange{route: route, header: "Content-Encoding: br", body: "{}",
			status: 415})
	}
	for _, route := range []string{"GET /docs", "GET /docs/{asset}", "GET /openapi.json"} {
		list = append(list, exchange{route: route, status: 200},
			exchange{route: route, header: "If-None-Match: *", status: 304})
	}
	return list
}
