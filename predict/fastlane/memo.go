package fastlane

import (
	"bytes"
	"cmp"
	"slices"
)

// memo remembers the headers of one plain request. Clients send the same ones each time, often to
// the byte, and comparing them with those that were judged last takes a tenth of the time that
// judging them does. Values of loose headers are neither remembered nor compared: they may be
// anything visible, and how long it takes to find that another client's key is a different one must
// tell nobody how much of it is the same.
type memo struct {
	head   [512]byte
	size   int // of head; 0 when there is none
	length int // of the body that it announces
	parts
	inTurn [looseHeaders]span // parts.loose in the order in which they stand, of which
	turns  int                // there are so many
}

// scan is grammar.scan with a memory. It belongs to one grammar.
func (m *memo) scan(g *grammar, b []byte) (request, verdict) {
	if m.size > 0 && len(b) >= m.size+m.length && m.knows(b) {
		size := m.size + m.length
		return request{b[m.size:size:size], size, m.parts}, plain
	}
	r, v := g.scan(b)
	if head := r.size - len(r.body); v == plain && head <= len(m.head) {
		m.size, m.length, m.parts, m.turns = copy(m.head[:], b[:head]), len(r.body), r.parts, 0
		if r.loose != [looseHeaders]span{} {
			m.forget()
		}
	}
	return r, v
}

// forget takes the loose values out of the head.
func (m *memo) forget() {
	for _, s := range m.loose {
		if s.to > 0 {
			clear(m.head[s.from:s.to])
			m.inTurn[m.turns] = s
			m.turns++
		}
	}
	slices.SortFunc(m.inTurn[:m.turns], func(a, b span) int { return cmp.Compare(a.from, b.from) })
}

// knows tells whether b begins with the head that is remembered, whatever its loose values are.
func (m *memo) knows(b []byte) bool {
	from := uint16(0)
	for _, s := range m.inTurn[:m.turns] {
		if !bytes.Equal(b[from:s.from], m.head[from:s.from]) ||
			visible(b[s.from:s.to]) < int(s.to-s.from) {
			return false
		}
		from = s.to
	}
	return bytes.Equal(b[from:m.size], m.head[from:m.size])
}
