package wirecase

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
)

// Content-Encoding: sections 8.4 and 15.5.16 of RFC 9110.
var contents = []Case{
	{"content as gzip", "9110 8.4", coded("gzip", zip(Forecast)), "200 open"},
	{"content as gzip in capitals", "MUST 9110 8.4.1", coded("GZIP", zip(Forecast)), "200 open"},
	{"content as x-gzip", "SHOULD 9110 8.4.1.3", coded("x-gzip", zip(Forecast)), "200 open"},
	{"content as gzip of two members", "9110 8.4.1.3",
		coded("gzip", zip(Forecast[:5])+zip(Forecast[5:])), "200 open"},
	{"content as gzip, in chunks", "9110 8.4", Post(Chunked+"Content-Encoding: gzip\r\n",
		fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", len(zip(Forecast)), zip(Forecast))), "200 closed"},
	{"content as gzip, twice", "9110 8.4", coded("gzip", zip(Forecast)) +
		coded("gzip", zip(Forecast)), "200 200 open"},
	{"content as identity", "9110 8.4.1", coded("identity", Forecast), "200 open"},
	{"content as gzip that is not", "9110 8.4", coded("gzip", Forecast), "400 open"},
	{"content as gzip that is cut off", "9110 8.4", coded("gzip", zip(Forecast)[:20]), "400 open"},
	{"content as gzip with more behind it", "9110 8.4", coded("gzip", zip(Forecast)+"x"),
		"400 open"},
	{"content as gzip that is empty", "9110 8.4", coded("gzip", ""), "422 open"},
	{"content as gzip of nothing", "9110 8.4", coded("gzip", zip("")), "422 open"},
	{"content as gzip, too long when inflated", "MAY 9110 15.5.14",
		coded("gzip", zip(strings.Repeat(" ", 70000))), "413 closed"},
	{"content as gzip, too long", "MAY 9110 15.5.14",
		coded("gzip", zip(Forecast)+strings.Repeat("x", 70000)), "413 closed"},
	{"content in an unknown coding", "9110 15.5.16", coded("br", Forecast), "415 open"},
	{"content in two codings", "9110 15.5.16", coded("gzip, gzip", zip(zip(Forecast))), "415 open"},
	{"content in two codings on two lines", "9110 15.5.16",
		Post("Content-Encoding: gzip\r\nContent-Encoding: br\r\n"+Plain, Forecast), "415 open"},
	{"content in an unknown coding, long", "9110 15.5.16",
		coded("zstd", strings.Repeat("x", 20000)), "415 closed"},
	{"content in an unknown coding, in chunks", "9110 15.5.16",
		Post(Chunked+"Content-Encoding: br\r\n", InChunk), "415 closed"},
	{"content of another path in an unknown coding", "9110 8.4",
		get("Content-Encoding: br\r\n"), "200 open"},
}

// coded is a POST /predict with a body in a coding.
func coded(coding, body string) string {
	return Post(JSON+"Content-Encoding: "+coding+
		fmt.Sprintf("\r\nContent-Length: %d\r\n", len(body)), body)
}

func zip(s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	z.Write([]byte(s))
	z.Close()
	return b.String()
}
