package wirecase

import "strings"

// Bodies in chunks: section 7.1 of RFC 9112.
var chunks = []Case{
	{"chunks", "MUST 9112 7.1", Post(Chunked, InChunk), "200 closed"},
	{"chunks in lower case", "MUST 9112 7",
		Post("content-type: application/json\r\ntransfer-encoding: CHUNKED\r\n", InChunk),
		"200 closed"},
	{"chunk with an extension", "MUST 9112 7.1.1",
		Post(Chunked, "11;a=b\r\n"+Forecast+"\r\n0\r\n\r\n"), "200 closed"},
	{"chunk with a bad extension", "9112 7.1.1",
		Post(Chunked, "11;a=\x01\r\n"+Forecast+"\r\n0\r\n\r\n"), "200 closed"},
	{"chunk size with a blank", "9112 7.1",
		Post(Chunked, "11 \r\n"+Forecast+"\r\n0\r\n\r\n"), "200 closed"},
	{"chunk size with 0x", "9112 7.1", Post(Chunked, "0x11\r\n"+Forecast+"\r\n0\r\n\r\n"), "400 closed"},
	{"chunk size negative", "9112 7.1", Post(Chunked, "-11\r\n"+Forecast+"\r\n0\r\n\r\n"), "400 closed"},
	{"chunk size beyond 64 bits", "MUST 9112 7.1",
		Post(Chunked, "10000000000000011\r\n"+Forecast+"\r\n0\r\n\r\n"), "400 closed"},
	{"chunk size empty", "9112 7.1", Post(Chunked, "\r\n"+Forecast+"\r\n0\r\n\r\n"), "400 closed"},
	{"chunk with a bare LF", "9112 7.1", Post(Chunked, "11\n"+Forecast+"\n0\n\n"), "400 closed"},
	{"chunk longer than it says", "9112 7.1",
		Post(Chunked, "5\r\n"+Forecast+"\r\n0\r\n\r\n"), "400 closed"},
	{"chunks without an end, then a request", "9112 7.1",
		Post(Chunked, "11\r\n"+Forecast+"\r\n"+Inner), "400 closed"},
	{"trailer", "MUST 9112 7.1.2",
		Post(Chunked+"Trailer: X-T\r\n", "11\r\n"+Forecast+"\r\n0\r\nX-T: 1\r\n\r\n"),
		"200 closed"},
	{"trailer with a length", "MUST 9112 7.1.2",
		Post(Chunked, "11\r\n"+Forecast+"\r\n0\r\nContent-Length: 5\r\n\r\n"), "200 closed"},
	{"many one-byte chunks with long extensions", "9112 7.1.1",
		Post(Chunked, strings.Repeat("1;"+strings.Repeat("x", 200)+"\r\n \r\n", 400)+
			"0\r\n\r\n"), "400 closed"},

	{"chunks, two", "MUST 9112 7.1",
		Post(Chunked, "A\r\n"+Forecast[:10]+"\r\n7\r\n"+Forecast[10:]+"\r\n0\r\n\r\n"), "200 closed"},
	{"chunks, two, small letter", "MUST 9112 7.1",
		Post(Chunked, "00a\r\n"+Forecast[:10]+"\r\n7\r\n"+Forecast[10:]+"\r\n000\r\n\r\n"),
		"200 closed"},
	{"chunks, none", "MUST 9112 7.1", Post(Chunked, "0\r\n\r\n"), "422 closed"},
	{"chunk with an empty extension", "9112 7.1.1", ext(";"), "200 closed"},
	{"chunk with an extension of brackets", "9112 7.1.1", ext(";bad[=x"), "200 closed"},
	{"chunk with a NUL in its extension", "9112 7.1.1", ext(";\x00ext"), "200 closed"},
	{"chunk with a CR in its extension", "9112 7.1.1", ext(";a\rX"), "400 closed"},
	{"chunk with an extension that ends in LF", "9112 7.1.1",
		Post(Chunked, "11;\n"+Forecast+"\r\n0\r\n\r\n"), "400 closed"},
	{"chunk with an extension of 64 KiB", "9112 7.1.1", ext(";a=" + strings.Repeat("a", 1<<16)),
		"400 closed"},
	{"chunk size behind a space", "9112 7.1", Post(Chunked, " 11\r\n"+Forecast+"\r\n0\r\n\r\n"),
		"400 closed"},
	{"chunk size with plus", "9112 7.1", Post(Chunked, "+11\r\n"+Forecast+"\r\n0\r\n\r\n"),
		"400 closed"},
	{"chunk size with underscore", "9112 7.1", Post(Chunked, "1_1\r\n"+Forecast+"\r\n0\r\n\r\n"),
		"400 closed"},
	{"chunk size of plus zero", "9112 7.1", Post(Chunked, "+0\r\n\r\nX"), "400 closed"},
	{"chunk size that ends in CR", "9112 2.2", Post(Chunked, "11\r"+Forecast+"\r\n0\r\n\r\n"),
		"400 closed"},
	{"chunk without its end of line", "9112 7.1", Post(Chunked, "11\r\n"+Forecast+"0\r\n\r\n"),
		"400 closed"},
	{"chunk that ends in LF", "9112 7.1", Post(Chunked, "11\r\n"+Forecast+"\n0\r\n\r\n"),
		"400 closed"},
	{"chunks that end in LF", "9112 7.1", Post(Chunked, "11\r\n"+Forecast+"\r\n0\r\n\n"),
		"200 closed"},
	{"trailer with an encoding", "MUST 9112 7.1.2", trailer("Transfer-Encoding: chunked"),
		"200 closed"},
	{"trailer with a host", "MUST 9112 7.1.2", trailer("Host: evil"), "200 closed"},
	{"trailer with a key", "MUST 9112 7.1.2", trailer("Authorization: Bearer evil"), "200 closed"},
	{"trailer with a kind", "MUST 9112 7.1.2", trailer("Content-Type: text/evil"), "200 closed"},
}

// ext is a body in a chunk with something behind its size.
func ext(text string) string {
	return Post(Chunked, "11"+text+"\r\n"+Forecast+"\r\n0\r\n\r\n")
}

// trailer is a body in a chunk with a field behind it.
func trailer(field string) string {
	return Post(Chunked, "11\r\n"+Forecast+"\r\n0\r\n"+field+"\r\n\r\n")
}
