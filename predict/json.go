package predict

import "iter"

// The full path reads a body into a flat list of nodes in document order: one allocation, sixteen
// bytes a value, and no copy of a number or string until somebody asks. A container's children
// follow it; next skips the whole subtree. An object's children alternate key, value.

type kind uint8

const (
	kindNull kind = iota
	kindFalse
	kindTrue
	kindInteger // no point, no exponent
	kindDecimal
	kindString
	kindArray
	kindObject
)

type node struct {
	kind    kind
	escaped bool  // a string with a backslash in it
	start   int32 // first byte; of a string, the one after its quote
	end     int32 // one past the last byte; of a string, its closing quote
	next    int32 // index of the first node after this one and its children
}

// document is a parsed body. The root is node 0.
type document struct {
	src   []byte
	nodes []node
}

// elements yields the indices of an array's values.
func (d *document) elements(array int) iter.Seq[int] {
	return func(yield func(int) bool) {
		end := int(d.nodes[array].next)
		for i := array + 1; i < end; i = int(d.nodes[i].next) {
			if !yield(i) {
				return
			}
		}
	}
}

// members yields the indices of an object's keys and values, repeated keys included.
func (d *document) members(object int) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		end := int(d.nodes[object].next)
		for i := object + 1; i < end; i = int(d.nodes[i+1].next) {
			if !yield(i, i+1) {
				return
			}
		}
	}
}

// length counts an array's values.
func (d *document) length(array int) int {
	n := 0
	for range d.elements(array) {
		n++
	}
	return n
}

// raw is the text of a node as sent, without a string's quotes.
func (d *document) raw(i int) []byte { return d.src[d.nodes[i].start:d.nodes[i].end] }

// text is raw with a string's escapes resolved. Half a surrogate pair stays in it as its own three
// bytes (WTF-8), so that two keys that differ only there stay two keys.
func (d *document) text(i int) []byte {
	if d.nodes[i].escaped {
		return unescape(d.raw(i))
	}
	return d.raw(i)
}
