package pyjson

import (
	"math"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"
)

// The tables come from running Pydantic 2.13 on some 140,000 generated strings.

func TestStringToInt(t *testing.T) {
	nines := strings.Repeat("9", 4300)
	for _, tt := range []struct {
		in   string
		want int64
		rule *Rule
	}{
		{"5", 5, nil}, {" 5 ", 5, nil}, {"\u00a05\u2003\u0085", 5, nil}, {"+5", 5, nil},
		{"-5", -5, nil}, {"05", 5, nil},
		{"+05", 5, nil}, {"-05", -5, nil}, {"5.0", 5, nil}, {"5.000", 5, nil}, {"1_0", 10, nil},
		{"1_0.0", 10, nil},
		{"0_5", 5, nil}, {"0__5", 5, nil}, {"+0__5", 5, nil}, {"-0__5", -5, nil}, {"0-5", -5, nil},
		{"0-_5", -5, nil}, {"00-_5", -5, nil},
		{"0-0", 0, nil}, {"0-5.0", -5, nil}, {"000", 0, nil}, {"0.0", 0, nil}, {"-0", 0, nil},
		{"9223372036854775808", math.MaxInt64, nil}, {"-99999999999999999999", -math.MaxInt64, nil},
		{nines, math.MaxInt64, nil}, {"+" + nines, math.MaxInt64, nil},
		{"00" + nines, math.MaxInt64, nil},

		{"", 0, &IntParsing}, {" ", 0, &IntParsing}, {"abc", 0, &IntParsing},
		{"5.", 0, &IntParsing},
		{".0", 0, &IntParsing}, {"5.5", 0, &IntParsing}, {"5.0_0", 0, &IntParsing},
		{"1e1", 0, &IntParsing},
		{"0x5", 0, &IntParsing}, {"5_", 0, &IntParsing}, {"_5", 0, &IntParsing},
		{"1__0", 0, &IntParsing},
		{"-_5", 0, &IntParsing}, {"+_5", 0, &IntParsing}, {"+-1", 0, &IntParsing},
		{"--1", 0, &IntParsing},
		{"-0-5", 0, &IntParsing}, {"0-05", 0, &IntParsing}, {"0--5", 0, &IntParsing},
		{"0+5", 0, &IntParsing},
		{"- 5", 0, &IntParsing}, {"\u200b5", 0, &IntParsing},
		{"\u0665", 0, &IntParsing}, {"\x1f5", 0, &IntParsing},
		{"-" + nines, 0, &IntSize}, {nines + "9", 0, &IntSize},
		{nines + "9x", 0, &IntSize},
		{" " + nines + "9", 0, &IntParsing}, {"+" + nines + "9", 0, &IntParsing},
		{"0" + nines + "9", 0, &IntParsing},
		{nines + "_9", 0, &IntParsing},
	} {
		got, rule := ToInt(String, []byte(tt.in))
		if rule != tt.rule || got != tt.want {
			t.Errorf("%.20q: got %d %v, want %d %v", tt.in, got, rule, tt.want, tt.rule)
		}
	}
}

func TestToFloat(t *testing.T) {
	for _, tt := range []struct {
		in   string
		want float64
		rule *Rule
	}{
		{"0.9", 0.9, nil}, {" 0.9\u3000", 0.9, nil}, {".9", 0.9, nil}, {"1.", 1, nil},
		{"9e-1", 0.9, nil}, {"+9E-1", 0.9, nil},
		{"0._9", 0.9, nil}, {"9_0e-0_2", 0.9, nil}, {"1e400", math.Inf(1), nil},
		{"-InFinity", math.Inf(-1), nil}, {"i_nf", math.Inf(1), nil},
		{"1e-400", 0, nil}, {"00.9", 0.9, nil},

		{"", 0, &FloatParsing}, {".", 0, &FloatParsing}, {"e1", 0, &FloatParsing},
		{"1e", 0, &FloatParsing},
		{"0x1p-1", 0, &FloatParsing}, {"0.9_", 0, &FloatParsing},
		{"_0.9", 0, &FloatParsing}, {"0.9__5", 0, &FloatParsing},
		{" 0.9_5", 0, &FloatParsing}, {"+-1", 0, &FloatParsing},
		{"infin", 0, &FloatParsing}, {"0.9f", 0, &FloatParsing},
		{"++nan", 0, &FloatParsing}, {"+nanx", 0, &FloatParsing},
	} {
		got, rule := ToFloat(String, []byte(tt.in))
		if rule != tt.rule || got != tt.want {
			t.Errorf("%q: got %v %v, want %v %v", tt.in, got, rule, tt.want, tt.rule)
		}
	}
	for _, s := range []string{"nan", "NaN", "+nan", "-nAN", "n_an"} {
		if got, rule := ToFloat(String, []byte(s)); rule != nil || !math.IsNaN(got) {
			t.Errorf("%q: got %v %v, want NaN", s, got, rule)
		}
	}
}

// The grammars of numbers in strings.
var (
	blanks = `[\t-\r \x{85}\x{A0}\x{1680}\x{2000}-\x{200A}\x{2028}\x{2029}\x{202F}\x{205F}\x{3000}]*`

	digitsGrammar  = `\d+(_\d+)*`
	integerGrammar = regexp.MustCompile(`^` + blanks + `([+-]?(0[0_]*)?` + digitsGrammar +
		`|\+?0[0_]*-_?[1-9]\d*(_\d+)*|\+?0[0_]*-_?0)(\.0+)?` + blanks + `$`)
	floatGrammar = `(?i)[+-]?(inf|infinity|nan|(\d+\.?\d*|\.\d+)(e[+-]?\d+)?)`
	trimmedFloat = regexp.MustCompile(`^` + blanks + floatGrammar + blanks + `$`)
	joinedFloat  = regexp.MustCompile(`^` + floatGrammar + `$`)
)

// FuzzNumberStrings compares the conversions with their grammars.
func FuzzNumberStrings(f *testing.F) {
	for _, s := range []string{"5", " +05.0 ", "0__5", "-0_5", "0-5", "0-_5", "0-05", "1_0", "_1",
		"5.", "0.9", "1e400", "i_nf", "-nan", "0._9", " 0.9_5", "0x1", "\u00a01\u2003", "\u200b1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if !utf8.ValidString(s) || len(s) > 1000 {
			return
		}
		if _, rule := ToInt(String, []byte(s)); (rule == nil) != integerGrammar.MatchString(s) {
			t.Errorf("integer %q: got %v, want it accepted: %v", s, rule,
				integerGrammar.MatchString(s))
		}
		want := trimmedFloat.MatchString(s)
		if !want && s != "" && s[0] != '_' && s[len(s)-1] != '_' && !strings.Contains(s, "__") {
			want = joinedFloat.MatchString(strings.ReplaceAll(s, "_", ""))
		}
		if _, rule := ToFloat(String, []byte(s)); (rule == nil) != want {
			t.Errorf("number %q: got %v, want it accepted: %v", s, rule, want)
		}
	})
}
