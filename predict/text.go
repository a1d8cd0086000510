package predict

import (
	"bytes"
	"unicode/utf8"
)

// wellFormed reports whether b is UTF-8 as the reference reads it: surrogates written as three
// bytes each are let in (Python's "surrogatepass"); they are half pairs, and the checks of each
// field deal with them.
func wellFormed(b []byte) bool {
	for !utf8.Valid(b) {
		i := bytes.IndexByte(b, 0xED)
		for i >= 0 && !surrogateAt(b[i:]) {
			j := bytes.IndexByte(b[i+1:], 0xED)
			if j < 0 {
				return false
			}
			i += 1 + j
		}
		if i < 0 || !utf8.Valid(b[:i]) {
			return false
		}
		b = b[i+3:]
	}
	return true
}

// surrogateAt reports whether b begins with half a surrogate pair in three bytes.
func surrogateAt(b []byte) bool {
	return len(b) >= 3 && b[0] == 0xED && b[1] >= 0xA0 && b[1] < 0xC0 && b[2]&0xC0 == 0x80
}

// hasSurrogate reports whether decoded text holds half a surrogate pair.
func hasSurrogate(b []byte) bool {
	for {
		i := bytes.IndexByte(b, 0xED)
		if i < 0 {
			return false
		}
		if surrogateAt(b[i:]) {
			return true
		}
		b = b[i+1:]
	}
}

// codePoints counts the characters of well-formed text, half a pair as one.
func codePoints(b []byte) int {
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
	var r rune
	for _, c := range b[:4] {
		switch {
		case '0' <= c && c <= '9':
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return -1
		}
		r = r<<4 | rune(c)
	}
	return r
}

// unescape resolves the escapes of a string that the parser has let through.
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
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
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

// appendString appends s as a JSON string the way Python's json does with ensure_ascii off: quote,
// backslash and control characters are escaped and nothing else. Half a surrogate pair, which no
// UTF-8 can hold, becomes U+FFFD.
func appendString(dst, s []byte) []byte {
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
		case c == '\n':
			dst = append(dst, `\n`...)
		case c == '\r':
			dst = append(dst, `\r`...)
		case c == '\t':
			dst = append(dst, `\t`...)
		case c == '\b':
			dst = append(dst, `\b`...)
		case c == '\f':
			dst = append(dst, `\f`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(dst, '"')
}

// replaceInvalid is Python's decode(errors="replace"): each longest beginning of a character that
// breaks off, and each byte that begins none, is one U+FFFD. (Go's own conversions put one for
// every byte.)
func replaceInvalid(b []byte) []byte {
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

// brokenPrefix is the length of the longest beginning of a character at the front of b, which
// begins none that is whole.
func brokenPrefix(b []byte) int {
	lo, hi := byte(0x80), byte(0xBF) // the second byte's range; Unicode table 3-7
	switch c := b[0]; {
	case c < 0xE0 || c > 0xF4:
		return 1 // a two-byte character has no longer beginning than its first byte
	case c == 0xE0:
		lo = 0xA0
	case c == 0xED:
		hi = 0x9F
	case c == 0xF0:
		lo = 0x90
	case c == 0xF4:
		hi = 0x8F
	}
	switch {
	case len(b) < 2 || b[1] < lo || b[1] > hi:
		return 1
	case b[0] >= 0xF0 && len(b) > 2 && b[2]&0xC0 == 0x80:
		return 3
	}
	return 2
}
