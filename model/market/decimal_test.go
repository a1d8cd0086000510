package market

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

// decimalText writes mantissa / 10^decimals.
func decimalText(mantissa uint64, decimals int) string {
	s := strconv.FormatUint(mantissa, 10)
	if s = strings.Repeat("0", max(decimals+1-len(s), 0)) + s; decimals > 0 {
		s = s[:len(s)-decimals] + "." + s[len(s)-decimals:]
	}
	return s
}

// FuzzDecimal compares Decimal with strconv.ParseFloat.
func FuzzDecimal(f *testing.F) {
	for _, m := range []uint64{0, 1, 18742, 18742999267578125, 1<<53 - 1, 1 << 53, 1<<53 + 1,
		9007199254740993, 9999999999999999999, 1 << 63, 1<<63 - 512, 1<<63 + 1024, 1<<63 + 1025,
		5000000000000000000, 1e18, 1e19 - 1} {
		for d := range MaxDigits + 1 {
			f.Add(m, d)
		}
	}
	rng := rand.New(rand.NewPCG(1, 1))
	for range 1000 { // of the numbers halfway between two float64, and beside them
		half := (1<<53+rng.Uint64N(1<<53))<<1 + 1
		f.Add(half<<8, 0)
		f.Add(half, 0)
		f.Add(half*5, 1)
		f.Add(half*125+rng.Uint64N(3)-1, 3)
	}
	f.Fuzz(func(t *testing.T, mantissa uint64, decimals int) {
		if mantissa >= 1e19 || decimals < 0 || decimals > MaxDigits {
			return
		}
		text := decimalText(mantissa, decimals)
		want, err := strconv.ParseFloat(text, 64)
		if err != nil {
			t.Fatal(err)
		}
		if got := Decimal(mantissa, decimals); got != want {
			t.Errorf("Decimal(%d, %d): got %v, want %v", mantissa, decimals, got, want)
		}
		if got, ok := plainNumber([]byte(text)); !ok || got != want {
			t.Errorf("plainNumber(%q): got %v %v, want %v", text, got, ok, want)
		}
	})
}

// BenchmarkNumber reads a price that a float32 holds, and for comparison one of few digits.
func BenchmarkNumber(b *testing.B) {
	for name, text := range map[string]string{"short": "187.43", "long": "187.42999267578125"} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				plainNumber([]byte(text))
			}
		})
	}
}
