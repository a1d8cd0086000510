package server

import (
	"bufio"
	"bytes"
	"net/http"
	"strings"
	"testing"
)

// feed returns what a counter lets through of a head that comes in pieces.
func feed(h *headCounter, head []byte, size func(i int) int) []byte {
	var out []byte
	for i := 0; len(head) > 0; i++ {
		b := make([]byte, 4096) // what net/http reads into
		n := copy(b, head[:min(len(head), max(size(i), 1), len(b))])
		head = head[n:]
		out = append(out, b[:h.take(b, n)]...)
	}
	return out
}

func whole(int) int { return 4096 }

func TestHeadCounter(t *testing.T) {
	line := "GET / HTTP/1.1\r\n"
	for _, tt := range []struct{ name, head, want string }{
		{"few", line + "A: 1\r\nB: 2\r\n\r\nbody\n\n\n\n\n\n", ""},
		{"as many as may be", line + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n", ""},
		{"one more", line + "A: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\n\r\n\nE: 5\n",
			line + "A: 1\r\nB: 2\r\nC: 3\r\n\r\n\nE: 5\n"},
		{"many, in bare LF", "G\n" + strings.Repeat("a:\n", 5000) + "\nbody",
			"G\na:\na:\na:\n\nbody"},
		{"blank lines before", "\r\n\n" + line + "A: 1\r\n\r\n", ""},
		{"the preface of HTTP/2 and no more", "PRI * HTTP/2.0\r\n\r\nS\nA\nB\nC\nD\nE", ""},
		{"HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\n\n\na\n\n\na\na\na\na\n", ""},
		{"nearly HTTP/2", "PRI * HTTP/2.0\r\nA:1\nB:2\nC:3\nD:4\n\n",
			"PRI * HTTP/2.0\r\nA:1\nB:2\nC:3\n\n"},
	} {
		if tt.want == "" {
			tt.want = tt.head
		}
		for size := range 40 {
			h := headCounter{max: 4}
			got := string(feed(&h, []byte(tt.head), func(int) int { return size }))
			// The CR of the last line may be missing if it came by itself.
			if got != tt.want && strings.Replace(got, "\n\n", "\n\r\n", 1) != tt.want {
				t.Errorf("%s in pieces of %d: got %q, want %q", tt.name, size, got, tt.want)
			}
			if h.over != (tt.want != tt.head) {
				t.Errorf("%s in pieces of %d: over is %v", tt.name, size, h.over)
			}
		}
	}
	h := headCounter{max: 4, notHTTP2: true}
	got := feed(&h, []byte("PRI * HTTP/2.0\r\n\r\n"+line), whole)
	if h.begin(); string(got) != "PRI * HTTP/2.0\r\n\r\n"+line {
		t.Errorf("where HTTP/2 is not spoken: got %q", got)
	}
	if got := feed(&h, []byte(line+strings.Repeat("a:\n", 9)), whole); !h.over {
		t.Errorf("where HTTP/2 is not spoken: got %q after its preface", got)
	}
	h = headCounter{max: 4}
	endless := []byte(line + strings.Repeat("a:\r\n", maxLeftOut))
	if got := string(feed(&h, endless, whole)); !h.ended ||
		!strings.HasPrefix(got, line+"a:\r\na:\r\na:\r\n\r\n") {
		t.Errorf("without an end: ended is %v, got %.80q", h.ended, got)
	}
}

// FuzzHeadCounter has any bytes come in any pieces. The pieces do not matter, what has few lines
// passes unchanged, and net/http never sees a head of many fields.
func FuzzHeadCounter(f *testing.F) {
	f.Add([]byte("GET / HTTP/1.1\r\nHost: a\r\nA: 1\r\nB: 2\r\nC: 3\r\nD: 4\r\nE: 5\r\n\r\nbody"),
		[]byte{1, 2, 3})
	f.Add([]byte("GET / HTTP/1.1\nHost: a\nA: 1\r\n b\n\t\nC: 3\r\nD: 4\r\n\r"), []byte{30, 1})
	f.Add([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\n\n\n\n\n\n\n"), []byte{9})
	f.Fuzz(func(t *testing.T, head, sizes []byte) {
		if len(head) > 4000 {
			return
		}
		const most = 5
		one, other := headCounter{max: most}, headCounter{max: most}
		got := feed(&one, head, whole)
		pieces := feed(&other, head, func(i int) int {
			if len(sizes) == 0 {
				return 1
			}
			return int(sizes[i%len(sizes)])
		})
		// A CR that comes by itself may be missing.
		bare := func(b []byte) []byte { return bytes.ReplaceAll(b, []byte("\r"), nil) }
		if !bytes.Equal(bare(got), bare(pieces)) {
			t.Errorf("%q came as %q, and in pieces as %q", head, got, pieces)
		}
		// So may the first byte of a line that is not there yet.
		begun := one.line <= 2 && len(head)-len(got) <= one.line
		if !one.over && !bytes.Equal(bare(got), bare(head)) &&
			!(begun && bytes.HasPrefix(head, got)) {
			t.Errorf("%q came as %q", head, got)
		}
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(got)))
		if err == nil && one.notHTTP2 && countFields(req) > most {
			t.Errorf("%q came as %q, with %d fields", head, got, countFields(req))
		}
	})
}
