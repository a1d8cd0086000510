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
	// The figures are live heap and stacks of 1,500 connections of bench/hostile, after a
	// collection, divided by their number.

	// ConnBytes is what a connection takes at most in net/http: 19 kB and what no Limiter counts, a
	// head of 8 KiB and a body of FreeBytes. With these it is 44.6 kB; an idle connection of the
	// lane takes 3.3.
	ConnBytes = 44_000
	// http2Bytes is what HTTP/2 adds at most: its tables, the buffer of a frame, three goroutines,
	// a head that has begun, and a stream whose body has. Idle, and without a request, such a
	// connection takes 29.6 kB in all.
	http2Bytes = 64_000
	// tlsBytes is what encryption adds at most: its state, and a record in each direction. It is
	// 8.6 kB when idle and 16.7 after a full record has come; one that the client does not take is
	// as long.
	tlsBytes = 36_000

	// baseBytes is for a server without connections and with an empty cache, as far as the
	// collector sees it: 13 MB with the embedded prices, measured, and 20 during a reload, when
	// there are two sets.
	baseBytes = 20 << 20
)

// Wanted is what a server would like to keep, and what it has for that. A zero is explained where
// it means something else.
type Wanted struct {
	Conns int // connections; 0 means as many as possible
	// Extra is how many may be open beyond a number of connections for a moment; nil means none.
	Extra      func(conns int) int
	CacheBytes int64 // cached answers
	Memory     int64 // bytes, as SetMemory returns them; 0 means that this is unknown
	HTTP2, TLS bool  // that connections may have
	Rates      bool  // of clients are limited
}

// A Plan is what a server may keep at once.
type Plan struct {
	Conns      int   // connections; 0 is no bound
	CacheBytes int64 // cached answers
	HeldBytes  int64 // of a Limiter
	Clients    int   // whose rates are remembered
}

// leastConns is how many connections a plan has, however little memory there is: a server that lets
// only one client in is down for the next one and for the health check.
const leastConns = 16

// maxHeld holds ten batches of a thousand forecasts of thirty days each, or three with eight
// intervals in each forecast.
const maxHeld = 64 << 20

const (
	maxClients  = 1 << 16
	clientBytes = 240 // of a rate that is remembered
)

// NewPlan plans with the connections and the cache that are wanted, or with less where memory does
// not suffice.
//
// The limiter gets an eighth of the memory, and at most a quarter of what the server itself leaves.
// It counts twice, because what it has counted is garbage for a while when it is given back. The
// cache gets at most half of the rest, and connections what is then left.
func NewPlan(w Wanted) Plan {
	n := int64(math.MaxInt64)
	if w.Conns > 0 {
		n = int64(w.Conns)
	}
	p := Plan{CacheBytes: w.CacheBytes, HeldBytes: maxHeld, Clients: maxClients}
	if w.Memory > 0 {
		room := max(w.Memory-baseBytes, 1<<20)
		if w.Rates {
			p.Clients = int(min(room/32/clientBytes, maxClients))
			room -= int64(p.Clients) * clientBytes
		}
		p.HeldBytes = min(w.Memory/8, room/4, maxHeld)
		room -= 2 * p.HeldBytes
		p.CacheBytes = min(w.CacheBytes, room/2)
		n = min(n, max(fit((room-p.CacheBytes)/w.connBytes(), w.Extra), leastConns))
	}
	if n < math.MaxInt64 {
		p.Conns = int(n)
	}
	return p
}

// fit returns how many connections fit where there is room for so many, when extra more may be open
// for a moment.
func fit(room int64, extra func(conns int) int) int64 {
	n := room
	for extra != nil && n > 0 && n+int64(extra(int(n))) > room {
		n--
	}
	return n
}

func (w Wanted) connBytes() int64 {
	n := int64(ConnBytes)
	if w.HTTP2 {
		n += http2Bytes
	}
	if w.TLS {
		n += tlsBytes
	}
	return n
}

// BodyBytes is the largest body that a plan allows, of those of so many bytes that are wanted: with
// a quarter of the limiter, a client can send one however much others hold.
func (p Plan) BodyBytes(wanted int64) int64 { return min(wanted, p.HeldBytes/4) }

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
