// Package limits reads how many descriptors and how much memory a process may have, and plans how
// many connections and how large a cache and answers a server can promise with that.
//
// It sees no limit that is set outside the container's view.
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
	// that do not read their answers. A connection stuck in a header takes 16 kB, one in the fast
	// lane 12 at most.
	ConnBytes = 28_000

	// baseBytes is for a server without connections and with an empty cache: 22 MB with the
	// embedded prices, measured, and as much again during a reload, when there are two sets.
	baseBytes = 40 << 20
)

// A Plan is what a server may keep at once.
type Plan struct {
	Conns       int   // connections; 0 is no bound
	CacheBytes  int64 // cached answers
	AnswerBytes int64 // large answers, from when they are made until they are sent
}

// leastConns is how many connections a plan has, however little memory there is: a server that lets
// only one client in is down for the next one and for the health check.
const leastConns = 16

// maxAnswers holds ten batches of a thousand forecasts of thirty days each, or three with eight
// intervals in each forecast.
const maxAnswers = 64 << 20

// NewPlan plans with the connections and the cache that are wanted, or with less where memory does
// not suffice. A limit of 0 is unknown; 0 connections wanted means as many as possible.
//
// Large answers get an eighth of the memory, because making them takes up to twice that, and at
// most a quarter of what the server itself leaves. The cache gets at most half of the rest, and
// connections what is then left.
func NewPlan(conns int, cacheBytes int64, memory int64) Plan {
	n := int64(math.MaxInt64)
	if conns > 0 {
		n = int64(conns)
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

// Memory returns the least memory limit of the control groups of this process, in bytes, or 0
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

// readLimit returns the number in a file, or 0 if there is none or it means no limit.
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
