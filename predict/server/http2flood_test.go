package server

import (
	"bytes"
	"testing"
)

// TestFlood reads frames until a connection calls them a flood.
func TestFlood(t *testing.T) {
	frame := func(kind byte, size int) []byte {
		return append([]byte{byte(size >> 16), byte(size >> 8), byte(size), kind, 0, 0, 0, 0, 1},
			make([]byte, size)...)
	}
	const forever = 1 << 20
	for _, tt := range []struct {
		name    string
		frames  []byte
		answers int // bytes of each answer that is written meanwhile
		least   int // bytes that are taken
		most    int
	}{
		{"pings", frame(framePing, 8), 0, 60 << 10, 70 << 10},
		{"settings", frame(frameSettings, 0), 0, 60 << 10, 70 << 10},
		{"bodies byte by byte", frame(frameData, 1), 0, 300 << 10, 400 << 10},
		{"empty bodies", frame(frameData, 0), 0, 60 << 10, 70 << 10},
		{"bodies in small parts", frame(frameData, 4), 0, forever, forever},
		{"requests", frame(frameHeaders, 20), 0, forever, forever},
		{"requests that are given up",
			append(frame(frameHeaders, 20), frame(frameReset, 4)...), 0, forever, forever},
		{"a ping for each part of a body", append(frame(framePing, 8), frame(frameData, 100)...), 0,
			forever, forever},
		{"a ping for each part of an answer", frame(framePing, 8), 100, forever, forever},
	} {
		for _, size := range []int{1, 4096} {
			var c http2Conn
			taken, flood := 0, false
			for rest := bytes.Repeat(tt.frames, 4096); !flood && taken < forever; {
				n := min(size, len(rest), forever-taken)
				_, flood = c.note(rest[:n])
				c.carried += tt.answers * n / len(tt.frames)
				taken += n
				if rest = rest[n:]; len(rest) == 0 {
					rest = bytes.Repeat(tt.frames, 4096)
				}
			}
			if size == 1 && tt.answers > 0 {
				continue // it says how long answers are for whole frames
			}
			if taken < tt.least || taken > tt.most || flood != (tt.most < forever) {
				t.Errorf("%s, %d at a time: %d bytes were taken, want %d to %d", tt.name, size,
					taken, tt.least, tt.most)
			}
		}
	}
}
