package market

import (
	"bytes"
	"errors"
	"fmt"
)

// maxRow is the length in bytes of the longest row, enough for 100,000 tickers side by side.
// Otherwise a file without line ends, or with an open quote, would be held in memory whole.
const maxRow = 1 << 20

var (
	errRow   = fmt.Errorf("a row of more than %d bytes", maxRow)
	errBare  = errors.New(`bare " in non-quoted-field`)
	errQuote = errors.New(`extraneous or missing " in quoted-field`)
	errCell  = errors.New(`a formula of a spreadsheet, ="...": save the values`)
	// errCut says that the text ends within a row.
	errCut = errors.New("cut")
)

// splitter cuts the rows off a CSV, as RFC 4180 has them, and trims the space around their fields.
type splitter struct {
	separator byte
	fields    [][]byte // of the last row, valid until the next one
	scratch   []byte   // what quoted fields hold
}

// next cuts the first row off the text. It returns the bytes and lines it takes, also with an error
// after which the rest can be read. A blank line is a row without fields. Only the final row of a
// file may lack a line end.
func (s *splitter) next(text []byte, final bool) (n, lines int, err error) {
	s.fields = s.fields[:0]
	line, n := text, bytes.IndexByte(text, '\n')+1
	switch {
	case n > 0:
		line = text[:n-1]
	case !final:
		return 0, 0, errCut
	default:
		n = len(text)
	}
	if len(line) > 0 && line[len(line)-1] == '\r' {
		line = line[:len(line)-1]
	}
	if len(line) == 0 {
		return n, 1, nil
	}
	start := 0
	for i, c := range line {
		switch c {
		case s.separator:
			s.fields = append(s.fields, trim(line[start:i]))
			start = i + 1
		case '"':
			return s.quoted(text, n, final)
		}
	}
	s.fields = append(s.fields, trim(line[start:]))
	return n, 1, nil
}

// quoted is next for a row with quotes, whose first line has length first.
func (s *splitter) quoted(text []byte, first int, final bool) (n, lines int, err error) {
	s.fields, s.scratch = s.fields[:0], s.scratch[:0]
	lines = 1
	lineEnd := func(i int) int { // after the line that holds i
		if end := bytes.IndexByte(text[i:], '\n'); end >= 0 {
			return i + end + 1
		}
		return len(text)
	}
	for i := 0; ; {
		at := i
		for at < len(text) && (text[at] == ' ' || text[at] == '\t' && s.separator != '\t') {
			at++
		}
		if at == len(text) || text[at] != '"' {
			end := i
			for ; end < len(text) && text[end] != s.separator && text[end] != '\n'; end++ {
				if text[end] == '"' && bytes.HasPrefix(trim(text[i:end]), []byte("=")) {
					return lineEnd(end), lines, errCell
				}
				if text[end] == '"' {
					return lineEnd(end), lines, errBare
				}
			}
			s.fields = append(s.fields, trim(text[i:end]))
			i = end
		} else {
			var ended bool
			var more int
			i, more, ended = s.field(text, at+1)
			lines += more
			switch {
			case !ended && !final:
				return 0, 0, errCut
			case !ended:
				return first, 1, errQuote
			}
			for i < len(text) && (text[i] == ' ' || text[i] == '\r') {
				i++
			}
			if i < len(text) && text[i] != s.separator && text[i] != '\n' {
				return lineEnd(i), lines, errQuote
			}
		}
		if i == len(text) {
			if !final {
				return 0, 0, errCut
			}
			return i, lines, nil
		}
		if i++; text[i-1] == '\n' {
			return i, lines, nil
		}
	}
}

// field reads a quoted field that begins at i. It returns where the text goes on.
func (s *splitter) field(text []byte, i int) (end, lines int, ended bool) {
	mark := len(s.scratch)
	for ; i < len(text); i++ {
		c := text[i]
		if c == '"' {
			if i++; i == len(text) || text[i] != '"' {
				s.fields = append(s.fields, trim(s.scratch[mark:len(s.scratch):len(s.scratch)]))
				return i, lines, true
			}
		} else if c == '\n' {
			lines++
		}
		s.scratch = append(s.scratch, c)
	}
	return i, lines, false
}

// trim is bytes.TrimSpace, which is slower for a field without spaces.
func trim(field []byte) []byte {
	if n := len(field); n == 0 || plain(field[0]) && plain(field[n-1]) {
		return field
	}
	return bytes.TrimSpace(field)
}

func plain(c byte) bool { return ' ' < c && c < 0x80 }

// lastRow returns the length of the text up to the end of its last whole row.
func (s *splitter) lastRow(text []byte) int {
	if bytes.IndexByte(text, '"') < 0 {
		return bytes.LastIndexByte(text, '\n') + 1
	}
	for end := 0; ; {
		n, _, err := s.next(text[end:], false)
		if err == errCut {
			return end
		}
		end += n
	}
}
