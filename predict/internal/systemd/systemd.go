// Package systemd speaks the two protocols of a service manager: sockets that it has opened before
// the process, and messages about the state of the service. Both are a few environment variables
// and plain text, which other managers speak too.
//
// It is not a client of systemd: it starts, stops and asks nothing.
package systemd

import (
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"
)

// A Socket is an open socket that the manager hands over.
type Socket struct {
	FD   int
	Name string // by default that of its unit, such as tickercast.socket
}

// firstFD is the first descriptor that a manager hands over. The others follow.
const firstFD = 3

// maxSockets is more than any unit has.
const maxSockets = 1000

// Sockets lists the sockets for the process pid, of which LISTEN_FDS is the number. A process with
// another pid has inherited the variables only: it gets none.
func Sockets(getenv func(string) string, pid int) ([]Socket, error) {
	if getenv("LISTEN_PID") != strconv.Itoa(pid) {
		return nil, nil
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > maxSockets {
		return nil, fmt.Errorf("LISTEN_FDS=%q is no number of sockets", getenv("LISTEN_FDS"))
	}
	sockets := make([]Socket, n)
	names := strings.Split(getenv("LISTEN_FDNAMES"), ":")
	for i := range sockets {
		sockets[i].FD = firstFD + i
		if i < len(names) {
			sockets[i].Name = names[i]
		}
	}
	return sockets, nil
}

// A Notifier tells the manager about the state of the service. Without a manager that listens it
// does nothing.
type Notifier struct {
	addr   *net.UnixAddr // nil: none listens
	failed func(error)
}

// NewNotifier returns a Notifier for the socket that NOTIFY_SOCKET names. failed gets the errors of
// sending: without its message a manager waits until a timeout.
func NewNotifier(getenv func(string) string, failed func(error)) *Notifier {
	n := &Notifier{failed: failed}
	// A path, or @ and an abstract name, which package net spells in the same way.
	if name := getenv("NOTIFY_SOCKET"); name != "" && strings.ContainsAny(name[:1], "/@") {
		n.addr = &net.UnixAddr{Name: name, Net: "unixgram"}
	}
	return n
}

// Ready says that the service has started, or reloaded, and how it is.
func (n *Notifier) Ready(status string) { n.send("READY=1\nSTATUS=" + oneLine(status)) }

// Reloading says that the service reloads until it is Ready again.
func (n *Notifier) Reloading() {
	n.send(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d\nSTATUS=reloading", monotonic()))
}

// Stopping says that the service is about to end.
func (n *Notifier) Stopping() { n.send("STOPPING=1\nSTATUS=draining") }

// send sends a message in one datagram, which the manager takes whole.
func (n *Notifier) send(message string) {
	if n == nil || n.addr == nil {
		return
	}
	conn, err := net.DialUnix("unixgram", nil, n.addr)
	if err == nil {
		conn.SetWriteDeadline(time.Now().Add(time.Second)) // the manager may not read
		_, err = conn.Write([]byte(message))
		conn.Close()
	}
	if err != nil {
		n.failed(fmt.Errorf("telling the service manager: %w", err))
	}
}

// oneLine keeps a text from ending its line: what follows would be another message.
func oneLine(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, s)
}
