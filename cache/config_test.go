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

// TestShardsShareTheBounds: the parts differ by at most one and their sum is exact. No shard is so
// small that it evicts early or refuses common values.
func TestShardsShareTheBounds(t *testing.T) {
	for _, capacity := range []int{1, 2, 255, 2048, 4099, 1 << 14, 100_001} {
		for _, maxBytes := range []int64{0, 1 << 16, 4<<20 + 1, 64<<20 + 5} {
			c, err := New(Config[string, string]{Capacity: capacity, MaxBytes: maxBytes,
				Cost: func(string, string) int64 { return 0 }})
			if err != nil {
				t.Fatal(err)
			}
			n := len(c.shards)
			sound := n&(n-1) == 0 && (n == 1 || capacity/n >= minShardEntries &&
				(maxBytes == 0 || maxBytes/int64(n) >= minShardBytes))
			entries, bytes := 0, int64(0)
			for i := range c.shards {
				s := &c.shards[i]
				entries += s.maxEntries
				bytes += s.maxBytes
				e, b := s.maxEntries-capacity/n, s.maxBytes-maxBytes/int64(n)
				sound = sound && (e == 0 || e == 1) && (b == 0 || b == 1)
			}
			if !sound || entries != capacity || bytes != maxBytes {
				t.Errorf("capacity %d, %d bytes: got %d shards with %d and %d altogether", capacity,
					maxBytes, n, entries, bytes)
			}
		}
	}
}
