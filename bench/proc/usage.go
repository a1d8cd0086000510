//go:build linux

package proc

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// Usage is what a process and its descendants use.
type Usage struct {
	CPU    time.Duration // user and system so far, in steps of 10 ms
	Kernel time.Duration // the system's part of CPU
	Memory int64         // resident bytes; pages that the processes share count once
}

// Usage reads the counters of the server.
func (s *Server) Usage() (Usage, error) { return Of(s.PID()) }

// During calls f and returns the CPU time that the server used meanwhile.
func (s *Server) During(f func() error) (cpu time.Duration, err error) {
	before, err := s.Usage()
	if err != nil {
		return 0, err
	}
	if err := f(); err != nil {
		return 0, err
	}
	after, err := s.Usage()
	return after.CPU - before.CPU, err
}

// Of reads the counters of a process and its descendants.
func Of(pid int) (Usage, error) {
	var total Usage
	pids, err := descendants(pid)
	if err != nil {
		return total, err
	}
	var shared int64
	for _, p := range pids {
		u, s, err := read(p)
		if err != nil {
			if p != pid && os.IsNotExist(err) {
				continue // a child that has ended since
			}
			return total, err
		}
		total.CPU += u.CPU
		total.Kernel += u.Kernel
		total.Memory += u.Memory
		shared = max(shared, s)
	}
	total.Memory += shared
	return total, nil
}

// tick is the unit of the times in /proc/PID/stat, USER_HZ. It is 10 ms on every architecture that
// Go supports.
const tick = 10 * time.Millisecond

// read reads the counters of one process. u.Memory is what is private to it; shared is the rest of
// its resident pages.
func read(pid int) (u Usage, shared int64, err error) {
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	stat, err := statFields(pid)
	if err != nil {
		return u, 0, err
	}
	u.Kernel = time.Duration(number(stat[12])) * tick
	u.CPU = time.Duration(number(stat[11]))*tick + u.Kernel
	if b, err := os.ReadFile(filepath.Join(dir, "smaps_rollup")); err == nil {
		u.Memory = (field(b, "Private_Clean:") + field(b, "Private_Dirty:")) << 10
		shared = field(b, "Rss:")<<10 - u.Memory
	}
	return u, shared, nil
}

// statFields returns the fields of /proc/PID/stat after the name. The name may hold blanks and
// brackets.
func statFields(pid int) ([][]byte, error) {
	path := filepath.Join("/proc", strconv.Itoa(pid), "stat")
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	f := bytes.Fields(b[bytes.LastIndexByte(b, ')')+1:])
	if len(f) < 20 {
		return nil, fmt.Errorf("proc: cannot read %s", path)
	}
	return f, nil
}

// descendants returns pid and all processes below it.
func descendants(pid int) ([]int, error) {
	names, err := filepath.Glob("/proc/[0-9]*")
	if err != nil {
		return nil, err
	}
	children := make(map[int][]int)
	for _, name := range names {
		child, err := strconv.Atoi(filepath.Base(name))
		if err != nil {
			continue
		}
		if f, err := statFields(child); err == nil {
			parent := int(number(f[1]))
			children[parent] = append(children[parent], child)
		}
	}
	all := []int{pid}
	for i := 0; i < len(all); i++ {
		all = append(all, children[all[i]]...)
	}
	return all, nil
}

// field returns the number after a name at the start of a line, or 0 if there is none.
func field(b []byte, name string) int64 {
	for line := range bytes.Lines(b) {
		if rest, ok := bytes.CutPrefix(line, []byte(name)); ok {
			if f := bytes.Fields(rest); len(f) > 0 {
				return number(f[0])
			}
		}
	}
	return 0
}

func number(b []byte) int64 {
	n, _ := strconv.ParseInt(string(b), 10, 64)
	return n
}
