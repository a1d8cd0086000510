package predict

import "bytes"

const (
	maxDepth  = 100  // brackets open at once
	maxDigits = 4300 // of an integer, anywhere in a body: CPython's own limit
)

// A syntaxError is what the JSON parser of CPython says, and the byte where it says it.
type syntaxError struct {
	text string
	at   int
}

// unreadable stands for the faults that the contract answers with 400: wrong encoding, too deep,
// too many digits.
const unreadable = "unreadable"

// parser reads strict JSON with CPython's order of checks, so that the first fault found is the one
// that it would name.
type parser struct {
	src   []byte
	pos   int
	depth int
	nodes []node
	fault syntaxError
}

// parse reads a whole body.
func parse(body []byte) (*document, *Error) {
	if len(body) >= 2 && (body[0] == 0 || body[1] == 0) || !wellFormed(body) {
		return nil, errUnreadable()
	}
	src := bytes.TrimPrefix(body, []byte("\ufeff"))
	p := parser{src: src, nodes: make([]node, 0, 16+len(src)/16)}
	p.blanks()
	if p.value() {
		if p.blanks(); p.pos == len(src) {
			return &document{src: src, nodes: p.nodes}, nil
		}
		p.fail("Extra data", p.pos)
	}
	return nil, p.err()
}

// err is the fault as the client sees it.
func (p *parser) err() *Error {
	if p.fault.text == unreadable {
		return errUnreadable()
	}
	return errSyntax(p.fault.text, codePoints(p.src[:p.fault.at]))
}

func (p *parser) fail(text string, at int) bool {
	p.fault = syntaxError{text, at}
	return false
}

func (p *parser) blanks() {
	for p.pos < len(p.src) {
		switch p.src[p.pos] {
		case ' ', '\t', '\n', '\r':
			p.pos++
		default:
			return
		}
	}
}

// peek is the byte at pos, or 0 at the end: no rule of the grammar takes a NUL.
func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

func (p *parser) add(k kind, start int) int {
	i := len(p.nodes)
	p.nodes = append(p.nodes, node{kind: k, start: int32(start), end: int32(p.pos),
		next: int32(i + 1)})
	return i
}

func (p *parser) value() bool {
	switch c := p.peek(); {
	case c == '"':
		return p.string()
	case c == '{':
		return p.nested(kindObject)
	case c == '[':
		return p.nested(kindArray)
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case c == 'n':
		return p.word("null", kindNull)
	case c == 't':
		return p.word("true", kindTrue)
	case c == 'f':
		return p.word("false", kindFalse)
	}
	return p.fail("Expecting value", p.pos)
}

func (p *parser) word(w string, k kind) bool {
	start := p.pos
	if len(p.src)-start < len(w) || string(p.src[start:start+len(w)]) != w {
		return p.fail("Expecting value", start)
	}
	p.pos += len(w)
	p.add(k, start)
	return true
}

func (p *parser) nested(k kind) bool {
	start := p.pos
	if p.depth == maxDepth {
		return p.fail(unreadable, start)
	}
	p.depth++
	p.pos++
	i := p.add(k, start)
	ok := false
	if k == kindObject {
		ok = p.object()
	} else {
		ok = p.array()
	}
	p.depth--
	p.nodes[i].end, p.nodes[i].next = int32(p.pos), int32(len(p.nodes))
	return ok
}

func (p *parser) array() bool {
	if p.blanks(); p.peek() == ']' {
		p.pos++
		return true
	}
	for p.value() {
		p.blanks()
		switch p.peek() {
		case ',':
			p.pos++
			p.blanks()
		case ']':
			p.pos++
			return true
		default:
			return p.fail("Expecting ',' delimiter", p.pos)
		}
	}
	return false
}

func (p *parser) object() bool {
	if p.blanks(); p.peek() == '}' {
		p.pos++
		return true
	}
	for {
		if p.peek() != '"' {
			return p.fail("Expecting property name enclosed in double quotes", p.pos)
		}
		if !p.string() {
			return false
		}
		if p.blanks(); p.peek() != ':' {
			return p.fail("Expecting ':' delimiter", p.pos)
		}
		p.pos++
		if p.blanks(); !p.value() {
			return false
		}
		p.blanks()
		switch p.peek() {
		case ',':
			p.pos++
			p.blanks()
		case '}':
			p.pos++
			return true
		default:
			return p.fail("Expecting ',' delimiter", p.pos)
		}
	}
}

// number takes the longest number that starts here. What follows it is the caller's to refuse, as
// in CPython: 01 is the number 0 and then something else.
func (p *parser) number() bool {
	start, k := p.pos, kindInteger
	if p.src[p.pos] == '-' {
		p.pos++
	}
	digits := p.pos
	if p.peek() == '0' {
		p.pos++
	} else if p.digits() == 0 {
		return p.fail("Expecting value", start)
	}
	whole := p.pos - digits
	if end := p.pos; p.peek() == '.' {
		if p.pos++; p.digits() > 0 {
			k = kindDecimal
		} else {
			p.pos = end
		}
	}
	if end := p.pos; p.peek()|0x20 == 'e' {
		if p.pos++; p.peek() == '+' || p.peek() == '-' {
			p.pos++
		}
		if p.digits() > 0 {
			k = kindDecimal
		} else {
			p.pos = end
		}
	}
	if k == kindInteger && whole > maxDigits {
		return p.fail(unreadable, start)
	}
	p.add(k, start)
	return true
}

func (p *parser) digits() int {
	start := p.pos
	for p.pos < len(p.src) && '0' <= p.src[p.pos] && p.src[p.pos] <= '9' {
		p.pos++
	}
	return p.pos - start
}

func (p *parser) string() bool {
	quote := p.pos
	escaped := false
	for i := quote + 1; i < len(p.src); {
		switch c := p.src[i]; {
		case c == '"':
			p.pos = i
			p.nodes[p.add(kindString, quote+1)].escaped = escaped
			p.pos = i + 1
			return true
		case c < ' ':
			return p.fail("Invalid control character at", i)
		case c != '\\':
			i++
		case i+1 == len(p.src):
			return p.fail("Unterminated string starting at", quote)
		case p.src[i+1] == 'u':
			// CPython wants four digits and something after them, so an escape cut off by the end
			// is an escape's fault.
			if i+6 >= len(p.src) || hex4(p.src[i+2:]) < 0 {
				return p.fail(`Invalid \uXXXX escape`, i+1)
			}
			escaped = true
			i += 6
		case bytes.IndexByte([]byte(`"\/bfnrt`), p.src[i+1]) < 0:
			return p.fail(`Invalid \escape`, i)
		default:
			escaped = true
			i += 2
		}
	}
	return p.fail("Unterminated string starting at", quote)
}
