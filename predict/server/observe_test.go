package server

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAppendID(t *testing.T) {
	seen := map[string]bool{}
	for range 10_000 {
		id := string(appendID([]byte("x")))[1:]
		if len(id) != 32 || strings.Trim(id, "0123456789abcdef") != "" || !validID(id) {
			t.Fatalf("id %q, want 32 hex digits", id)
		}
		if seen[id] {
			t.Fatalf("id %q twice", id)
		}
		seen[id] = true
	}
	buf := make([]byte, 0, 64)
	if n := testing.AllocsPerRun(100, func() { appendID(buf) }); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func TestValidID(t *testing.T) {
	for _, s := range []string{
		"a", "7f9c24e5-2b4d-4f0e-9d0c-3f2a1b0c9d8e", "01ARZ3NDEKTSV4RRFFQ69G5FAV",
		"Root=1-67891233-abcdef012345678912345678", "aGVsbG8/+w==",
		strings.Repeat("x", maxID),
	} {
		if !validID(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{
		"", " ", "a b", "a\tb", "a\r\nSet-Cookie: b", "a\x00", "é", `a"b`, "a,b", "<a>", "a;b",
		"{}", strings.Repeat("x", maxID+1),
	} {
		if validID(s) {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestValidTrace(t *testing.T) {
	const good = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
	for _, s := range []string{good, "cc" + good[2:], "cc" + good[2:] + "-what-comes",
		"cc" + good[2:] + "-"} {
		if !validTrace(s) {
			t.Errorf("%q is refused", s)
		}
	}
	for _, s := range []string{
		"", good[1:], good[:54], good + "-", good + "0", "ff" + good[2:], strings.ToUpper(good),
		"cc" + good[2:] + ".x",
		"cc" + good[2:] + "-" + strings.Repeat("x", maxID), "cc" + good[2:] + "-\r\n",
		"00-00000000000000000000000000000000-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
		strings.ReplaceAll(good, "-", "_"),
		"00-0af7651916cd43dd8448eb211c80319g-b7ad6b7169203331-01",
		"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0x",
	} {
		if validTrace(s) {
			t.Errorf("%q is taken", s)
		}
	}
}

func TestValidBytesDoNotAllocate(t *testing.T) {
	id, trace := []byte(strings.Repeat("a", 40)),
		[]byte("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	if n := testing.AllocsPerRun(100, func() {
		if !validID(id) || !validTrace(trace) {
			t.Error("refused")
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzHeaders(f *testing.F) {
	f.Add("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")
	f.Add("Root=1-67891233-abcdef012345678912345678")
	f.Fuzz(func(t *testing.T, s string) {
		if !validTrace(s) && !validID(s) {
			return
		}
		// What is accepted needs no escape in a header or in JSON.
		if quoted, _ := json.Marshal(s); len(s) > maxID ||
			strings.ContainsAny(s, "\r\n\x00 ,;\"") || string(quoted) != `"`+s+`"` {
			t.Errorf("%q was taken", s)
		}
	})
}

func BenchmarkAppendID(b *testing.B) {
	buf := make([]byte, 0, 64)
	for b.Loop() {
		buf = appendID(buf[:0])
	}
}
