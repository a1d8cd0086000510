package server

// growStack makes the stack of a goroutine large enough for a whole request while there is little
// on it. HTTP/2 has a new goroutine for each request, whose stack would otherwise grow twice on the
// way, and each time all frames so far are looked at and copied: a sixth of the CPU of a request.
//
//go:noinline
func growStack(use bool) (b byte) {
	// The room for the array is made before the first line, and nothing is written to it.
	if use {
		var room [4 << 10]byte
		for i := range room {
			room[i] = byte(i)
		}
		b = room[len(room)/2]
	}
	return b
}
