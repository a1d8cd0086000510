package fastlane

import (
	"net/http"
	"strings"
)

// A Route is a kind of request that the lane answers.
type Route struct {
	Method string // GET or POST

	// Path is a path, or one whose last segment is in braces: the client chooses it. Such a segment
	// has letters, digits and -._~^=$@:, and is not one that another route has under any method.
	Path string

	// Header is added to Config.Header for a 200 and a 304 without a Response.Header, and replaces
	// headers of the same name.
	Header http.Header

	// Fields are the canonical names of headers whose values are in Response.Fields, in its order.
	// At most MaxFields are possible.
	Fields []string

	// Answer is called once for each such request that the lane understands, and decides everything
	// about it. If ok is false the connection is handed over, and the handler gets the request
	// unchanged. Many goroutines call Answer.
	Answer func(*Request) (r Response, ok bool)
}

// MaxFields is the most Fields of a Route.
const MaxFields = 4

const crlf = "\r\n"

// A route is a Route that is ready to be compared with what clients send.
type route struct {
	Route
	start string   // of the request line: all of it, or up to the segment that the client chooses
	taken []string // segments that the client cannot choose; nil if it chooses none

	// The heads of a 200 and of a 304, without and with the end of the connection.
	heads [2][2]head
}

// newRoutes returns the routes with those first whose path is fixed.
func (l *Lane) newRoutes(all []Route) (list []*route) {
	for _, r := range all {
		n := &route{Route: r, start: r.Method + " " + r.Path + " HTTP/1.1" + crlf}
		for i, status := range [...]int{http.StatusOK, http.StatusNotModified} {
			for j := range n.heads[i] {
				n.heads[i][j] = l.newHead(status, j > 0, r.Header, r.Fields)
			}
		}
		folder, segment := cutLast(r.Path)
		if !strings.HasPrefix(segment, "{") {
			list = append([]*route{n}, list...)
			continue
		}
		n.start = r.Method + " " + folder
		n.taken = []string{"", ".", ".."}
		for _, other := range all {
			if in, name := cutLast(other.Path); in == folder && other.Path != r.Path {
				n.taken = append(n.taken, name)
			}
		}
		list = append(list, n)
	}
	return list
}

// cutLast splits a path before its last segment.
func cutLast(path string) (folder, segment string) {
	i := strings.LastIndexByte(path, '/') + 1
	return path[:i], path[i:]
}

// inSegment has the bytes of a segment that net/http leaves as they are.
var inSegment = func() (t [256]bool) {
	for c := range t {
		letter := 'a' <= c|0x20 && c|0x20 <= 'z'
		t[c] = letter || '0' <= c && c <= '9' || strings.IndexByte("-._~^=$@:", byte(c)) >= 0
	}
	return t
}()
