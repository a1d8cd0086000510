package pyjson

import "bytes"

const (
	maxDepth  = 100  // brackets open at once
	maxDigits = 4300 // of an integer; CPython's limit
)

// unreadable is the message of faults that end as ErrUnreadable.
const unreadable = "unreadable"

// A parser reads strict JSON. It checks in CPython's order, so it finds the fault that CPython
// would name.
type parser struct {
	src   []byte
	pos   int
	depth int
	nodes []node
	fault SyntaxError // its Position counts bytes
}

// Parse reads a whole body. The error is ErrUnreadable or a *SyntaxError.
func Parse(body []byte) (*Document, error) {
	if len(body) >= 2 && (body[0] == 0 || body[1] == 0) || !Valid(body) {
		return nil, ErrUnreadable // CPython takes it for UTF-16 or UTF-32
	}
	src := bytes.TrimPrefix(body, []byte("\ufeff"))
	p := parser{src: src, nodes: make([]node, 0, mostNodes(src))}
	p.blanks()
	if p.value() {
		if p.blanks(); p.pos == len(src) {
			return &Document{src, p.nodes}, nil
		}
		p.fail("Extra data", p.pos)
	}
	if p.fault.Msg == unreadable {
		return nil, ErrUnreadable
	}
	return nil, &SyntaxError{p.fault.Msg, CodePoints(src[:p.fault.Position])}
}

// TreeBytes is what Parse allocates for the tree of a body.
func TreeBytes(body []byte) int { return mostNodes(body) * nodeBytes }

// mostNodes is how many values a text has at most, and just as many if none of these bytes stands
// in a string: the root, and one after each byte that begins or continues a list or an object.
func mostNodes(src []byte) int {
	n := 1
	for _, before := range []string{",", ":", "[", "{"} {
		n += bytes.Count(src, []byte(before))
	}
	return n
}

// NewDocument returns a Document with room for any value of src, for [Document.ParseValue].
func NewDocument(src []byte) *Document {
	return &Document{nodes: make([]node, 0, mostNodes(src))}
}

// ParseValue reads the value that begins at src[at], inside of depth brackets, into d, whose memory
// it uses again. It returns the index after the value; ok is false if there is a fault. src must be
// [Valid].
func (d *Document) ParseValue(src []byte, at, depth int) (end int, ok bool) {
	p := parser{src: src, pos: at, depth: depth, nodes: d.nodes[:0]}
	ok = p.value()
	d.src, d.nodes = src, p.nodes
	return p.pos, ok
}

func (p *parser) fail(msg string, at int) bool {
	p.fault = SyntaxError{msg, at}
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

// peek is the byte at pos, or 0 at the end: the grammar has no NUL.
func (p *parser) peek() byte {
	if p.pos < len(p.src) {
		return p.src[p.pos]
	}
	return 0
}

func (p *parser) add(k Kind, start int) int {
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
		return p.nested(Object, '}')
	case c == '[':
		return p.nested(Array, ']')
	case c == '-' || '0' <= c && c <= '9':
		return p.number()
	case c == 'n':
		return p.word("null", Null)
	case c == 't':
		return p.word("true", True)
	case c == 'f':
		return p.word("false", False)
	}
	return p.fail("Expecting value", p.pos)
}

func (p *parser) word(w string, k Kind) bool {
	start := p.pos
	if len(p.src)-start < len(w) || string(p.src[start:start+len(w)]) != w {
		return p.fail("Expecting value", start)
	}
	p.pos += len(w)
	p.add(k, start)
	return true
}

func (p *parser) nested(k Kind, bracket byte) bool {
	start := p.pos
	if p.depth == maxDepth {
		return p.fail(unreadable, start)
	}
	p.depth++
	p.pos++
	i := p.add(k, start)
	ok := p.items(k, bracket)
	p.depth--
	p.nodes[i].end, p.nodes[i].next = int32(p.pos), int32(len(p.nodes))
	return ok
}

// items reads what is between the brackets, and the closing one.
func (p *parser) items(k Kind, bracket byte) bool {
	if p.blanks(); p.peek() == bracket {
		p.pos++
		return true
	}
	for {
		if k == Object && !p.key() || !p.value() {
			return false
		}
		p.blanks()
		switch p.peek() {
		case ',':
			p.pos++
			p.blanks()
		case bracket:
			p.pos++
			return true
		default:
			return p.fail("Expecting ',' delimiter", p.pos)
		}
	}
}

func (p *parser) key() bool {
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
	p.blanks()
	return true
}

// number takes the longest number that starts here. The caller refuses what follows, as CPython
// does: 01 is the number 0 and extra data.
func (p *parser) number() bool {
	start, k := p.pos, Integer
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
	end := p.pos
	if p.peek() == '.' {
		if p.pos++; p.digits() > 0 {
			k, end = Decimal, p.pos
		}
	}
	p.pos = end
	if p.peek()|0x20 == 'e' {
		if p.pos++; p.peek() == '+' || p.peek() == '-' {
			p.pos++
		}
		if p.digits() > 0 {
			k, end = Decimal, p.pos
		}
	}
	p.pos = end
	if k == Integer && whole > maxDigits {
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
			p.nodes[p.add(String, quote+1)].escaped = escaped
			p.pos = i + 1
			return true
		case c < ' ':
			return p.fail("Invalid control character at", i)
		case c != '\\':
			i++
		case i+1 == len(p.src):
			return p.fail("Unterminated string starting at", quote)
		case p.src[i+1] == 'u':
			// CPython wants a byte after the four digits, too.
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
