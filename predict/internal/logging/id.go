package logging

import "math/rand/v2"

// MaxID is the length of the longest request id that is accepted from a client.
const MaxID = 128

// AppendID appends a new request id to b: 128 random bits as 32 hex digits. The runtime keeps the
// generator per thread, so this takes no lock and shares no counter between cores.
func AppendID(b []byte) []byte {
	const digits = "0123456789abcdef"
	var id [32]byte
	for at := 0; at < len(id); at += 16 {
		x := rand.Uint64()
		for i := range 16 {
			id[at+i] = digits[x&15]
			x >>= 4
		}
	}
	return append(b, id[:]...)
}

// ValidID reports whether an id from a client may stand in the answer and the log: up to MaxID
// letters, digits and -._~:+/=. That covers UUIDs, ULIDs, base64 and the ids of load balancers, and
// needs no escape anywhere.
func ValidID[T string | []byte](s T) bool {
	if len(s) == 0 || len(s) > MaxID {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case '0' <= c && c <= '9', 'a' <= c|0x20 && c|0x20 <= 'z':
		case c == '-', c == '.', c == '_', c == '~', c == ':', c == '+', c == '/', c == '=':
		default:
			return false
		}
	}
	return true
}

// ValidTrace reports whether s is a traceparent of W3C Trace Context: version, trace id, parent id
// and flags, in lower case hex, the ids not zero. A version above 00 may go on after that, up to
// MaxID bytes.
func ValidTrace[T string | []byte](s T) bool {
	const length = len("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if len(s) < length || len(s) > MaxID || len(s) > length &&
		(string(s[:2]) == "00" || s[length] != '-' || !ValidID(s)) {
		return false
	}
	for i := range length {
		switch c := s[i]; {
		case i == 2 || i == 35 || i == 52:
			if c != '-' {
				return false
			}
		case (c < '0' || c > '9') && (c < 'a' || c > 'f'):
			return false
		}
	}
	return string(s[:2]) != "ff" && string(s[3:35]) != "00000000000000000000000000000000" &&
		string(s[36:52]) != "0000000000000000"
}
