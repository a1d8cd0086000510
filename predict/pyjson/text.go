package pyjson

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

// Valid reports whether b is UTF-8, in which lone surrogates may stand as three bytes each:
// Python's "surrogatepass".
func Valid(b []byte) bool {
	if utf8.Valid(b) {
		return true
	}
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			if !surrogateAt(b) {
				return false
			}
			n = 3
		}
		b = b[n:]
	}
	return true
}

// surrogateAt reports whether b begins with a surrogate in three bytes.
func surrogateAt(b []byte) bool {
	return len(b) >= 3 && b[0] == 0xED && b[1] >= 0xA0 && b[1] < 0xC0 && b[2]&0xC0 == 0x80
}

// HasSurrogate reports whether decoded text holds a lone surrogate.
func HasSurrogate(b []byte) bool {
	for i := range b {
		if surrogateAt(b[i:]) {
			return true
		}
	}
	return false
}

// CodePoints counts the characters of valid text as Python's len does: a lone surrogate is one.
func CodePoints(b []byte) int {
	n := 0
	for _, c := range b {
		if c&0xC0 != 0x80 {
			n++
		}
	}
	return n
}

// hex4 is the value of four hexadecimal digits, or -1.
func hex4(b []byte) rune {
	n, err := strconv.ParseUint(string(b[:4]), 16, 32)
	if err != nil {
		return -1
	}
	return rune(n)
}

// unescape resolves the escapes of a string that the parser accepted.
func unescape(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		if raw[i] != '\\' {
			out = append(out, raw[i])
			i++
			continue
		}
		c := raw[i+1]
		i += 2
		switch c {
		case 'b', 'f', 'n', 'r', 't':
			out = append(out, "\b\f\n\r\t"[strings.IndexByte("bfnrt", c)])
		case 'u':
			r := hex4(raw[i:])
			i += 4
			if 0xD800 <= r && r < 0xDC00 && len(raw) >= i+6 && raw[i] == '\\' && raw[i+1] == 'u' {
				if low := hex4(raw[i+2:]); 0xDC00 <= low && low < 0xE000 {
					r = 0x10000 + (r-0xD800)<<10 + low - 0xDC00
					i += 6
				}
			}
			if 0xD800 <= r && r < 0xE000 {
				out = append(out, 0xED, 0x80|byte(r>>6)&0x3F, 0x80|byte(r)&0x3F)
			} else {
				out = utf8.AppendRune(out, r)
			}
		default:
			out = append(out, c)
		}
	}
	return out
}

// AppendString appends s as a JSON string the way Python's json does with ensure_ascii=False: only
// quotes, backslashes and control characters are escaped. A lone surrogate, which UTF-8 cannot
// hold, becomes U+FFFD.
func AppendString(dst, s []byte) []byte {
	const hex = "0123456789abcdef"
	dst = append(dst, '"')
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == 0xED && surrogateAt(s[i:]):
			dst = append(dst, "\ufffd"...)
			i += 2
		case c >= ' ':
			dst = append(dst, c)
		case '\b' <= c && c <= '\r' && c != '\v':
			dst = append(dst, '\\', "btnvfr"[c-'\b'])
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, '"')
}

// ReplaceInvalid is Python's decode(errors="replace"): a truncated character becomes one U+FFFD, as
// does a byte that begins no character. Go's conversions put one for each byte.
func ReplaceInvalid(b []byte) []byte {
	if utf8.Valid(b) {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	for len(b) > 0 {
		r, n := utf8.DecodeRune(b)
		if r == utf8.RuneError && n == 1 {
			n = brokenPrefix(b)
		}
		out = utf8.AppendRune(out, r)
		b = b[n:]
	}
	return out
}

// brokenPrefix is the length of the truncated character, or of the stray byte, that b begins with.
func brokenPrefix(b []byte) int {
	n := 1
	for n < len(b) && !utf8.FullRune(b[:n+1]) {
		n++
	}
	return n
}
