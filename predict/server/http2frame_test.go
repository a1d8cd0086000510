package server

import (
	"bytes"
	"testing"
)

// FuzzFrames gives a scanner the same bytes whole and in pieces. It must find the same frames, and
// in whole bytes every complete frame as it is.
func FuzzFrames(f *testing.F) {
	goAway := "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x00"
	f.Add([]byte("\x00\x00\x00\x04\x01\x00\x00\x00\x00"+goAway+pingFrame), uint8(4))
	f.Add([]byte("\x00\x00\x03\x00\x01\x80\x00\x00\x07abc\x00\x00\x01\x01\x05\x00\x00\x00\x09"),
		uint8(1))
	f.Add([]byte(goAway[:20/2]), uint8(3))
	f.Fuzz(func(t *testing.T, b []byte, size uint8) {
		var whole, pieces frameScanner
		var want, got []frame
		for f := range whole.frames(b) {
			if f.bytes != nil && !bytes.Equal(f.bytes, b[f.end-len(f.bytes):f.end]) {
				t.Fatalf("a frame is %q, not what ends at %d", f.bytes, f.end)
			}
			if (f.bytes == nil) != (whole.left > 0) {
				t.Fatalf("a frame is complete %v with %d bytes left", f.bytes != nil, whole.left)
			}
			f.bytes, f.end = nil, 0
			want = append(want, f)
		}
		for rest := b; len(rest) > 0; {
			n := min(int(size)+1, len(rest))
			for f := range pieces.frames(rest[:n]) {
				f.bytes, f.end = nil, 0
				got = append(got, f)
			}
			rest = rest[n:]
		}
		if len(got) != len(want) {
			t.Fatalf("got %d frames in pieces, want %d", len(got), len(want))
		}
		for i := range want {
			if g, w := got[i], want[i]; g.kind != w.kind || g.flags != w.flags ||
				g.stream != w.stream {
				t.Fatalf("frame %d: got %v in pieces, want %v", i, g, w)
			}
		}
		if pieces.between() != whole.between() {
			t.Fatalf("between frames: got %v in pieces, want %v", pieces.between(),
				whole.between())
		}
	})
}

// TestGoAwayFrames: only a complete GOAWAY without an error is one to hold.
func TestGoAwayFrames(t *testing.T) {
	const head = "\x00\x00\x08\x07\x00\x00\x00\x00\x00"
	for b, last := range map[string]uint32{
		head + "\x00\x00\x00\x05\x00\x00\x00\x00":                   5,
		head + "\xff\xff\xff\xff\x00\x00\x00\x00":                   1<<31 - 1,
		head + "\x00\x00\x00\x05\x00\x00\x00\x01":                   0, // an error
		head + "\x00\x00\x00\x05\x00\x00\x00":                       0, // not complete
		"\x00\x00\x04\x07\x00\x00\x00\x00\x00" + "\x00\x00\x00\x05": 0, // too short
		pingFrame: 0,
	} {
		var s frameScanner
		for f := range s.frames([]byte(b)) {
			got := uint32(0)
			if f.isGoAway() {
				got = f.lastStream()
			}
			if got != last {
				t.Errorf("%q: got the last stream %d, want %d", b, got, last)
			}
		}
	}
}
