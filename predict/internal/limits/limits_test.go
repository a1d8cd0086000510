package limits_test

import (
	"os"
	"runtime"
	"testing"
	"testing/fstest"

	"tickercast/predict/internal/limits"
)

const mib = 1 << 20

func TestPlan(t *testing.T) {
	fit := func(bytes int64) int { return int(bytes / limits.ConnBytes) }
	for _, tt := range []struct {
		name   string
		wanted limits.Wanted
		conns  int
		cache  int64
		held   int64
	}{
		{"nothing known", limits.Wanted{CacheBytes: 64 * mib}, 0, 64 * mib, 64 * mib},
		{"as wanted", limits.Wanted{Conns: 100, CacheBytes: mib}, 100, mib, 64 * mib},
		{"as wanted, although there is more", limits.Wanted{Conns: 100, CacheBytes: 64 * mib, Memory: 512 * mib}, 100, 64 * mib, 64 * mib},
		{"what the memory holds", limits.Wanted{CacheBytes: 64 * mib,
			Memory: 256 * mib}, fit((256 - 20 - 64 - 64) * mib), 64 * mib, 32 * mib},
		{"more cache than there is memory for", limits.Wanted{CacheBytes: 1 << 40,
			Memory: 256 * mib}, fit((256 - 20 - 64) / 2 * mib), (256 - 20 - 64) / 2 * mib,
			32 * mib},
		{"a small container", limits.Wanted{CacheBytes: 64 * mib, Memory: 48 * mib},
			fit((48 - 20 - 12) * mib / 2), (48 - 20 - 12) * mib / 2, 6 * mib},
		{"less memory than the server itself takes", limits.Wanted{CacheBytes: 64 * mib,
			Memory: 16 * mib}, 16, mib / 4, mib / 4},
	} {
		got := limits.NewPlan(tt.wanted)
		if got.Conns != tt.conns || got.CacheBytes != tt.cache || got.HeldBytes != tt.held {
			t.Errorf("%s: got %+v, want %d connections, %d and %d bytes", tt.name, got, tt.conns,
				tt.cache, tt.held)
		}
	}
}

// TestPlanFits adds up what a plan allows: it must be within the memory, whatever is wanted.
func TestPlanFits(t *testing.T) {
	for memory := int64(26 * mib); memory < 4096*mib; memory += memory / 7 {
		for i := range 8 {
			extra := func(n int) int { return min(n/8, i*10) }
			w := limits.Wanted{CacheBytes: 64 * mib, Memory: memory, HTTP2: i&1 > 0, TLS: i&2 > 0,
				Rates: i&4 > 0, Extra: extra}
			p := limits.NewPlan(w)
			each := int64(limits.ConnBytes)
			if w.HTTP2 {
				each += 64_000
			}
			if w.TLS {
				each += 36_000
			}
			sum := 20*mib + p.CacheBytes + 2*p.HeldBytes + int64(p.Conns+extra(p.Conns))*each
			if w.Rates {
				sum += 240 * int64(p.Clients)
			}
			if p.Conns < 16 || p.HeldBytes < mib || p.Conns > 16 && sum > memory {
				t.Errorf("%+v: %+v is %d bytes", w, p, sum)
			}
			if got := p.BodyBytes(4 * mib); got != min(4*mib, p.HeldBytes/4) {
				t.Errorf("%+v: bodies of %d bytes", p, got)
			}
		}
	}
}

func file(data string) *fstest.MapFile { return &fstest.MapFile{Data: []byte(data)} }

func TestMemory(t *testing.T) {
	for _, tt := range []struct {
		name string
		fs   fstest.MapFS
		want int64
	}{
		{"no control groups", fstest.MapFS{}, 0},
		{"none set", fstest.MapFS{"proc/self/cgroup": file("0::/a\n"),
			"sys/fs/cgroup/a/memory.max": file("max\n")}, 0},
		{"its own", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max": file("1000\n"),
			"sys/fs/cgroup/a/memory.max":   file("max\n")}, 1000},
		{"a group above has less", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max": file("1000\n"),
			"sys/fs/cgroup/a/memory.max":   file("900\n")}, 900},
		{"a group above has more", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"),
			"sys/fs/cgroup/a/b/memory.max": file("1000\n"),
			"sys/fs/cgroup/a/memory.max":   file("9000\n")}, 1000},
		{"a container with its own root", fstest.MapFS{"proc/self/cgroup": file("0::/\n"),
			"sys/fs/cgroup/memory.max": file("1000\n")}, 1000},
		{"a path from outside", fstest.MapFS{"proc/self/cgroup": file("0::/../../kubepods/x\n"),
			"sys/fs/cgroup/memory.max": file("1000\n")}, 1000},
		{"version 1", fstest.MapFS{"proc/self/cgroup": file("12:cpu:/a\n5:memory:/a\n0::/a\n"),
			"sys/fs/cgroup/memory/a/memory.limit_in_bytes": file("1000\n")}, 1000},
		{"version 1 without", fstest.MapFS{"proc/self/cgroup": file("5:memory:/a\n"),
			"sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n")}, 0},
		{"noise", fstest.MapFS{"proc/self/cgroup": file("noise\n\n::\n0::/\n"),
			"sys/fs/cgroup/memory.max": file("-1\n")}, 0},
	} {
		if got := limits.Memory(tt.fs); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
	if got := limits.Memory(os.DirFS("/")); got < 0 {
		t.Errorf("here: got %d", got)
	}
}

func TestFiles(t *testing.T) {
	got := limits.Files()
	if known := runtime.GOOS != "windows" && runtime.GOOS != "plan9" &&
		runtime.GOOS != "js"; known != (got > 0) {
		t.Errorf("Files() = %d on %s", got, runtime.GOOS)
	}
}
