// Package limits reads what the system grants a process, in descriptors and memory, and derives
// from it how many connections and large answers a server can promise to keep.
//
// It sets nothing, and sees no limit that a hypervisor or a parent outside the container's view
// imposes.
package limits

import (
	"io/fs"
	"math"
	"path"
	"strconv"
	"strings"
)

const (
	// ConnBytes is what a connection takes at most: 27 kB in net/http, measured with 10,000 clients
	// that do not read their answers. One stuck in a header takes 16 kB, one in the fast lane at
	// most 12.
	ConnBytes = 28_000

	// spareFiles are for the listeners, the files that a reload reads, the log, and connections to
	// the admin address.
	spareFiles = 64

	// baseBytes is for a server without a connection and with an empty cache: 22 MB with the
	// embedded prices, measured, and as much again during a reload, when there are two sets of
	// them.
	baseBytes = 40 << 20
)

// A Plan is what a server may keep at once.
type Plan struct {
	Conns       int   // connections; 0 is no bound
	CacheBytes  int64 // cached answers
	AnswerBytes int64 // large answers, from when they are made until they are sent
}

// leastConns is how many connections a plan has, whatever the memory: a server that lets one client
// in is down for the next, and for whoever asks whether it is up.
const leastConns = 16

// maxAnswers is ten at once of a thousand forecasts of all thirty days, or three with eight
// intervals each.
const maxAnswers = 64 << 20

// NewPlan plans with as many connections and as large a cache as are wanted, or with less where
// descriptors or memory do not suffice. A zero limit is none, and zero connections wanted are as
// many as can be.
//
// Large answers get an eighth of the memory, because making them takes up to twice that, and no
// more than a quarter of what is beside the server itself; the cache gets at most half of the rest,
// and connections what is then left.
func NewPlan(conns int, cacheBytes int64, files uint64, memory int64) Plan {
	n := int64(math.MaxInt64)
	if conns > 0 {
		n = int64(conns)
	}
	if files > 0 && files < math.MaxInt64 {
		n = min(n, max(int64(files)-spareFiles, 1))
	}
	p := Plan{CacheBytes: cacheBytes, AnswerBytes: maxAnswers}
	if memory > 0 {
		room := max(memory-baseBytes, 1<<20)
		p.AnswerBytes = min(memory/8, room/4, maxAnswers)
		room -= p.AnswerBytes
		p.CacheBytes = min(cacheBytes, room/2)
		n = min(n, max((room-p.CacheBytes)/ConnBytes, leastConns))
	}
	if n < math.MaxInt64 {
		p.Conns = int(n)
	}
	return p
}

// Memory is the least memory limit of the control groups that this process is in, in bytes, or 0
// without one. root is the file system: os.DirFS("/").
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
		// The limit of every group above holds too. Inside a container the path may be one that is
		// only seen outside; what is mounted is then its own group, at the root.
		for dir := path.Join("/", group); ; dir = path.Dir(dir) {
			if n := readLimit(root, path.Join(mount, dir, file)); n > 0 &&
				(least == 0 || n < least) {
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
