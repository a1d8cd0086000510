package cache

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestConfig(t *testing.T) {
	cost := func(string, string) int64 { return 1 }
	for _, tt := range []struct {
		name string
		cfg  Config[string, string]
		want string // part of the error; empty: none
	}{
		{"zero", Config[string, string]{}, ""},
		{"all", Config[string, string]{Capacity: 1, MaxBytes: 1 << 20, Cost: cost, TTL: 1,
			Now: time.Now}, ""},
		{"huge", Config[string, string]{Capacity: math.MaxInt, MaxBytes: math.MaxInt64, Cost: cost,
			TTL: maxTTL}, ""},
		{"negative capacity", Config[string, string]{Capacity: -1}, "Capacity is -1"},
		{"negative TTL", Config[string, string]{TTL: -1}, "TTL is -1ns"},
		{"endless TTL", Config[string, string]{TTL: math.MaxInt64}, "TTL is"},
		{"negative bytes", Config[string, string]{MaxBytes: -1, Cost: cost}, "MaxBytes is -1"},
		{"bytes without cost", Config[string, string]{MaxBytes: 1 << 20}, "needs Cost"},
		{"bytes for nothing", Config[string, string]{MaxBytes: 100, Cost: cost}, "too small"},
	} {
		c, err := New(tt.cfg)
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: got error %q, want none", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: got error %v, want one with %q", tt.name, err, tt.want)
		case err == nil:
			if v, err := c.Load(t.Context(), "a", value("b")); v != "b" || err != nil {
				t.Errorf("%s: Load: got %q, %v, want b, nil", tt.name, v, err)
			}
			c.Close()
		}
	}
}

// TestShardsShareTheBounds: the parts differ by one at most and sum up exactly, and no shard is so
// small that it would evict badly or refuse common values.
func TestShardsShareTheBounds(t *testing.T) {
	for _, capacity := range []int{1, 2, 255, 512, 1000, 4099, 1 << 14, 100_001} {
		for _, maxBytes := range []int64{0, 1 << 16, 1<<20 + 1, 64<<20 + 5} {
			c, err := New(Config[string, string]{Capacity: capacity, MaxBytes: maxBytes,
				Cost: func(string, string) int64 { return 0 }})
			if err != nil {
				t.Fatal(err)
			}
			st := c.Stats()
			if st.Capacity != capacity || st.MaxBytes != maxBytes {
				t.Errorf("got bounds %d and %d, want %d and %d", st.Capacity, st.MaxBytes, capacity,
					maxBytes)
			}
			if n := len(c.shards); n&(n-1) != 0 || n > 1 &&
				(capacity/n < minShardEntries || maxBytes > 0 &&
					maxBytes/int64(n) < minShardBytes) {
				t.Errorf("capacity %d, %d bytes: got %d shards", capacity, maxBytes, n)
			}
			for i := range c.shards {
				if d := c.shards[i].maxEntries - capacity/len(c.shards); d != 0 && d != 1 {
					t.Errorf("capacity %d: shard %d of %d has %d", capacity, i, len(c.shards),
						c.shards[i].maxEntries)
				}
			}
		}
	}
}
