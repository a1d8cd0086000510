package pyjson

import (
	"iter"
	"slices"
)

// Kind is the kind of a JSON value.
type Kind uint8

const (
	Null Kind = iota
	False
	True
	Integer // without point and exponent
	Decimal
	String
	Array
	Object
)

// A Document is a parsed body as a flat list of nodes in document order: one allocation, 16 bytes a
// value, and no copy of a string or number until it is asked for. Node 0 is the root.
type Document struct {
	src   []byte
	nodes []node
}

const nodeBytes = 16

// A node's children follow it. Those of an object alternate key, value.
type node struct {
	kind    Kind
	escaped bool  // a string with a backslash
	start   int32 // of a string, after its quote
	end     int32 // of a string, at its closing quote
	next    int32 // the first node after this one and its children
}

// Kind returns the kind of a node.
func (d *Document) Kind(i int) Kind { return d.nodes[i].kind }

// Elements yields the nodes of an array's values.
func (d *Document) Elements(array int) iter.Seq[int] {
	return func(yield func(int) bool) {
		end := int(d.nodes[array].next)
		for i := array + 1; i < end; i = int(d.nodes[i].next) {
			if !yield(i) {
				return
			}
		}
	}
}

// Members yields the nodes of an object's keys and values, repeated keys included.
func (d *Document) Members(object int) iter.Seq2[int, int] {
	return func(yield func(int, int) bool) {
		end := int(d.nodes[object].next)
		for i := object + 1; i < end; i = int(d.nodes[i+1].next) {
			if !yield(i, i+1) {
				return
			}
		}
	}
}

// Fields returns the nodes of an object's values by name. Of a repeated name the last value counts;
// a missing one is 0, the node of the root.
func (d *Document) Fields(object int, names ...string) []int {
	at := make([]int, len(names))
	for key, value := range d.Members(object) {
		if i := slices.Index(names, string(d.Text(key))); i >= 0 {
			at[i] = value
		}
	}
	return at
}

// Others yields the names and nodes of an object's values that Fields would not find.
func (d *Document) Others(object int, names ...string) iter.Seq2[[]byte, int] {
	return func(yield func([]byte, int) bool) {
		for key, value := range d.Members(object) {
			name := d.Text(key)
			if !slices.Contains(names, string(name)) && !yield(name, value) {
				return
			}
		}
	}
}

// Len counts an array's values.
func (d *Document) Len(array int) int {
	n := 0
	for range d.Elements(array) {
		n++
	}
	return n
}

// Raw returns the text of a node as sent, without a string's quotes.
func (d *Document) Raw(i int) []byte { return d.src[d.nodes[i].start:d.nodes[i].end] }

// Text is Raw with a string's escapes resolved. A lone surrogate becomes three bytes of its own
// (WTF-8), so that keys which differ only there stay different.
func (d *Document) Text(i int) []byte {
	if d.nodes[i].escaped {
		return unescape(d.Raw(i))
	}
	return d.Raw(i)
}
