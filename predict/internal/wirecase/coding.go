package wirecase

import "strings"

// Transfer-Encoding: sections 6.1 and 7 of RFC 9112.
var codings = []Case{
	{"encoding gzip", "SHOULD 9112 6.1", Post("Transfer-Encoding: gzip\r\n", Inner), "501 closed"},
	{"encoding gzip, chunked", "SHOULD 9112 6.1",
		Post("Transfer-Encoding: gzip, chunked\r\n", "0\r\n\r\n"+Inner), "501 closed"},
	{"encoding chunked, identity", "SHOULD 9112 6.1",
		Post("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"+Inner), "501 closed"},
	{"encoding twice", "SHOULD 9112 6.1",
		Post(Chunks+Chunks, "0\r\n\r\n"+Inner), "501 closed"},
	{"encoding identity", "SHOULD 9112 6.1",
		Post("Transfer-Encoding: identity\r\n"+Plain, Forecast), "501 closed"},
	{"encoding with a vertical tab", "9110 5.5",
		Post("Transfer-Encoding: \vchunked\r\n", "0\r\n\r\n"+Inner), "400 closed"},
	{"encoding quoted", "SHOULD 9112 6.1",
		Post("Transfer-Encoding: \"chunked\"\r\n", "0\r\n\r\n"+Inner), "501 closed"},
	{"space before the colon of the encoding", "MUST 9112 5.1",
		Post("Transfer-Encoding : chunked\r\n", "0\r\n\r\n"+Inner), "400 closed"},
	{"encoding in HTTP/1.0", "MUST 9112 6.1",
		"POST /predict HTTP/1.0\r\n" + Host + Chunks + "Connection: keep-alive\r\n\r\n" + Inner,
		"400 closed"},
	{"encoding and length in HTTP/1.0", "MUST 9112 6.1",
		"POST /predict HTTP/1.0\r\n" + Host + Plain + "TRANSFER-encoding:chunked\r\n\r\n" + InChunk,
		"400 closed"},
	{"encoding in HTTP/1.0, after another request", "MUST 9112 6.1",
		Good + "GET /livez HTTP/1.0\nHost: x\nTransfer-Encoding: identity\n\n", "200 400 closed"},
	{"encoding as X-", "", Post(Plain+"X-Transfer-Encoding: chunked\r\n", Forecast), "200 open"},
	{"encoding with underscore", "",
		Post(Plain+"Transfer_Encoding: chunked\r\n", Forecast), "200 open"},

	{"encoding unknown", "SHOULD 9112 6.1", both("Transfer-Encoding: xchunked"), "501 closed"},
	{"encoding chunked, gzip", "SHOULD 9112 6.1", both("Transfer-Encoding: chunked, gzip"),
		"501 closed"},
	{"encoding chunked, chunked", "SHOULD 9112 6.1", both("Transfer-Encoding: chunked, chunked"),
		"501 closed"},
	{"encoding empty", "SHOULD 9112 6.1", both("Transfer-Encoding: "), "501 closed"},
	{"encoding behind a comma", "SHOULD 9112 6.1", both("Transfer-Encoding: , chunked"),
		"501 closed"},
	{"encoding before a comma", "SHOULD 9112 6.1", both("Transfer-Encoding: chunked,"),
		"501 closed"},
	{"encoding with a parameter", "SHOULD 9112 6.1", both("Transfer-Encoding: chunked;ext=val"),
		"501 closed"},
	{"encoding twice, different", "SHOULD 9112 6.1",
		both("Transfer-Encoding: chunked\r\nTransfer-Encoding: identity"), "501 closed"},
	{"encoding with a form feed", "9110 5.5", both("Transfer-Encoding: \fchunked"), "400 closed"},
	{"encoding with a NUL", "MUST 9110 5.5", both("Transfer-Encoding: chunked\x00"), "400 closed"},
	{"encoding with a space behind it", "MUST 9112 6.1", both("Transfer-Encoding: chunked "),
		"200 closed"},
	{"encoding with a tab behind it", "MUST 9112 6.1", both("Transfer-Encoding: chunked\t"),
		"200 closed"},
	{"encoding behind a tab", "MUST 9112 6.1", both("Transfer-Encoding:\tchunked"), "200 closed"},
	{"encoding folded", "MUST 9112 5.2", both("Transfer-Encoding:\r\n chunked"), "200 closed"},
	{"encoding in capitals", "MUST 9112 7", both("TRANSFER-ENCODING: Chunked"), "200 closed"},
	{"encoding before a body that is not", "9112 7.1", Post(Plain+Chunks, Forecast+"\r\n"),
		"400 closed"},
	{"encoding folded, of OPTIONS", "MUST 9112 5.2",
		"OPTIONS /livez HTTP/1.1\r\n" + Host + "Transfer-Encoding:\r\n chunked\r\n" +
			"Content-Length: 5\r\n\r\n0\r\n\r\n", "405 closed"},
}

