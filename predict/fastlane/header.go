package fastlane

import "bytes"

// headers locates the header values that the lane needs later.
type headers [numHeaders]span

// Indices of headers. Values of the first four may be any visible bytes.
const (
	authorization = iota
	apiKey
	forwardedFor
	cookie
	contentLength
	contentType
	host
	accept
	ifNoneMatch
	connectionClose
	requestID
	traceparent
	numHeaders

	numHoles = contentType // in a headCache
)

// once stores where a header's value is. It reports false if the request has that header twice.
func (h *headers) once(which int, at span) bool {
	if h[which].to > 0 {
		return false
	}
	h[which] = at
	return true
}

// header judges one header of the request b, and remembers in found where its value is. It reports
// false if the request is not for the lane.
func (g *grammar) header(found *headers, name, b []byte, at span) bool {
	at = at.trim(b)
	value := at.of(b)
	switch string(name) {
	case "host":
		return isHost(value) && found.once(host, at)
	case "content-type":
		return isJSON(value) && found.once(contentType, at)
	case "content-length":
		return digits(value) >= 0 && found.once(contentLength, at)
	case "connection":
		if bytes.EqualFold(value, []byte("close")) {
			return found.once(connectionClose, at)
		}
		return bytes.EqualFold(value, []byte("keep-alive"))
	case "authorization":
		return found.once(authorization, at)
	case "x-api-key":
		return found.once(apiKey, at)
	case "x-forwarded-for":
		return found.once(forwardedFor, at)
	case "cookie":
		return found.once(cookie, at)
	case "accept":
		return found.once(accept, at)
	case "if-none-match":
		return found.once(ifNoneMatch, at)
	case "accept-encoding":
		return takesIdentity(value)
	case "origin":
		return g.anyOrigin
	case "x-request-id":
		return g.validID != nil && g.validID(value) && found.once(requestID, at)
	case "traceparent":
		return g.validTrace != nil && g.validTrace(value) && found.once(traceparent, at)
	case "tracestate":
		return g.validTrace != nil
	case "transfer-encoding", "te", "trailer", "expect", "upgrade", "http2-settings",
		"content-encoding", "range", "proxy-authorization", "prefer",
		"inference-header-content-length":
		return false
	}
	return len(name) <= 3 || string(name[:3]) != "if-"
}

// takesIdentity reports whether an Accept-Encoding surely allows an answer without a coding, which
// all those of the lane are: no weight is given to identity or to a star.
func takesIdentity(codings []byte) bool {
	return bytes.IndexByte(codings, ';') < 0 || bytes.IndexByte(codings, '*') < 0 &&
		!bytes.Contains(bytes.ToLower(codings), []byte("identity"))
}

// tokens maps the bytes that a header name may have to lower case, all others to 0.
var tokens = func() (t [256]byte) {
	for c := byte('0'); c <= '9'; c++ {
		t[c] = c
	}
	for c := byte('a'); c <= 'z'; c++ {
		t[c], t[c-'a'+'A'] = c, c
	}
	for _, c := range []byte("!#$%&'*+-.^_`|~") {
		t[c] = c
	}
	return t
}()

func isHost(b []byte) bool {
	for _, c := range b {
		if (c|0x20 < 'a' || c|0x20 > 'z') && (c < '0' || c > ':') && c != '-' && c != '.' &&
			c != '_' && c != '[' && c != ']' {
			return false
		}
	}
	return len(b) > 0
}

func isJSON(b []byte) bool {
	const json, charset = "application/json", "charset=utf-8"
	if len(b) < len(json) || !bytes.EqualFold(b[:len(json)], []byte(json)) {
		return false
	}
	b = bytes.TrimLeft(b[len(json):], " ")
	return len(b) == 0 ||
		b[0] == ';' && bytes.EqualFold(bytes.TrimLeft(b[1:], " "), []byte(charset))
}
