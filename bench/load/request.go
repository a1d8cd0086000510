package load

import "strconv"

// NewRequest is a request with a JSON body as it goes on the wire, with the headers that a usual
// client sends.
func NewRequest(method, path, host string, body []byte) []byte {
	b := make([]byte, 0, 160+len(path)+len(host)+len(body))
	b = append(b, method...)
	b = append(b, ' ')
	b = append(b, path...)
	b = append(b, " HTTP/1.1\r\nHost: "...)
	b = append(b, host...)
	b = append(b,
		"\r\nUser-Agent: tickerload\r\nAccept: */*\r\nContent-Type: "+
			"application/json\r\nContent-Length: "...)
	b = strconv.AppendInt(b, int64(len(body)), 10)
	b = append(b, "\r\n\r\n"...)
	return append(b, body...)
}
