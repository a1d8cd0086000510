package server_test

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"tickercast/predict/internal/memnet"
	"tickercast/predict/server"
)

// A network is where a server of a test listens.
type network struct {
	public, admin string                                              // addresses to listen on
	listen        func(context.Context, string) (net.Listener, error) // nil: the server's own
	dial          func(addr string) (net.Conn, error)
	road          road
}

// A road is how clients reach the public port, and what answers them.
type road struct {
	lane, tls, http2 bool // HTTP/2 is over TLS
}

func (r road) String() string {
	return fmt.Sprintf("lane=%v,tls=%v,http2=%v", r.lane, r.tls, r.http2)
}

// on is a network on which the public port is reached by the road.
func (r road) on(n network) network {
	n.road = r
	return n
}

// scheme is that of URLs on the public port.
func (r road) scheme() string {
	if r.tls {
		return "https"
	}
	return "http"
}

// plainRoads are those without TLS, for tests of single bytes and connections.
var plainRoads = []road{{lane: true}, {lane: false}}

// onEveryRoad runs a test in a bubble on each road. On HTTP/2 a test ends where it opens a
// connection for bytes of its own.
func onEveryRoad(t *testing.T, test func(t *testing.T, road road)) {
	onTheseRoads(t, append(plainRoads[:2:2], road{lane: true, tls: true}, road{tls: true},
		road{lane: true, tls: true, http2: true}), test)
}

func onTheseRoads(t *testing.T, roads []road, test func(t *testing.T, road road)) {
	for _, r := range roads {
		if testing.Short() && r == (road{tls: true}) {
			continue // each half of it is in another road
		}
		t.Run(r.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, r) })
		})
	}
}

// client sends HTTP requests over the network. It does not follow redirects.
func (n network) client() *http.Client {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true) // which the admin port speaks
	protocols.SetHTTP2(n.road.http2)
	return &http.Client{
		Transport: &http.Transport{
			TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
			Protocols:       protocols,
			DialContext: func(_ context.Context, _, addr string) (net.Conn, error) {
				return n.dial(addr)
			},
		},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// loopback is the real network, on free ports.
func loopback() network {
	return network{
		road:   road{lane: true},
		public: "127.0.0.1:0",
		admin:  "127.0.0.1:0",
		dial:   func(addr string) (net.Conn, error) { return net.Dial("tcp", addr) },
	}
}

// A memory is a network in memory.
type memory struct {
	accept    func(*memnet.Conn) net.Conn // what the server accepts; nil: the connection itself
	listeners sync.Map                    // address to *memoryListener
}

// inMemory is a network of the test's own, which in a bubble of package synctest is in its time.
func inMemory() network { return new(memory).network() }

func (m *memory) network() network {
	return network{
		road:   road{lane: true},
		public: "192.0.2.1:80",
		admin:  server.DefaultAdminAddr,
		listen: m.listen,
		dial:   func(addr string) (net.Conn, error) { return m.dial(addr, nil) },
	}
}

func (m *memory) listen(_ context.Context, addr string) (net.Listener, error) {
	at, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	l := &memoryListener{memnet.Listen(), net.TCPAddrFromAddrPort(at), m.accept}
	m.listeners.Store(addr, l)
	return l, nil
}

// dial connects. cut is as in package memnet.
func (m *memory) dial(addr string, cut func() int) (*memnet.Conn, error) {
	l, ok := m.listeners.Load(addr)
	if !ok {
		return nil, syscall.ECONNREFUSED
	}
	return l.(*memoryListener).Dial(cut)
}

type memoryListener struct {
	*memnet.Listener
	addr   net.Addr
	accept func(*memnet.Conn) net.Conn
}

func (l *memoryListener) Addr() net.Addr { return l.addr }

func (l *memoryListener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil || l.accept == nil {
		return c, err
	}
	return l.accept(c.(*memnet.Conn)), nil
}

// A connFrom comes from an address that the test has chosen.
type connFrom struct {
	*memnet.Conn
	addr netip.AddrPort
}

func (c connFrom) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(c.addr) }
