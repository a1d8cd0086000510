package fastlane

import (
	"net"
	"sync"
	"time"
)

// work is what a connection needs only while it is in a request. An idle one has none, so that ten thousand of them cost
// little more than their goroutines.
type work struct {
	in  [MaxRequest]byte
	out []byte
}

var pool = sync.Pool{New: func() any { return new(work) }}

// maxOut bounds the replies that are collected before they are written, and the buffers that are kept.
const maxOut = 64 << 10

// stream is the two directions of a connection, buffered.
type stream struct {
	nc   net.Conn
	raw  raw
	work *work // nil while nothing is unread and nothing to be written

	from, to int    // work.in[from:to] is unread
	small    []byte // what is read into when there is no work and raw is of no use

	readBy  time.Duration
	writeBy time.Duration
}
