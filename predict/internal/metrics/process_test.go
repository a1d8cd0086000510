package metrics

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestProcessFromFiles(t *testing.T) {
	dir := t.TempDir()
	for name, content := range map[string]string{
		"self/stat": "7 (a) b) c) S 1 7 7 0 -1 4194560 9 0 0 0 150 50 0 0 20 0 5 0 1000 " +
			"4096000 25 18446744073709551615 1 1\n",
		"self/limits": "Limit                     Soft Limit           Hard Limit           " +
			"Units\nMax open files            1024                 4096                 files\n",
		"self/fd/0": "", "self/fd/1": "",
		"stat":     "cpu  1 2 3\nbtime 1000000\n",
		"cpu.stat": "usage_usec 5\nnr_throttled 42\n",
	} {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	r := New()
	addProcess(r, dir, dir)
	got := string(r.AppendText(nil))
	for _, want := range []string{
		"process_cpu_seconds_total 2\n",
		"process_threads 5\n",
		"process_virtual_memory_bytes 4.096e+06\n",
		"process_start_time_seconds 1.00001e+06\n",
		"process_open_fds 2\n",
		"process_max_fds 1024\n",
		"container_cpu_cfs_throttled_periods_total 42\n",
	} {
		if !strings.Contains(got, "\n"+want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
}

func TestProcessNotThere(t *testing.T) {
	r := New()
	addProcess(r, t.TempDir(), t.TempDir())
	if got := r.AppendText(nil); len(got) != 0 {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestRealProcess(t *testing.T) {
	r := New()
	AddProcess(r)
	AddGo(r)
	AddBuild(r, "v1")
	got := string(r.AppendText(nil))
	want := []string{"go_goroutines ", "go_info{version=", "build_info{version=\"v1\"",
		"go_memstats_sys_bytes "}
	if runtime.GOOS == "linux" {
		want = append(want, "process_cpu_seconds_total ", "process_resident_memory_bytes ",
			"process_open_fds ", "process_start_time_seconds ")
	}
	for _, w := range want {
		if !strings.Contains(got, "\n"+w) {
			t.Errorf("no %q in\n%s", w, got)
		}
	}
	for _, m := range goMetrics {
		if !strings.Contains(got, "\n"+m.name+" ") {
			t.Errorf("Go no longer has %s", m.source)
		}
	}
}
