// Package pyjson turns bytes into values and back the way CPython's json module and Pydantic do, to
// the byte: which JSON is accepted, how a fault in it is named, which strings pass for numbers, and
// how strings and numbers are printed.
//
// It is not a general JSON library: it fills no structs, and it accepts no NaN or Infinity. It is
// pure and knows nothing of HTTP or forecasts.
package pyjson

import "errors"

// ErrUnreadable is the error of a body in another encoding than UTF-8, with over 100 brackets open
// at once, or with an integer of over 4300 digits.
var ErrUnreadable = errors.New("pyjson: the body cannot be read")

// A SyntaxError is a fault in JSON as CPython words it.
type SyntaxError struct {
	Msg      string
	Position int // in code points from the start
}

func (e *SyntaxError) Error() string { return "pyjson: " + e.Msg }

// A Rule is a check that a value failed: Pydantic's type, message and context, which is a JSON
// object or empty.
type Rule struct {
	Type, Msg, Ctx string
}
