package limits_test

import (
	"math"
	"strings"
	"testing"

	"tickercast/predict/internal/limits"
)

// TestConns holds for any limit of descriptors: what is planned fits, and one more does not.
func TestConns(t *testing.T) {
	const spare, reserved, least = 40, 54, 16
	extra := func(n int) int { return min((n+7)/8, 64) }
	for files := uint64(1); files < 3000; files++ {
		for _, wanted := range []int{0, 1, 10, 16, 100, 1000, 1 << 30} {
			got, err := limits.Conns(wanted, files, reserved, extra)
			need := func(n int) int { return spare + reserved + n + extra(n) }
			if err != nil {
				most := least
				if wanted > 0 {
					most = min(most, wanted)
				}
				if need(most) <= int(files) || !strings.Contains(err.Error(), "ulimit -n") {
					t.Errorf("%d of %d: got %v", wanted, files, err)
				}
				continue
			}
			if need(got) > int(files) || wanted > 0 && got > wanted ||
				got != wanted && need(got+1) <= int(files) {
				t.Errorf("%d of %d: got %d", wanted, files, got)
			}
		}
	}
	for _, files := range []uint64{0, math.MaxInt64, math.MaxUint64} {
		if got, err := limits.Conns(7, files, reserved, extra); got != 7 || err != nil {
			t.Errorf("%d descriptors: got %d, %v, want 7", files, got, err)
		}
	}
	_, err := limits.Conns(0, 65, reserved, extra)
	want := "the limit of open files is 65, which is too low for 16 connections: it must be 112 " +
		"or more (ulimit -n)"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	if got, err := limits.Conns(0, 112, reserved, extra); got != least || err != nil {
		t.Errorf("112 descriptors: got %d, %v, want %d", got, err, least)
	}
}
