package limits

import (
	"math"
	"strings"
	"testing"
)

func TestSoftLimit(t *testing.T) {
	const mib, unset = 1 << 20, math.MaxInt64
	for _, tt := range []struct {
		set, container, want int64
		fails                string
	}{
		{unset, 0, 0, ""},
		{unset, 512 * mib, 512 * mib / 10 * 9, ""},
		{unset, 64 * mib, 64*mib - programBytes, ""},
		{unset, 40 * mib, 40*mib - programBytes, ""},
		{unset, 40*mib - 1, 0, "the memory limit is 40.0 MiB"},
		{unset, 4 * mib, 0, "the memory limit is 4.0 MiB"},
		{256 * mib, 0, 256 * mib, ""},
		{256 * mib, 4096 * mib, 256 * mib, ""},
		{90 * mib, 0, 100*mib - programBytes, ""},
		{39 * mib, 4096 * mib, 0, "GOMEMLIMIT is 39.0 MiB"},
	} {
		got, err := softLimit(tt.set, tt.container)
		failed := err != nil && tt.fails != "" && strings.HasPrefix(err.Error(), tt.fails) &&
			strings.HasSuffix(err.Error(), "at least 40 MiB")
		if got != tt.want || (err != nil) != (tt.fails != "") || err != nil && !failed {
			t.Errorf("GOMEMLIMIT %d, container %d: got %d, %v; want %d, %q", tt.set, tt.container,
				got, err, tt.want, tt.fails)
		}
	}
}
