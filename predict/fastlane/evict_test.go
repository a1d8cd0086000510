package fastlane_test

import (
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"tickercast/predict/fastlane"
	"tickercast/predict/internal/memnet"
)

// withLane runs a test of a lane with MaxConns.
func withLane(t *testing.T, maxConns int,
	test func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane)) {
	synctest.Test(t, func(t *testing.T) {
		ln := memnet.Listen()
		l, stop := start(t, fastlane.Config{Listener: ln, Routes: routes(answer),
			MaxConns: maxConns, Server: newServer(handler())})
		test(t, ln, l)
		stop()
		settle()
	})
}

// isOpen reports whether the server has not closed a connection on which nothing is to come.
func (c client) isOpen() bool {
	c.t.Helper()
	c.SetReadDeadline(time.Now().Add(time.Millisecond))
	defer c.SetReadDeadline(time.Time{})
	b, err := c.r.Peek(1)
	if len(b) > 0 || err != nil && err != io.EOF && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.t.Errorf("waiting: got %q, %v", b, err)
	}
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// settle lets what is under way happen, and each thing have a time of its own.
func settle() {
	time.Sleep(50 * time.Millisecond)
	synctest.Wait()
}

func TestLongestIdleMakesRoom(t *testing.T) {
	withLane(t, 3, func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
		var conns []client
		add := func() client {
			c := dial(t, ln)
			settle()
			conns = append(conns, c)
			return c
		}
		// isLeft checks which connections are open.
		isLeft := func(when string, want ...int) {
			t.Helper()
			settle()
			open := map[int]bool{}
			for _, i := range want {
				open[i] = true
			}
			for i, c := range conns {
				if got := c.isOpen(); got != open[i] {
					t.Errorf("%s: connection %d: open is %v, want %v", when, i, got, open[i])
				}
			}
			if got := l.Stats(); got.Open != len(want) || got.Rejected != 0 {
				t.Errorf("%s: got %+v, want %d open and none rejected", when, got, len(want))
			}
		}
		add().send(post(apple))
		settle()
		add().send(post(apple))
		settle()
		add() // never asks
		isLeft("there is room", 0, 1, 2)
		conns[0].send(post(apple))
		settle()
		add()
		isLeft("the second was the longest idle", 0, 2, 3)
		add()
		isLeft("the third never asked", 0, 3, 4)
		conns[3].send(post(apple))
		settle()
		add()
		isLeft("the first asked before the fourth", 3, 4, 5)
		add()
		isLeft("the fifth never asked", 3, 5, 6)
		if got := l.Stats().Evicted; got != 4 {
			t.Errorf("%d were evicted, want 4", got)
		}
	})
}

// TestNewcomersTakeTurns has many more connections than there is room for come at once: all are
// served, each until others need its place.
func TestNewcomersTakeTurns(t *testing.T) {
	withLane(t, 20, func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
		for range 500 {
			dial(t, ln).send(post(apple))
			if got := l.Stats().Open; got > 20+fastlane.MaxLeaving(20) {
				t.Fatalf("%d are open", got)
			}
		}
		settle()
		if got := l.Stats(); got.Open != 20 || got.Rejected != 0 || got.Evicted != 480 {
			t.Errorf("got %+v, want 20 open, 480 evicted, none rejected", got)
		}
	})
}

// TestHandedOverAreNotEvicted has net/http own a connection of which the lane was told nothing.
func TestHandedOverAreNotEvicted(t *testing.T) {
	withLane(t, 1, func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
		c := dial(t, ln)
		c.send("GET /elsewhere HTTP/1.1\r\nHost: a\r\n\r\n")
		settle()
		dial(t, ln).ended()
		if got := l.Stats(); got.Open != 1 || got.Rejected != 1 || !c.isOpen() {
			t.Errorf("got %+v, want 1 open and 1 rejected", got)
		}
	})
}

