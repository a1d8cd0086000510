package wirecase

import "strings"

// The form of headers: section 5 of RFC 9112, and Host, section 7.2 of RFC 9110.
var headers = []Case{
	{"no host", "MUST 9112 3.2", "GET /livez HTTP/1.1\r\n\r\n", "400 closed"},
	{"host empty", "MUST 9112 3.2", "GET /livez HTTP/1.1\r\nHost:\r\n\r\n", "400 closed"},
	{"host empty, absolute target", "MUST 9112 3.2", "GET http:///livez HTTP/1.1\r\nHost:\r\n\r\n", "400 closed"},
	{"host twice", "MUST 9112 3.2", "GET /livez HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "400 closed"},
	{"host with a path", "MUST 9112 3.2", "GET /livez HTTP/1.1\r\nHost: x/y\r\n\r\n", "400 closed"},
	{"host with a space", "MUST 9112 3.2", "GET /livez HTTP/1.1\r\nHost: x y\r\n\r\n", "400 closed"},
	{"host with an at sign", "MUST 9112 3.2", "GET /livez HTTP/1.1\r\nHost: a@x\r\n\r\n", "400 closed"},
	{"bare LF", "MAY 9112 2.2", strings.ReplaceAll(Good, "\r\n", "\n"), "200 open"},
	{"bare CR in a value", "MUST 9110 5.5", Post("X: a\rb\r\n"+Plain, Forecast), "400 closed"},
	{"NUL in a value", "MUST 9110 5.5", Post("X: a\x00b\r\n"+Plain, Forecast), "400 closed"},
	{"DEL in a value", "9110 5.5", Post("X: a\x7fb\r\n"+Plain, Forecast), "400 closed"},
	{"bytes above 0x7F in a value", "9110 5.5", Post("X: \xe9\r\n"+Plain, Forecast), "200 open"},
	{"folded", "MUST 9112 5.2", Post("X: a\r\n b\r\n"+Plain, Forecast), "200 open"},
	{"folded length", "MUST 9112 5.2", Post(JSON+"Content-Length:\r\n 17\r\n", Forecast), "200 open"},
	{"fold before the first header", "MUST 9112 2.2",
		Line + " X: a\r\n" + Host + Plain + "\r\n" + Forecast, "400 closed"},
	{"name empty", "9112 5", Post(": a\r\n"+Plain, Forecast), "400 closed"},
	{"name with a space", "9112 5", Post("X Y: a\r\n"+Plain, Forecast), "400 closed"},
	{"name with a control character", "9112 5", Post("X\x01: a\r\n"+Plain, Forecast), "400 closed"},
	{"name with brackets", "9112 5", Post("X(): a\r\n"+Plain, Forecast), "400 closed"},
	{"no colon", "9112 5", Post("XYZ\r\n"+Plain, Forecast), "400 closed"},
	{"2000 headers", "9110 5.4", Post(strings.Repeat("X: \r\n", 2000)+Plain, Forecast), "200 open"},
	{"header of 9,000 bytes, within the slack", "9110 5.4",
		Post("X: "+strings.Repeat("a", 9_000)+"\r\n"+Plain, Forecast), "200 open"},
	{"header of 100,000 bytes", "MUST 9110 5.4",
		Post("X: "+strings.Repeat("a", 100_000)+"\r\n"+Plain, Forecast), "431 closed"},

	{"host twice, equal", "MUST 9112 3.2", "GET /livez HTTP/1.1\r\nHost: x\r\nHost: x\r\n\r\n",
		"400 closed"},
	{"hosts as a list", "MUST 9112 3.2", "GET /livez HTTP/1.1\r\nHost: x, y\r\n\r\n", "400 closed"},
	{"header that ends in LF", "MAY 9112 2.2", get("X: a\nY: b\r\n"), "200 open"},
	{"folded, of a GET", "MUST 9112 5.2", get("X: a\r\n b\r\n"), "200 open"},
	{"blank before the first header", "MUST 9112 2.2", "GET /livez HTTP/1.1\r\n \r\n" + Host + "\r\n",
		"400 closed"},
	{"space before a colon", "MUST 9112 5.1", get("X : a\r\n"), "400 closed"},
	{"name with a square bracket", "9112 5", get("X[Y: a\r\n"), "400 closed"},
	{"name with a letter above 0x7F", "9112 5", get("X\u00eb: a\r\n"), "400 closed"},
	{"name of 100,000 bytes", "MUST 9110 5.4", get(strings.Repeat("a", 100_000) + ": b\r\n"),
		"431 closed"},
	{"bell, backspace and vertical tab in a value", "9110 5.5", get("X: a\a\b\vb\r\n"),
		"400 closed"},
	{"10,000 headers", "MUST 9110 5.4", get(strings.Repeat("X: value\r\n", 10_000)), "431 closed"},
}

// What headers mean.
var fields = []Case{
	{"id with a line break", "MUST 9112 5.2", Post("X-Request-Id: a\r\n\tb\r\n"+Plain, Forecast), "200 open"},
	{"id and trace", "",
		Post("X-Request-Id: mine\r\nTraceparent: "+Trace+"\r\nTracestate: a=b\r\n"+Plain,
			Forecast), "200 open"},
	{"id twice, trace twice", "",
		Post("X-Request-Id: a\r\nX-Request-Id: b\r\nTraceparent: x\r\nTraceparent: y\r\n"+
			Plain, Forecast), "200 open"},
	{"id that would end the header", "",
		Post("X-Request-Id: a%0d%0aSet-Cookie: b=c\r\n"+Plain, Forecast), "200 open"},
	{"close", "MUST 9112 9.6", Post("Connection: close\r\n"+Plain, Forecast), "200 closed"},
	{"close among others", "MUST 9112 9.6", Post("Connection: x, Close\r\n"+Plain, Forecast), "200 closed"},
	{"connection names the length", "",
		Post("Connection: Content-Length\r\n"+Plain, Forecast), "200 open"},
	{"upgrade", "9110 7.8",
		Post("Connection: Upgrade\r\nUpgrade: websocket\r\n"+Plain, Forecast), "200 open"},
	{"upgrade to h2c", "9110 7.8",
		Post("Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"+
			"HTTP2-Settings: AAMAAABkAAQAAP__\r\n"+Plain, Forecast), "200 open"},
	{"expect", "MUST 9110 10.1.1", Post("Expect: 100-continue\r\n"+Plain, Forecast), "100 200 open"},
	{"expect something else", "MAY 9110 10.1.1", Post("Expect: 200-ok\r\n"+Plain, Forecast), "417 closed"},
	{"encoding of the content", "", Post("Content-Encoding: gzip\r\n"+Plain, Forecast),
		"200 open"},

	{"upgrade without connection", "MUST 9110 7.8", get("Upgrade: websocket\r\n"), "200 open"},
	{"upgrade to what is unknown", "9110 7.8", get("Connection: Upgrade\r\nUpgrade: no/1.0\r\n"),
		"200 open"},
	{"upgrade to an unknown version", "9110 7.8",
		get("Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 99\r\n"),
		"200 open"},
	{"GET that expects something else", "MAY 9110 10.1.1", get("Expect: 200-ok\r\n"), "417 closed"},
	{"range of a POST", "MUST 9110 14.2", Post("Range: bytes=0-10\r\n"+Plain, Forecast), "200 open"},
	{"range of letters", "MAY 9110 14.2", get("Range: bytes=abc-xyz\r\n"), "200 open"},
	{"range a thousand times", "MAY 9110 14.2",
		get("Range: bytes=0-" + strings.Repeat(",0-", 999) + "\r\n"), "200 open"},
	{"accept what is not", "9110 12.5.1", get("Accept: application/x-no\r\n"), "200 open"},
	{"tag of any answer", "MUST 9110 13.1.2", tagged("If-None-Match: *"), "304 open"},
	{"tag without quotes", "9110 8.8.3", tagged("If-None-Match: abc"), "200 open"},
	{"tag and time", "MUST 9110 13.1.3",
		tagged("If-None-Match: *\r\nIf-Modified-Since: Thu, 01 Jan 1970 00:00:00 GMT"), "304 open"},
	{"time in the future", "MAY 9110 13.1.3",
		tagged("If-Modified-Since: Thu, 01 Jan 2099 00:00:00 GMT"), "200 open"},
	{"time that is none", "MUST 9110 13.1.3", tagged("If-Modified-Since: not-a-date"), "200 open"},
	{"TRACE with a key", "9110 9.3.8",
		"TRACE /livez HTTP/1.1\r\n" + Host + "Authorization: Bearer secret\r\n\r\n", "405 open"},
	{"cookie", "", get("Cookie: a=b; c=\r\n"), "200 open"},
	{"cookie empty", "", get("Cookie: \r\n"), "200 open"},
	{"cookie malformed", "", get("Cookie: ===;;;\r\n"), "200 open"},
	{"cookie twice", "", get("Cookie: a=1\r\nCookie: b=2\r\n"), "200 open"},
	{"cookie of 1000 pairs", "", get("Cookie: a=b" + strings.Repeat("; k=v", 1000) + "\r\n"),
		"200 open"},
	{"cookie of 64 KiB", "MUST 9110 5.4", get("Cookie: a=" + strings.Repeat("A", 1<<16) + "\r\n"),
		"431 closed"},
	{"cookie with a NUL", "MUST 9110 5.5", get("Cookie: a=\x00b\r\n"), "400 closed"},
	{"cookie with control characters", "9110 5.5", get("Cookie: a=\x01\x02\r\n"), "400 closed"},
}

// What is no HTTP/1.1 at all.
var foreign = []Case{
	{"nothing", "", "", "open"},
	{"TLS", "SHOULD 9112 3",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\x00", 200), "400 closed"},
	{"SSH", "SHOULD 9112 3", "SSH-2.0-OpenSSH_9.0\r\n", "400 closed"},
	{"PROXY", "SHOULD 9112 3", "PROXY TCP4 192.0.2.1 192.0.2.2 1000 80\r\n" + Good, "400 closed"},
	{"zeros", "SHOULD 9112 3", strings.Repeat("\x00", 10_000), "400 closed"},
	{"letters", "", strings.Repeat("A", 100_000), "431 closed"},
	{"line breaks", "SHOULD 9112 3", strings.Repeat("\r\n", 10_000), "400 closed"},

	{"noise", "SHOULD 9112 3", "\xb8\x1c\xe2\x9d\x00\x7f\r\n\r\n", "400 closed"},
}

// tagged is a GET of an answer that has an ETag.
func tagged(headers string) string {
	return "GET /predict/AAPL HTTP/1.1\r\n" + Host + headers + "\r\n\r\n"
}
