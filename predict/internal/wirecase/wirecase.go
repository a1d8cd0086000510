// Package wirecase lists requests on the wire of HTTP/1.1, for tests: right, odd and wrong ones,
// each with the verdict of this server and with what RFC 9110 or 9112 says. Two servers that should
// be alike can be compared by them, and a fuzz target can begin with them.
//
// It is no client, and it does not judge answers.
package wirecase

import "slices"

// Parts of requests.
const (
	Line     = "POST /predict HTTP/1.1\r\n"
	Host     = "Host: x\r\n"
	JSON     = "Content-Type: application/json\r\n"
	Plain    = JSON + "Content-Length: 17\r\n" // the headers of Forecast
	Chunks   = "Transfer-Encoding: chunked\r\n"
	Chunked  = JSON + Chunks
	Forecast = `{"ticker":"AAPL"}`
	InChunk  = "11\r\n" + Forecast + "\r\n0\r\n\r\n" // 17 bytes in hexadecimal
	Good     = Line + Host + Plain + "\r\n" + Forecast
	// Inner gets a 404 if it is taken for a request. It has 35 bytes.
	Inner = "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n"
	Trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
)

// Post is a POST /predict with other headers than Good.
func Post(headers, body string) string { return Line + Host + headers + "\r\n" + body }

// Bare is a request of a method and a target only.
func Bare(request string) string { return request + " HTTP/1.1\r\n" + Host + "\r\n" }

// get is a GET with more headers.
func get(headers string) string { return "GET /livez HTTP/1.1\r\n" + Host + headers + "\r\n" }

// A Case is a request and its verdict.
type Case struct {
	Name string

	// Rule is what the verdict follows: the weight, the RFC and the section. Without a weight the
	// section leaves the choice; without a rule no RFC says anything.
	Rule string

	Request string

	// Want has the statuses of the answers that must come, and whether the connection is open for
	// others afterwards. Where it is closed, nothing behind the request is taken for another one.
	Want string
}

// Cases returns all cases.
//
// Where a section leaves a choice it is that of net/http: lines may end in LF, a folded header is
// unfolded, a Content-Length may be repeated, what is behind the size of a chunk is ignored. A
// Transfer-Encoding of which chunked is not the last, which section 6.3 of RFC 9112 wants to be a
// 400, gets the 501 of section 6.1; both end the connection. A request line of over 12 KiB gets the
// 431 of a header of that length.
func Cases() []Case {
	return slices.Concat(good, lengths, chunks, codings, smuggled, bodies, contents, lines, targets,
		headers, fields, foreign)
}

var good = []Case{
	{"good", "MUST 9112 6.2", Good, "200 open"},
	{"good twice", "MUST 9112 9.3.2", Good + Good, "200 200 open"},
	{"good, known and unknown", "MUST 9112 9.3.2",
		Good + Post(JSON+"Content-Length: 19\r\n", `{"ticker":"NOSUCH"}`), "200 404 open"},
	{"GET", "MUST 9110 9.1", get(""), "200 open"},
	{"GET twice", "MUST 9112 9.3.2", get("") + get(""), "200 200 open"},
	{"HEAD", "MUST 9110 9.3.2", Bare("HEAD /livez"), "200 open"},
	{"DELETE", "MUST 9110 15.5.6", Bare("DELETE /livez"), "405 open"},
	{"OPTIONS", "9110 9.3.7", Bare("OPTIONS /livez"), "405 open"},
}