// TestBegunRequestIsNotEvicted gives a request half a second here and there. Only one of which
// nothing has come for a second counts as idle.
func TestBegunRequestIsNotEvicted(t *testing.T) {
	for name, first := range map[string]string{"first request": "", "second": post(apple)} {
		for _, at := range []int{4, 60, len(post(apple)) - 1} {
			withLane(t, 1, func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
				c := dial(t, ln)
				if first != "" {
					c.send(first)
				}
				for range 3 {
					c.Write([]byte(post(apple)[:at]))
					time.Sleep(900 * time.Millisecond)
					dial(t, ln).ended()
					if r := c.send(post(apple)[at:]); r.StatusCode != http.StatusOK {
						t.Errorf("%s, %d bytes: got status %d", name, at, r.StatusCode)
					}
				}
				c.Write([]byte(post(apple)[:at]))
				time.Sleep(1100 * time.Millisecond)
				if r := dial(t, ln).send(post(apple)); r.StatusCode != http.StatusOK {
					t.Errorf("%s, %d bytes: the newcomer got status %d", name, at, r.StatusCode)
				}
				c.ended()
			})
		}
	}
}

// TestNothingSentIsLost has a request arrive just when its connection shall make room.
func TestNothingSentIsLost(t *testing.T) {
	for range 200 {
		withLane(t, 1, func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
			c := dial(t, ln)
			c.send(post(apple))
			settle()
			go func() {
				if nc, err := ln.Dial(nil); err == nil {
					nc.Close()
				}
			}()
			if r := c.send(post(apple)); r.StatusCode != http.StatusOK {
				t.Errorf("got status %d", r.StatusCode)
			}
			settle()
			if got := l.Stats(); got.Open > 1 {
				t.Errorf("got %+v", got)
			}
		})
	}
}

// TestSlowReaderIsBusy has a client not read its answers, which is no idling.
func TestSlowReaderIsBusy(t *testing.T) {
	withLane(t, 1, func(t *testing.T, ln *memnet.Listener, l *fastlane.Lane) {
		c := dial(t, ln)
		for range 10 {
			c.Write([]byte(post(`{"big":1}`)))
		}
		settle()
		dial(t, ln).ended()
		for range 10 {
			if r := c.answer(); r.StatusCode != http.StatusOK {
				t.Errorf("got status %d", r.StatusCode)
			}
		}
		settle()
		dial(t, ln).send(post(apple))
		c.ended()
	})
}

// TestNoDescriptorsMakeRoom has Accept fail for want of descriptors.
func TestNoDescriptorsMakeRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ln := &full{Listener: memnet.Listen(), most: 3}
		var l *fastlane.Lane
		ln.open = func() int { return l.Stats().Open }
		srv := newServer(handler())
		l = fastlane.New(fastlane.Config{Listener: ln, Routes: routes(answer), Server: srv})
		go srv.Serve(l)
		var first []client
		for range 3 {
			c := dial(t, ln.Listener)
			c.send(post(apple))
			settle()
			first = append(first, c)
		}
		begin := time.Now()
		dial(t, ln.Listener).send(post(apple))
		if took := time.Since(begin); took > 20*time.Millisecond {
			t.Errorf("the newcomer waited %v", took)
		}
		first[0].ended()
		if !first[1].isOpen() || !first[2].isOpen() {
			t.Error("another connection was closed too")
		}
		l.Close()
		srv.Close()
		settle()
	})
}

// full fails to accept while too many connections are open. As with a real listener, the new one
// waits.
type full struct {
	*memnet.Listener
	open   func() int
	most   int
	queued net.Conn
}

func (f *full) Accept() (c net.Conn, err error) {
	if f.queued == nil {
		if f.queued, err = f.Listener.Accept(); err != nil {
			return nil, err
		}
	}
	if f.open() >= f.most {
		return nil, syscall.EMFILE
	}
	c, f.queued = f.queued, nil
	return c, nil
}

// BenchmarkNewcomer opens a connection where there is room, and where one of 10,000 has to make
// room.
func BenchmarkNewcomer(b *testing.B) {
	for name, maxConns := range map[string]int{"room": 0, "full": 10_000} {
		b.Run(name, func(b *testing.B) {
			ln := memnet.Listen()
			l := serve(b, fastlane.Config{Listener: ln, Routes: routes(answer), MaxConns: maxConns})
			dial := func() {
				if _, err := ln.Dial(nil); err != nil {
					b.Fatal(err)
				}
			}
			for range 10_000 {
				dial()
			}
			b.ReportAllocs()
			for b.Loop() {
				dial()
			}
			if got := l.Stats(); got.Rejected > 0 {
				b.Errorf("got %+v", got)
			}
		})
	}
}
