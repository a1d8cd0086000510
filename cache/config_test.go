package cache

import (
	"math"
	"strings"
	"testing"
)

func TestConfig(t *testing.T) {
	cost := func(string, string) int64 { return 1 }
	for _, tt := range []struct {
		cfg  Config[string, string]
		want string // part of the error; empty: none
	}{
		{Config[string, string]{}, ""},
		{Config[string, string]{Capacity: 1, MaxBytes: 1 << 20, Cost: cost, TTL: 1e12}, ""},
		{Config[string, string]{Capacity: math.MaxInt, MaxBytes: math.MaxInt64, Cost: cost,
			TTL: maxTTL}, ""},
		{Config[string, string]{Capacity: -1}, "Capacity is -1"},
		{Config[string, string]{TTL: -1}, "TTL is -1ns"},
		{Config[string, string]{TTL: math.MaxInt64}, "TTL is"},
		{Config[string, string]{MaxBytes: -1, Cost: cost}, "MaxBytes is -1"},
		{Config[string, string]{MaxBytes: 1 << 20}, "needs Cost"},
		{Config[string, string]{MaxBytes: 100, Cost: cost}, "too small"},
	} {
		c, err := New(tt.cfg)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%+v: got error %q, want none", tt.cfg, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%+v: got error %v, want one with %q", tt.cfg, err, tt.want)
		case err == nil:
			for range 2 { // computed, then kept
				if v, err := c.Load(t.Context(), "a", value("b")); v != "b" || err != nil {
					t.Errorf("%+v: Load: got %q, %v, want b, nil", tt.cfg, v, err)
				}
			}
			if st := c.Stats(); st.Entries != 1 || st.Loads != 1 {
				t.Errorf("%+v: got %+v, want 1 entry, 1 load", tt.cfg, st)
			}
			c.Close()
		}
	}
}

// TestShards: there are enough for several processors, but few in a small cache.
func TestShards(t *testing.T) {
	for _, capacity := range []int{1, 2, 255, 2048, 4099, 1 << 14, 100_001} {
		c, err := New(Config[string, string]{Capacity: capacity})
		if err != nil {
			t.Fatal(err)
		}
		n := len(c.shards)
		if n&(n-1) != 0 || n > maxShards || n > 1 && capacity/n < minShardEntries {
			t.Errorf("capacity %d: got %d shards", capacity, n)
		}
		if n == 1 && capacity > 2*minShardEntries {
			t.Errorf("capacity %d: got one shard", capacity)
		}
	}
}
