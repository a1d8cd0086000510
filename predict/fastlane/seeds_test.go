package fastlane_test

import "strings"

// seeds are conversations, whole: what a client sends before it says that it will send no more.
var seeds = []string{
	"",
	post(apple),
	post(apple) + post(apple),
	post(apple) + post(`{"big":1}`) + post(apple),
	strings.Repeat(post(apple), 300), strings.Repeat(post(`{"big":1}`), 60),
	strings.Repeat(post(`{"big":1}`), 60) + post(`[]`) + post(apple),
	post(apple) + post(`[]`) + post(apple),
	post(apple) + "GET /health HTTP/1.1\r\nHost: a\r\n\r\n" + post(apple),
	post(apple) + "GET /other HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n" + post(apple),
	post(apple) + "\r\n" + post(apple),
	post(apple) + "\r\n\r\n" + post(apple),
	post(apple) + "\r\n\r\n\r\n" + post(apple),
	post(apple) + "\n\r\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n",
	post(apple) + "\r\n",
	post(apple) + "\r\n\r\n",
	post(apple) + "G",
	post(apple) + "GET",
	post(apple) + "GET ",
	post(apple) + "POS",
	post(apple) + "POST",
	"\r\n" + post(apple), "\r\n\r\n" + post(apple), "\n\r\n\n" + post(`[]`) + post(apple),
	"\r\n\r\n\r\n" + post(apple), "\r\n", "\r\n\r\n", "\n\n\n\n\n", "\r\n" + post(apple)[:50],
	"\r\nGET /health HTTP/1.1\r\nHost: a\r\n\r\n\r\n" + post(apple),
	"G", "POST", "POST /predict HTTP/1.1\r\n",
	"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 5",
	post(apple)[:len(post(apple))-3],
	post(""), post("{}"), post("{"), post(strings.Repeat(" ", 3000) + "{}"),
	post("{" + strings.Repeat(" ", 3000) + "}"),
	post("{" + strings.Repeat(" ", 5000) + "}"),
	post("{"+strings.Repeat(" ", 70000)+"}") + post(apple),
	request("X: " + strings.Repeat("a", 3000)), request("X: " + strings.Repeat("a", 5000)),
	request("X: " + strings.Repeat("a", 9000)), request("X: " + strings.Repeat("a", 20000)),
	request(strings.Repeat("X: a\r\n", 900) + "Y: b"),

	// Content-Length that is twice, signed, odd, huge, or not there
	request("Content-Length: 2"), request("Content-Length: 3"), request("content-length: 2"),
	replaced("Content-Length: 2", "Content-Length: +2"),
	replaced("Content-Length: 2", "Content-Length: -2"),
	replaced("Content-Length: 2", "Content-Length: 2, 2"),
	replaced("Content-Length: 2", "Content-Length: 2,3"),
	replaced("Content-Length: 2", "Content-Length: 0x2"),
	replaced("Content-Length: 2", "Content-Length: 02"),
	replaced("Content-Length: 2", "Content-Length: 00002"),
	replaced("Content-Length: 2", "Content-Length: 2_0"),
	replaced("Content-Length: 2", "Content-Length: "),
	replaced("Content-Length: 2", "Content-Length:2"),
	replaced("Content-Length: 2", "Content-Length:  2  "),
	replaced("Content-Length: 2", "Content-Length:\t2"),
	replaced("Content-Length: 2", "Content-Length : 2"),
	replaced("Content-Length: 2", " Content-Length: 2"),
	replaced("Content-Length: 2", "Content-Length: 99999999999999999999"),
	replaced("Content-Length: 2", "Content-Length: 4096"),
	replaced("Content-Length: 2", "Content-Length: 2\r\n 3"),
	replaced("Content-Length: 2", "Content-Length:\r\n 2"),
	replaced("Content-Length: 2\r\n", ""), replaced("Content-Length: 2", "Content-Length: 2\x00"),
	replaced("Content-Length: 2", "Content_Length: 2"),
	replaced("Content-Length: 2", "Content-Length\x00: 2"),

	// Transfer-Encoding, with and without Content-Length
	request("Transfer-Encoding: chunked"), request("transfer-encoding: Chunked"),
	request("Transfer-Encoding: identity"),
	request("Transfer-Encoding:\tchunked"), request("Transfer-Encoding: chunked, identity"),
	request("Transfer-Encoding : chunked"),
	request("Transfer-Encoding: xchunked"), request("Transfer-Encoding:\r\n chunked"),
	request("Transfer-Encoding: \x0bchunked"),
	chunked("2\r\n{}\r\n0\r\n\r\n"), chunked("2;a=b\r\n{}\r\n0\r\n\r\n"), chunked("2\n{}\n0\n\n"),
	chunked("0\r\n\r\n"),
	chunked("2\r\n{}\r\n0\r\nX: y\r\n\r\n"), chunked("-2\r\n{}\r\n0\r\n\r\n"),
	chunked("ffffffffffffffff2\r\n{}\r\n0\r\n\r\n"),
	request("Trailer: X"), request("TE: trailers"),

	// line ends, folds, blanks, names, values
	strings.ReplaceAll(post("{}"), "\r\n", "\n"), replaced("HTTP/1.1\r\n", "HTTP/1.1\n"),
	replaced("\r\n\r\n", "\n\n"),
	replaced("\r\n\r\n", "\r\n\n"), replaced("\r\n\r\n", "\n\r\n"), replaced("\r\n\r\n", "\r\r\n"),
	request("X: a\r\n b"), request("X: a\r\n\tb"), request(" X: a"), request("X : a"),
	request(": a"), request("X"), request("X:"),
	request("X: \x00"), request("X: \x7f"), request("X: \x80\xff"), request("X: a\rb"),
	request("X: a\tb"), request("X: \x01"),
	request("X\x00: a"), request("X\x80: a"), request("(X): a"), request("X,Y: a"),
	request("X: a\r"), request("\r\nX: a"),

	// the request line
	replaced("POST", "post"), replaced("POST", "GET"), replaced("POST", "PUT"),
	replaced("POST", "HEAD"), replaced("POST", "OPTIONS"),
	replaced("POST", "P\x00ST"), replaced("POST", " POST"), replaced("POST ", "POST  "),
	replaced("POST ", "POST\t"),
	replaced("/predict", "/predict/"), replaced("/predict", "/predict?a=b"),
	replaced("/predict", "/predict#a"), replaced("/predict", "//predict"),
	replaced("/predict", "/./predict"), replaced("/predict", "/%70redict"),
	replaced("/predict", "/predict%00"), replaced("/predict", "/PREDICT"),
	replaced("/predict", "http://a/predict"), replaced("/predict", "HTTP://a:1/predict"),
	replaced("/predict", "*"), replaced("/predict", ""),
	replaced("/predict", "predict"), replaced("/predict", "/predict HTTP/1.1 x"),
	replaced("HTTP/1.1", "HTTP/1.1 "), replaced(" HTTP/1.1", ""),
	replaced("HTTP/1.1", "HTTP/1.0"), replaced("HTTP/1.1", "HTTP/1.0") + post(apple),
	replaced("HTTP/1.1", "HTTP/1.2"),
	replaced("HTTP/1.1", "HTTP/2.0"), replaced("HTTP/1.1", "HTTP/0.9"),
	replaced("HTTP/1.1", "HTTP/1.10"), replaced("HTTP/1.1", "http/1.1"),
	replaced("HTTP/1.1\r\n", "HTTP/1.0\r\nConnection: keep-alive\r\n") + post(apple),
	replaced("HTTP/1.1\r\n",
		"HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n") + post(apple),

	// Host
	replaced("Host: localhost:8080\r\n", ""), replaced("Host: localhost:8080", "Host:"),
	replaced("Host: localhost:8080", "Host: "),
	request("Host: b"), replaced("Host: localhost:8080", "Host: a b"),
	replaced("Host: localhost:8080", "Host: a/b"),
	replaced("Host: localhost:8080", "Host: [::1]:80"),
	replaced("Host: localhost:8080", "Host: a@b"),
	replaced("Host: localhost:8080", "Host: \x80"),
	replaced("Host: localhost:8080", "Host: a,b"), replaced("Host: localhost:8080", "HOST: A"),
	replaced("Host: localhost:8080", "Host: %61"),

	// Content-Type, Connection, Expect and others that change something
	replaced("Content-Type: application/json\r\n", ""), replaced("application/json", "text/plain"),
	replaced("application/json", "APPLICATION/JSON"),
	replaced("application/json", "application/json;charset=utf-8"),
	replaced("application/json", "application/json ; charset=UTF-8 "),
	replaced("application/json", "application/json; charset=latin-1"),
	replaced("application/json", "application/json;"),
	replaced("application/json", "application/json; charset=\"utf-8\""),
	replaced("application/json", "application/jsonx"),
	request("Content-Type: application/json"), request("Content-Type: text/plain"),
	request("Connection: keep-alive"), request("Connection: Keep-Alive"),
	request("Connection: close") + post(apple),
	request("Connection: keep-alive\r\nConnection: close") + post(apple),
	request("Connection: keep-alive, close") + post(apple),
	request("Connection: Upgrade\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA") +
		post(apple),
	request("Connection: Content-Length") + post(apple), request("Connection:") + post(apple),
	request("Expect: 100-continue"), request("Expect: 100-Continue"),
	request("Expect: nonsense") + post(apple), request("Expect:"),
	request("Upgrade: websocket"), request("Range: bytes=0-1"), request("If-None-Match: *"),
	request("Origin: http://a"),
	request("Authorization: Basic YTpi"), request("Authorization: Bearer a") +
		request("Authorization: Bearer b") + request("authorization:   Bearer c  "),
	request("Authorization: Bearer a") + request("Authorization: Bearer refuse") +
		request("Authorization: Bearer close"),
	request("X-Api-Key: a") + request("X-API-KEY: refuse") + request("X-Api-Key: \t"),
	request("X-Api-Key:"), request("Authorization:"),
	request("X-Api-Key: a\r\nAuthorization: b") + request("X-Api-Key: c\r\nAuthorization: d") +
		request("Authorization: d\r\nX-Api-Key: c"),
	request("Authorization: a\r\nAuthorization: b"), request("X-Api-Key: a\r\nX-Api-Key: b"),
	request("X-Forwarded-For: a\r\nX-Forwarded-For: b"),
	request("X-Forwarded-For: 192.0.2.1, 192.0.2.2\r\nX-Api-Key: a\r\nAuthorization: Bearer b") +
		request("X-Forwarded-For: 192.0.2.1, 192.0.2.3\r\nX-Api-Key: c\r\nAuthorization: Bearer d"),
	request("Authorization: a\r\n") + request("Authorization: \r\n\r") +
		request("Authorization: b\x00") + request("Authorization: \xe9"),
	post(`[]`) + request("Authorization: refuse"),
	strings.Replace(request("Authorization: refuse"), "{}", "[]", 1),
	strings.Repeat(request("X-Api-Key: a"), 3) + strings.Repeat(request("X-Api-Key: refuse"), 3) +
		request("X-Api-Key: a\r\nConnection: close"),
	request("Accept-Encoding: gzip, deflate, br"), request("Accept-Encoding: gzip;q=0.5, br"),
	request("Accept-Encoding: IDENTITY;q=0"), request("Accept-Encoding: br, *;q=0"),
	request("Prefer: handling=strict"), request("Cookie: a=b"),
	request("Content-Encoding: gzip"),
	request("X-Request-Id: a"), request("X-Request-Id: b"),
	request("X-Request-Id: a\r\nX-Request-Id: a"), request("Tracestate: a"),
	request("traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
	"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "TRACE /predict HTTP/1.1\r\nHost: a\r\n\r\n",
	"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n",
	"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", "\x00\x00\x00",
	"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",

	// other routes
	get("/health", ""), get("/item/a", ""), get("/item/a?b=c&d=%20+", ""), get("/item/big", ""),
	strings.Repeat(get("/item/a", "")+post(apple)+get("/health", ""), 20),
	get("/item/a", "Accept: text/html"), get("/item/a", "Accept: a\r\nAccept: b"),
	get("/item/a", "Accept:  a, b "), get("/item/a", "If-None-Match: x"),
	get("/item/a", "If-None-Match: held"), get("/item/big", "If-None-Match: W/\"a\", held"),
	get("/item/a", "If-None-Match: held") + get("/item/a", ""),
	get("/item/a", "If-None-Match: a\r\nIf-None-Match: held"), get("/item/a", "If-None-Match:"),
	get("/item/a", "If-Match: a"), get("/item/a", "Range: bytes=0-1"), get("/item/a", "Cookie: a=b"),
	get("/item/a", "Cookie: a=b\r\nCookie: c=d"), get("/item/a", "Content-Length: 0"),
	get("/item/a", "Content-Length: 2") + "{}" + post(apple), get("/item/a", "Content-Type: a/b"),
	get("/item/a", "Transfer-Encoding: chunked") + "0\r\n\r\n" + post(apple),
	get("/item/a", "Connection: close"), get("/health", "Connection: Close\r\nX: y"),
	get("/item/big", "Connection: close"), get("/item/a", "Connection: close\r\nIf-None-Match: held"),
	get("/item/a", "Connection: close\r\nConnection: close"), get("/item/a", "Origin: http://a"),
	get("/item/a", browser), get("/health", browser), get("/item/a", browser) + get("/item/b", browser),
	get("/item", ""), get("/item/", ""), get("/item/.", ""), get("/item/..", ""),
	get("/item/...", ""), get("/item/a/", ""), get("/item/a/b", ""), get("/item/echo", ""),
	get("/item/echo?a", ""), get("/item/ech", ""), get("/item/a%20b", ""), get("/item/%61", ""),
	get("/item/a?", ""), get("/item/a?b?c", ""), get("/item/a#b", ""), get("/item/a?b#c", ""),
	get("/item/a?b=%zz", ""), get("/item/a?\"<>\\^`{|}", ""), get("/item/-._~^=$@:", ""),
	get("/item/a;b", ""), get("/item/a+b", ""), get("/item/a&b", ""), get("/item/a*(b)'!,", ""),
	get("/item/\xe9", ""), get("/item/a?\xe9", ""), get("/item/a?\x7f", ""), get("/item/a?\x00", ""),
	get("/item/a ", ""), get("/item/a? ", ""), get("http://b/item/a", ""), get("//item/a", ""),
	get("/item/"+strings.Repeat("a", 900), ""), get("/item/"+strings.Repeat("a", 1100), ""),
	get("/item/a?"+strings.Repeat("b", 3000), ""), get("/item/a?"+strings.Repeat("b", 9000), ""),
	get("/health?a", ""), get("/health/", ""), get("/healthy", ""),
	strings.Replace(get("/item/a", ""), "GET", "HEAD", 1),
	strings.Replace(get("/item/a", ""), "GET", "POST", 1),
	strings.Replace(get("/item/a", ""), "HTTP/1.1", "HTTP/1.0", 1),
	strings.Replace(get("/item/a", ""), "Host: a\r\n", "", 1),
	"GET /item/a", "GET /item/a?b", "GET /item/a HTT", "GET /it", "GET /health HTTP/1.1\r\n",
	strings.Replace(post(apple), "/predict", "/item/echo", 1) + post(apple),
	strings.Replace(post(apple), "/predict", "/item/other", 1) + post(apple),
	strings.Replace(request("Connection: close"), "/predict", "/item/echo", 1),
}

// browser has what a browser sends besides.
const browser = "Connection: keep-alive\r\nCache-Control: max-age=0\r\n" +
	"sec-ch-ua: \"Chromium\";v=\"142\", \"Not_A Brand\";v=\"99\"\r\nsec-ch-ua-mobile: ?0\r\n" +
	"sec-ch-ua-platform: \"Linux\"\r\nUpgrade-Insecure-Requests: 1\r\n" +
	"User-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nAccept: text/html,*/*;q=0.8\r\n" +
	"Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-User: ?1\r\n" +
	"Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en;q=0.9\r\nPriority: u=0, i\r\n" +
	"Cookie: a=b; c=d"

// get is a GET with more headers, and a plain request behind it.
func get(target, headers string) string {
	if headers != "" {
		headers += "\r\n"
	}
	return "GET " + target + " HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n" + post(apple)
}

// request is a plain request with more headers, and another behind it.
func request(headers string) string { return replaced("Accept: */*", headers) }

// replaced is a plain request with something else in it, and another behind it.
func replaced(old, new string) string {
	r := post("{}")
	if !strings.Contains(r, old) {
		panic("no " + old)
	}
	return strings.Replace(r, old, new, 1) + post(apple)
}

func chunked(body string) string {
	return "POST /predict HTTP/1.1\r\nHost: a\r\nContent-Type: " +
		"application/json\r\nTransfer-Encoding: chunked\r\n\r\n" + body + post(apple)
}
