package fastlane

import "bytes"

// memo remembers the headers of one plain request. Clients send the same ones each time, often to the byte, and comparing
// them with those that were judged last takes a tenth of the time that judging them does.
type memo struct {
	head   [512]byte
	size   int // of head; 0 when there is none
	length int // of the body that it announces
	id     span
	trace  span
}

// scan is grammar.scan with a memory. It belongs to one grammar.
func (m *memo) scan(g *grammar, b []byte) (request, verdict) {
	if m.size > 0 && len(b) >= m.size+m.length && bytes.Equal(b[:m.size], m.head[:m.size]) {
		size := m.size + m.length
		return request{b[m.size:size:size], size, m.id, m.trace}, plain
	}
	r, v := g.scan(b)
	if head := r.size - len(r.body); v == plain && head <= len(m.head) {
		m.size, m.length, m.id, m.trace = copy(m.head[:], b[:head]), len(r.body), r.id, r.trace
	}
	return r, v
}
