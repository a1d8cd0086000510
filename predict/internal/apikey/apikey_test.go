package apikey_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"tickercast/predict/internal/apikey"
)

func hash(key string) string {
	h := sha256.Sum256([]byte(key))
	return hex.EncodeToString(h[:])
}

func mustParse(t testing.TB, data string) *apikey.Set {
	t.Helper()
	s, err := apikey.Parse("keys", []byte(data))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestLookup(t *testing.T) {
	s := mustParse(t, "# clients\n\n"+
		hash("key-of-alice")+"\n"+
		"  "+hash("key-of-bob")+"\tbob # the second\r\n"+
		strings.ToUpper(hash("next-key-of-bob"))+" bob")
	for key, want := range map[string]string{
		"key-of-alice": hash("key-of-alice")[:12], "key-of-bob": "bob", "next-key-of-bob": "bob",
	} {
		if name, ok := s.Lookup([]byte(key)); !ok || name != want {
			t.Errorf("Lookup(%q) = %q, %v; want %q", key, name, ok, want)
		}
	}
	for _, key := range []string{"", "key-of-carol", "key-of-bob ", hash("key-of-bob"), "bob"} {
		if name, ok := s.Lookup([]byte(key)); ok || name != "" {
			t.Errorf("Lookup(%q) = %q, %v; want no client", key, name, ok)
		}
	}
}

func TestBadFiles(t *testing.T) {
	good := hash("good") + " good\n"
	for _, tt := range []struct{ name, data, want string }{
		{"empty", "", "keys: no keys"},
		{"only comments", "# a\n#b", "keys: no keys"},
		{"a key that is not hashed", good + "s3cret-key-of-alice alice\n", "keys:2: 19 characters"},
		{"not hex", good + "\n" + strings.Repeat("g", 64), "keys:3: a SHA-256 hash"},
		{"cut", good + hash("x")[:63], "keys:2: 63 characters"},
		{"longer", good + hash("x") + "0", "keys:2: 65 characters"},
		{"a name of two words", good + hash("x") + " alice s3cret", "keys:2: a name is one word"},
		{"a name with a control character", good + hash("x") + " s3cret\x01", "keys:2: a name has"},
		{"a long name", good + hash("x") + " s3cret" + strings.Repeat("a", 60),
			"keys:2: a name has"},
		{"a long line", good + strings.Repeat("s3cret ", 1000), "keys:2: a line of 6999 bytes"},
		{"twice", good + "#\n" + good, "keys:3: the key of line 1 again"},
		{"too many", manyKeys(apikey.MaxKeys + 1),
			fmt.Sprintf("keys:%d: more than", apikey.MaxKeys+1)},
	} {
		s, err := apikey.Parse("keys", []byte(tt.data))
		if err == nil || !strings.HasPrefix(err.Error(), tt.want) || s != nil {
			t.Errorf("%s: got %v, %v; want an error that begins with %q", tt.name, s, err, tt.want)
		}
		if err != nil && strings.Contains(err.Error(), "s3cret") {
			t.Errorf("%s: the error shows a key: %v", tt.name, err)
		}
	}
}

func manyKeys(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, hash(fmt.Sprint(i)))
	}
	return b.String()
}

func TestToken(t *testing.T) {
	const token = "a-token-of-some-length"
	s, err := apikey.Token("token", []byte(" "+token+"\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := s.Lookup([]byte(token)); !ok {
		t.Error("the token is not known")
	}
	if _, ok := s.Lookup([]byte(token + "\n")); ok {
		t.Error("blanks make no difference")
	}
	for _, data := range []string{"", "\n", "fifteen-letters", "two words in a token",
		"sixteen-letters\x00", "sixteen-lettérs"} {
		if _, err := apikey.Token("token", []byte(data)); err == nil ||
			!strings.HasPrefix(err.Error(), "token: ") {
			t.Errorf("Token(%q): got %v, want an error that names the file", data, err)
		}
	}
}

func TestFromHeader(t *testing.T) {
	for _, tt := range []struct {
		header http.Header
		want   string
	}{
		{http.Header{}, ""},
		{http.Header{"Authorization": {"Bearer abc"}}, "abc"},
		{http.Header{"Authorization": {"bearer  abc"}}, "abc"},
		{http.Header{"Authorization": {"Bearer"}}, ""},
		{http.Header{"Authorization": {"Basic abc"}}, ""},
		{http.Header{"X-Api-Key": {"abc"}}, "abc"},
		{http.Header{"Authorization": {"Basic abc"}, "X-Api-Key": {"def"}}, "def"}, // a proxy's own
		{http.Header{"Authorization": {"Bearer abc"}, "X-Api-Key": {"def"}}, "abc"},
		{http.Header{"Authorization": {"Bearer "}, "X-Api-Key": {"def"}}, ""},
	} {
		if got := string(apikey.FromHeader(tt.header)); got != tt.want {
			t.Errorf("FromHeader(%v) = %q, want %q", tt.header, got, tt.want)
		}
	}
}

func TestLookupDoesNotAllocate(t *testing.T) {
	s := mustParse(t, manyKeys(1000)+hash("key-of-bob")+" bob")
	header := []byte("Bearer key-of-bob")
	if n := testing.AllocsPerRun(100, func() {
		if name, _ := s.Lookup(apikey.Presented(header, nil)); name != "bob" {
			t.Errorf("got %q, want bob", name)
		}
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(hash("a") + " alice\n# no one\n" + hash("b")))
	f.Add([]byte("\r\n\x00"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := apikey.Parse("keys", data)
		if (s == nil) == (err == nil) {
			t.Fatalf("Parse = %v, %v; want one of them", s, err)
		}
		if err != nil && strings.ContainsAny(err.Error(), "\r\n\x00") {
			t.Errorf("the error is no line of text: %q", err)
		}
	})
}

func BenchmarkLookup(b *testing.B) {
	for _, n := range []int{1, 100, 1000} {
		s := mustParse(b, manyKeys(n))
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				s.Lookup([]byte("0"))
			}
		})
	}
}

// TestParseTakesLittleMemory parses the worst files of 16 MiB.
func TestParseTakesLittleMemory(t *testing.T) {
	const size = 16 << 20
	for _, unit := range []string{"a ", "a\n", "a", "\n", " ", "#", "\x00 "} {
		data := bytes.Repeat([]byte(unit), size/len(unit))
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		apikey.Parse("keys", data)
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > size {
			t.Errorf("%q: %d bytes for a file of %d", unit, got, size)
		}
	}
}
