package predict

import (
	"math"
	"strings"
	"testing"
)

// The tables were found by running Pydantic 2.13 on some 140,000 generated strings.

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

		{"", 0, &ruleIntParsing}, {" ", 0, &ruleIntParsing}, {"abc", 0, &ruleIntParsing},
		{"5.", 0, &ruleIntParsing},
		{".0", 0, &ruleIntParsing}, {"5.5", 0, &ruleIntParsing}, {"5.0_0", 0, &ruleIntParsing},
		{"1e1", 0, &ruleIntParsing},
		{"0x5", 0, &ruleIntParsing}, {"5_", 0, &ruleIntParsing}, {"_5", 0, &ruleIntParsing},
		{"1__0", 0, &ruleIntParsing},
		{"-_5", 0, &ruleIntParsing}, {"+_5", 0, &ruleIntParsing}, {"+-1", 0, &ruleIntParsing},
		{"--1", 0, &ruleIntParsing},
		{"-0-5", 0, &ruleIntParsing}, {"0-05", 0, &ruleIntParsing}, {"0--5", 0, &ruleIntParsing},
		{"0+5", 0, &ruleIntParsing},
		{"- 5", 0, &ruleIntParsing}, {"\u200b5", 0, &ruleIntParsing},
		{"\u0665", 0, &ruleIntParsing}, {"\x1f5", 0, &ruleIntParsing},
		{"-" + nines, 0, &ruleIntSize}, {nines + "9", 0, &ruleIntSize},
		{nines + "9x", 0, &ruleIntSize},
		{" " + nines + "9", 0, &ruleIntParsing}, {"+" + nines + "9", 0, &ruleIntParsing},
		{"0" + nines + "9", 0, &ruleIntParsing},
		{nines + "_9", 0, &ruleIntParsing},
	} {
		got, rule := toInt(kindString, []byte(tt.in))
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

		{"", 0, &ruleFloatParsing}, {".", 0, &ruleFloatParsing}, {"e1", 0, &ruleFloatParsing},
		{"1e", 0, &ruleFloatParsing},
		{"0x1p-1", 0, &ruleFloatParsing}, {"0.9_", 0, &ruleFloatParsing},
		{"_0.9", 0, &ruleFloatParsing}, {"0.9__5", 0, &ruleFloatParsing},
		{" 0.9_5", 0, &ruleFloatParsing}, {"+-1", 0, &ruleFloatParsing},
		{"infin", 0, &ruleFloatParsing}, {"0.9f", 0, &ruleFloatParsing},
		{"++nan", 0, &ruleFloatParsing}, {"+nanx", 0, &ruleFloatParsing},
	} {
		got, rule := toFloat(kindString, []byte(tt.in))
		if rule != tt.rule || got != tt.want {
			t.Errorf("%q: got %v %v, want %v %v", tt.in, got, rule, tt.want, tt.rule)
		}
	}
	for _, s := range []string{"nan", "NaN", "+nan", "-nAN", "n_an"} {
		if got, rule := toFloat(kindString, []byte(s)); rule != nil || !math.IsNaN(got) {
			t.Errorf("%q: got %v %v, want NaN", s, got, rule)
		}
	}
}
