package metrics

import (
	"bytes"
	"fmt"
	"os"
	"path"
	"strconv"
	"strings"
)

// clockTicks is the unit of times in /proc: 100 a second on every architecture that Go runs on.
const clockTicks = 100

// AddProcess adds process_*, as /proc has them, and the throttling of the control group that the
// process is in. What cannot be read is left out, which is all of it where there is no Linux /proc.
func AddProcess(r *Registry) { addProcess(r, "/proc", "/sys/fs/cgroup") }

func addProcess(r *Registry, proc, cgroup string) {
	stat := func(field int) func() (float64, error) {
		return func() (float64, error) { return statField(path.Join(proc, "self/stat"), field) }
	}
	page := float64(os.Getpagesize())
	for _, m := range []struct {
		kind       kind
		name, help string
		scale      float64
		read       func() (float64, error)
	}{
		{counterKind, "process_cpu_seconds_total", "User and system CPU time spent.",
			1.0 / clockTicks, func() (float64, error) {
				user, err := stat(14)()
				if err != nil {
					return 0, err
				}
				system, err := stat(15)()
				return user + system, err
			}},
		{gaugeKind, "process_threads", "Threads of the process.", 1, stat(20)},
		{gaugeKind, "process_virtual_memory_bytes", "Virtual memory size.", 1, stat(23)},
		{gaugeKind, "process_resident_memory_bytes", "Resident memory size.", page, stat(24)},
		{gaugeKind, "process_start_time_seconds", "Start of the process since the Unix epoch.", 1,
			func() (float64, error) {
				ticks, err := stat(22)()
				if err != nil {
					return 0, err
				}
				boot, err := lineField(path.Join(proc, "stat"), "btime", 1)
				return boot + ticks/clockTicks, err
			}},
		{gaugeKind, "process_open_fds", "Open file descriptors.", 1, func() (float64, error) {
			entries, err := os.ReadDir(path.Join(proc, "self/fd"))
			return float64(len(entries)), err
		}},
		{gaugeKind, "process_max_fds", "Limit of open file descriptors.", 1,
			func() (float64, error) {
				return lineField(path.Join(proc, "self/limits"), "Max open files", 3)
			}},
		{counterKind, "container_cpu_cfs_throttled_periods_total",
			"Periods in which the CPU limit of the container held the process back.", 1,
			func() (float64, error) {
				return lineField(path.Join(cgroup, "cpu.stat"), "nr_throttled", 1)
			}},
	} {
		if _, err := m.read(); err == nil {
			addFunc(r, m.kind, m.name, m.help,
				func() float64 { v, _ := m.read(); return v * m.scale }, nil)
		}
	}
}

// statField reads a field of /proc/PID/stat by its number in proc(5). The second is the name of the
// program in parentheses and may hold anything, so fields are counted from the last parenthesis.
func statField(file string, number int) (float64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	_, rest, ok := cutLast(b, ')')
	fields := bytes.Fields(rest)
	if i := number - 3; ok && i < len(fields) {
		return strconv.ParseFloat(string(fields[i]), 64)
	}
	return 0, fmt.Errorf("metrics: %s has no field %d", file, number)
}

func cutLast(b []byte, sep byte) (before, after []byte, ok bool) {
	if i := bytes.LastIndexByte(b, sep); i >= 0 {
		return b[:i], b[i+1:], true
	}
	return b, nil, false
}

// lineField reads the word of that index, counted from 0 in words of the line, on the line that
// begins with prefix.
func lineField(file, prefix string, index int) (float64, error) {
	b, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(b)) {
		fields := strings.Fields(line)
		if strings.HasPrefix(line, prefix) && index < len(fields) {
			if fields[index] == "unlimited" {
				return strconv.ParseFloat("+Inf", 64)
			}
			return strconv.ParseFloat(fields[index], 64)
		}
	}
	return 0, fmt.Errorf("metrics: %s has no %q", file, prefix)
}
