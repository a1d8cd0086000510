package limits_test

import (
	"os"
	"runtime"
	"testing"
	"testing/fstest"

	"tickercast/predict/limits"
)

func TestConnections(t *testing.T) {
	const mib = 1 << 20
	for _, tt := range []struct {
		name         string
		wanted       int
		files        uint64
		memory, kept int64
		want         int
	}{
		{"nothing known", 0, 0, 0, 64 * mib, 0},
		{"as wanted", 100, 0, 0, 0, 100},
		{"fewer than wanted for want of descriptors", 10_000, 1024, 0, 0, 960},
		{"as many as there are descriptors", 0, 1024, 0, 0, 960},
		{"as wanted, although there is more", 100, 1024, 256 * mib, 64 * mib, 100},
		{"what the memory holds", 0, 1 << 20, 256 * mib, 64 * mib, (256 - 40 - 64) * mib / limits.ConnBytes},
		{"no memory beside what is kept", 100, 1024, 64 * mib, 64 * mib, 1},
		{"hardly a descriptor", 0, 10, 0, 0, 1},
		{"unlimited descriptors", 0, 1<<64 - 1, 0, 0, 0},
	} {
		if got := limits.Connections(tt.wanted, tt.files, tt.memory, tt.kept); got != tt.want {
			t.Errorf("%s: got %d, want %d", tt.name, got, tt.want)
		}
	}
}

func TestAnswers(t *testing.T) {
	for memory, want := range map[int64]int64{0: 64 << 20, 128 << 20: 16 << 20, 512 << 20: 64 << 20, 1 << 40: 64 << 20} {
		if got := limits.Answers(memory); got != want {
			t.Errorf("%d bytes: got %d, want %d", memory, got, want)
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
		{"none set", fstest.MapFS{"proc/self/cgroup": file("0::/a\n"), "sys/fs/cgroup/a/memory.max": file("max\n")}, 0},
		{"its own", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("1000\n"), "sys/fs/cgroup/a/memory.max": file("max\n")}, 1000},
		{"a group above has less", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("1000\n"), "sys/fs/cgroup/a/memory.max": file("900\n")}, 900},
		{"a group above has more", fstest.MapFS{"proc/self/cgroup": file("0::/a/b\n"), "sys/fs/cgroup/a/b/memory.max": file("1000\n"), "sys/fs/cgroup/a/memory.max": file("9000\n")}, 1000},
		{"a container with its own root", fstest.MapFS{"proc/self/cgroup": file("0::/\n"), "sys/fs/cgroup/memory.max": file("1000\n")}, 1000},
		{"a path from outside", fstest.MapFS{"proc/self/cgroup": file("0::/../../kubepods/x\n"), "sys/fs/cgroup/memory.max": file("1000\n")}, 1000},
		{"version 1", fstest.MapFS{"proc/self/cgroup": file("12:cpu:/a\n5:memory:/a\n0::/a\n"), "sys/fs/cgroup/memory/a/memory.limit_in_bytes": file("1000\n")}, 1000},
		{"version 1 without", fstest.MapFS{"proc/self/cgroup": file("5:memory:/a\n"), "sys/fs/cgroup/memory/memory.limit_in_bytes": file("9223372036854771712\n")}, 0},
		{"noise", fstest.MapFS{"proc/self/cgroup": file("noise\n\n::\n0::/\n"), "sys/fs/cgroup/memory.max": file("-1\n")}, 0},
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
	if known := runtime.GOOS != "windows" && runtime.GOOS != "plan9" && runtime.GOOS != "js"; known != (got > 0) {
		t.Errorf("Files() = %d on %s", got, runtime.GOOS)
	}
}
