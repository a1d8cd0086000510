package limits_test

import (
	"os"
	"runtime"
	"testing"
	"testing/fstest"

	"tickercast/predict/internal/limits"
)

func TestPlan(t *testing.T) {
	const mib = 1 << 20
	fit := func(bytes int64) int { return int(bytes / limits.ConnBytes) }
	for _, tt := range []struct {
		name   string
		conns  int
		cache  int64
		memory int64
		want   limits.Plan
	}{
		{"nothing known", 0, 64 * mib, 0, limits.Plan{0, 64 * mib, 64 * mib}},
		{"as wanted", 100, 64 * mib, 0, limits.Plan{100, 64 * mib, 64 * mib}},
		{"as wanted, although there is more memory", 100, 64 * mib, 512 * mib,
			limits.Plan{100, 64 * mib, 64 * mib}},
		{"what the memory holds", 0, 64 * mib, 256 * mib,
			limits.Plan{fit((256 - 40 - 32 - 64) * mib), 64 * mib, 32 * mib}},
		{"more cache than there is memory for", 0, 1 << 40, 256 * mib,
			limits.Plan{fit((256 - 40 - 32) / 2 * mib), (256 - 40 - 32) / 2 * mib, 32 * mib}},
		{"a small container", 0, 64 * mib, 104 * mib,
			limits.Plan{fit((104 - 40 - 13) * mib / 2), (104 - 40 - 13) * mib / 2, 13 * mib}},
		{"less memory than the server itself takes", 0, 64 * mib, 32 * mib,
			limits.Plan{16, 3 * mib / 8, mib / 4}},
	} {
		if got := limits.NewPlan(tt.conns, tt.cache, tt.memory); got != tt.want {
			t.Errorf("%s: got %+v, want %+v", tt.name, got, tt.want)
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
