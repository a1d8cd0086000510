package logging

import (
	"fmt"
	"unicode"
	"unicode/utf8"
)

// escapeControls returns lines of JSON or of text with the control characters that those formats
// leave as they are, written as \u escapes: DEL and C1, which a terminal obeys, and those that turn
// the direction of text, which hide what a line says. A client can put them into a path. Most lines
// have none and come back as they are.
func escapeControls(lines []byte) []byte {
	for i := 0; i < len(lines); {
		r, size := utf8.DecodeRune(lines[i:])
		if isControl(r) {
			return appendEscaped(lines[:i:i], lines[i:])
		}
		i += size
	}
	return lines
}

func appendEscaped(dst, lines []byte) []byte {
	for len(lines) > 0 {
		r, size := utf8.DecodeRune(lines)
		if isControl(r) {
			dst = fmt.Appendf(dst, `\u%04x`, r)
		} else {
			dst = append(dst, lines[:size]...)
		}
		lines = lines[size:]
	}
	return dst
}

func isControl(r rune) bool {
	return r >= 0x7f && (r < 0xa0 || unicode.Is(unicode.Bidi_Control, r))
}