// Requests in the body of others. The length covers the inner one, the encoding does not.
var smuggled = []Case{

	{"length and encoding around another", "MUST 9112 6.1", around("Content-Length: 40"),
		"422 closed"},
	{"length with plus around another", "MUST 9112 6.1", around("Content-Length: +40"),
		"400 closed"},
	{"length with a letter around another", "MUST 9112 6.1", around("Content-Length: 40x"),
		"400 closed"},
	{"encoding around HEAD", "MUST 9112 6.1",
		Post(JSON+Chunks+"Content-Length: 41\r\n", "0\r\n\r\nHEAD"+Inner[3:]), "422 closed"},
	{"encoding folded around another", "MUST 9112 6.1", around("Transfer-Encoding:\r\n chunked"),
		"501 closed"},
	{"encoding behind a comma around another", "MUST 9112 6.1",
		Post(JSON+"Content-Length: 40\r\nTransfer-Encoding: , chunked\r\n", "0\r\n\r\n"+Inner),
		"501 closed"},
	{"length shorter than the first chunk", "MUST 9112 6.1",
		Post(Chunked+"Content-Length: 4\r\n", "23\r\n"+Inner+"\r\n0\r\n\r\n"), "422 closed"},
	{"length longer than the chunks", "MUST 9112 6.1",
		Post(Chunked+"Content-Length: 30\r\n", "0\r\n\r\nX"), "422 closed"},
	{"GET with the start of another as body", "9110 9.3.1",
		get("Content-Length: 29\r\n") + Inner[:29], "200 open"},
	{"OPTIONS with a body", "9110 9.3.7",
		"OPTIONS /livez HTTP/1.1\r\n" + Host + "Content-Length: 35\r\n\r\n" + Inner, "405 open"},
	{"TRACE with a body", "9110 9.3.8",
		"TRACE /livez HTTP/1.1\r\n" + Host + "Content-Length: 35\r\n\r\n" + Inner, "405 open"},
}

// What is in a body.
var bodies = []Case{
	{"GET with a body", "9110 9.3.1",
		"GET /livez HTTP/1.1\r\n" + Host + "Content-Length: 35\r\n\r\n" + Inner, "200 open"},
	{"HEAD with a body", "MUST 9110 9.3.2",
		"HEAD /livez HTTP/1.1\r\n" + Host + "Content-Length: 35\r\n\r\n" + Inner, "200 open"},

	// Bodies. The byte that is missing is taken from the next request, whose method is then ET.
	{"body a byte shorter than it says", "MUST 9112 6.2",
		Post(JSON+"Content-Length: 18\r\n", Forecast), "422 open"},
	{"body too long", "MAY 9110 15.5.14",
		Post(JSON+"Content-Length: 70000\r\n", strings.Repeat(" ", 70000)), "413 closed"},
	{"body too long, in chunks", "MAY 9110 15.5.14",
		Post(Chunked, "11170\r\n"+strings.Repeat(" ", 70000)+"\r\n0\r\n\r\n"), "413 closed"},
	{"body of brackets", "",
		Post(JSON+"Content-Length: 60000\r\n", strings.Repeat("[", 60000)), "400 open"},
	{"body of NULs", "",
		Post(JSON+"Content-Length: 17\r\n", strings.Repeat("\x00", 17)), "400 open"},
	{"body of another kind", "",
		Post("Content-Type: text/plain\r\nContent-Length: 17\r\n", Forecast), "422 open"},
	{"kind twice", "9110 5.3", Post("Content-Type: text/plain\r\n"+Plain, Forecast), "422 open"},
}

// both is a body in a chunk with a Transfer-Encoding and a Content-Length that do not agree.
func both(coding string) string { return Post(JSON+coding+"\r\nContent-Length: 5\r\n", InChunk) }

// around is a request with Chunks, another header, and Inner behind its body.
func around(header string) string { return Post(JSON+Chunks+header+"\r\n", "0\r\n\r\n"+Inner) }
