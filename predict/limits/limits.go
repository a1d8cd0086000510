// Package limits reads what the system grants a process, in descriptors and memory, and derives from it how many
// connections and large answers a server can promise to keep.
//
// It sets nothing, and sees no limit that a hypervisor or a parent outside the container's view imposes.
package limits

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

const (
	// ConnBytes is what a connection takes at most: 25 kB in net/http, measured with 10,000 clients that do not read their
	// answers. One stuck in a header takes 16 kB, one in the fast lane at most 11.
	ConnBytes = 26_000

	// spareFiles are for the listeners, the files that a reload reads, the log, and connections to the admin address.
	spareFiles = 64

	// baseBytes is for a server without a connection and with an empty cache: 22 MB with the embedded prices, measured, and
	// as much again during a reload, when there are two sets of them.
	baseBytes = 40 << 20
)

// Connections is how many connections to allow: wanted, or fewer if there are not as many descriptors, or memory for them
// beside what else may be kept: the cache and [Answers]. A zero limit is none, and wanted 0 is as many as can be. The result
// 0 is no bound.
func Connections(wanted int, files uint64, memory, kept int64) int {
	n := int64(math.MaxInt64)
	if wanted > 0 {
		n = int64(wanted)
	}
	if files > 0 && files < math.MaxInt64 {
		n = min(n, int64(files)-spareFiles)
	}
	if memory > 0 {
		n = min(n, (memory-baseBytes-kept)/ConnBytes)
	}
	if n == math.MaxInt64 {
		return 0
	}
	return int(max(n, 1))
}

// maxAnswers is ten at once of a thousand forecasts of all thirty days, or three with eight intervals each.
const maxAnswers = 64 << 20

// Answers is how many bytes of large answers to hold at once: an eighth of the memory limit, where there is one, because
// making them takes up to twice that.
func Answers(memory int64) int64 {
	if memory <= 0 {
		return maxAnswers
	}
	return min(memory/8, maxAnswers)
}

// Memory is the least memory limit of the control groups that this process is in, in bytes, or 0 without one. root is the
// file system: os.DirFS("/").
func Memory(root fs.FS) int64 {
	groups, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	least := int64(0)
	for line := range strings.Lines(string(groups)) {
		hierarchy, group, ok := strings.Cut(strings.TrimSpace(line), ":")
		controllers, group, ok2 := strings.Cut(group, ":")
		if !ok || !ok2 {
			continue
		}
		var mount, file string
		switch {
		case hierarchy == "0" && controllers == "": // version 2
			mount, file = "sys/fs/cgroup", "memory.max"
		case controllers == "memory": // version 1
			mount, file = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
		default:
			continue
		}
		// The limit of every group above holds too. Inside a container the path may be one that is only seen outside;
		// what is mounted is then its own group, at the root.
		for dir := path.Join("/", group); ; dir = path.Dir(dir) {
			if n := readLimit(root, path.Join(mount, dir, file)); n > 0 && (least == 0 || n < least) {
				least = n
			}
			if dir == "/" {
				break
			}
		}
	}
	return least
}

// readLimit is the number in a file, or 0 when there is none or it stands for no limit.
func readLimit(root fs.FS, name string) int64 {
	text, err := fs.ReadFile(root, name)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
	if err != nil || n <= 0 || n >= 1<<60 { // "max", or what version 1 writes for it
		return 0
	}
	return n
}
