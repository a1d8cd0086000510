package pyjson

import (
	"strings"
	"testing"
)

func TestReplaceInvalid(t *testing.T) {
	// What Python's bytes.decode(errors="replace") gives.
	for _, tt := range []struct{ in, want string }{
		{"plain", "plain"},
		{"é\xff", "é\ufffd"},
		{"\xc3", "\ufffd"},
		{"\xc3(", "\ufffd("},
		{"\xc0\xaf", "\ufffd\ufffd"},
		{"\xe2\x82", "\ufffd"},
		{"\xe2\x82x", "\ufffdx"},
		{"\xe2(\xa1", "\ufffd(\ufffd"},
		{"\xe0\x80\xaf", "\ufffd\ufffd\ufffd"},
		{"\xed\xa0\x80", "\ufffd\ufffd\ufffd"},
		{"\xf0\x9f\x98", "\ufffd"},
		{"\xf0\x9f(", "\ufffd("},
		{"\xf0\x80\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
		{"\xf4\x90\x80\x80", "\ufffd\ufffd\ufffd\ufffd"},
		{"\xf5\x80", "\ufffd\ufffd"},
		{"\xf0\x9f\x98\x80", "\U0001f600"},
	} {
		if got := string(ReplaceInvalid([]byte(tt.in))); got != tt.want {
			t.Errorf("ReplaceInvalid(%q): got %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestWellFormed(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want bool
	}{
		{"", true}, {"aé\U0001f600", true}, {"\xff", false}, {"\xc0\x80", false},
		{"\xed\xa0\x80", true}, {"\xed\xbf\xbf", true}, {"\xed\x9f\xbf", true}, {"\xed\xa0", false},
		{"\xed\xa0x", false},
		{"a\xed\xa0\x80b\xed\xb0\x80", true}, {"\xed\xa0\x80\xff", false},
		{"\xff\xed\xa0\x80", false},
		{"\xed\x9f\xbf\xed\xa0\x80", true}, {strings.Repeat("\xed\xa0\x80", 1000), true},
	} {
		if got := Valid([]byte(tt.in)); got != tt.want {
			t.Errorf("Valid(%q): got %v, want %v", tt.in, got, tt.want)
		}
	}
}

func TestAppendString(t *testing.T) {
	in := "\"\\/<>&'\x00\x1f\b\f\n\r\t\x7fé\u2028\U0001f600\xed\xa0\x80"
	want := `"\"\\/<>&'\u0000\u001f\b\f\n\r\t` + "\x7fé\u2028\U0001f600\ufffd\""
	if got := string(AppendString(nil, []byte(in))); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}
