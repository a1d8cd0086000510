package limits

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// A client holds something.
type client struct {
	addr    netip.Addr
	stopped int
}

func (c *client) Client() netip.Addr { return c.addr }
func (c *client) Stop()              { c.stopped++ }

func addr(i byte) netip.Addr { return netip.AddrFrom4([4]byte{192, 0, 2, i}) }

// check compares the books of a limiter with the holds that there are.
func check(t *testing.T, l *Limiter, holds []*Hold) {
	t.Helper()
	l.mu.Lock()
	defer l.mu.Unlock()
	used, counting := int64(0), 0
	clients := map[netip.Addr]int64{}
	for _, h := range holds {
		if h.counted < h.size-h.free || h.counted%countStep != 0 || h.counted < 0 {
			t.Fatalf("of %d bytes, %d of them free, %d are counted", h.size, h.free, h.counted)
		}
		if used += h.counted; h.counted > 0 {
			counting++
			clients[h.client] += h.counted
		}
	}
	listed := 0
	for h := l.first; h != nil; h = h.next {
		if listed++; h.next != nil && h.next.prev != h || h.counted == 0 {
			t.Fatal("the list of holders is broken")
		}
	}
	if used != l.used || listed != counting || l.used > l.total {
		t.Fatalf("%d bytes of %d are used and %d holders listed, want %d and %d", l.used, l.total,
			listed, used, counting)
	}
	delete(clients, netip.Addr{})
	if fmt.Sprint(clients) != fmt.Sprint(l.clients) {
		t.Fatalf("clients hold %v, want %v", l.clients, clients)
	}
}

// apply grows, shrinks and releases as ops say: a hold and a size for each byte.
func apply(t *testing.T, ops []byte) {
	l := NewLimiter(1 << 20)
	var holds []*Hold
	for i := range byte(8) {
		h, who := new(Hold), &client{addr: addr(i / 3)}
		if i == 7 {
			who.addr = netip.Addr{} // unknown
		}
		l.Open(h, who, int64(i%2)*FreeBytes)
		holds = append(holds, h)
	}
	for _, op := range ops {
		h, n := holds[op&7], 1<<(op>>3&15)*5
		switch before := h.size; {
		case op>>3 == 31:
			h.Release()
		case op>>7 == 1:
			h.Shrink(int(min(int64(n), h.size)))
		default:
			used, mine := l.used, l.clients[network(h.holder.Client())]
			if err := h.Grow(n); err != nil {
				if h.size != before {
					t.Fatalf("a refusal changed the size from %d to %d", before, h.size)
				}
				// No refusal without a reason. What is counted is rounded up.
				after := used + int64(n) + countStep
				if after <= l.total/2 || after <= l.total && mine+int64(n)+countStep <= l.total/4 {
					t.Fatalf("%d more were refused with %d in use, %d by the client", n, used, mine)
				}
			} else if l.used > l.total/2 && h.counted > 0 && h.client.IsValid() &&
				l.used > used && l.clients[h.client] > l.total/4 {
				t.Fatalf("a client holds %d of %d", l.clients[h.client], l.total)
			}
		}
		check(t, l, holds)
	}
	for _, h := range holds {
		h.Release()
	}
	check(t, l, holds)
	if l.Used() != 0 || len(l.clients) != 0 {
		t.Fatalf("%d bytes and %v remain", l.used, l.clients)
	}
}

func TestLimiterKeepsItsBooks(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		ops := make([]byte, 300)
		for i := range ops {
			ops[i] = byte(r.Uint32())
		}
		apply(t, ops)
	}
}

func FuzzLimiter(f *testing.F) {
	f.Add([]byte{0x78, 0x79, 0x7A, 0x7B, 0xF8, 0xFF, 0x80})
	f.Fuzz(apply)
}

// TestFree: what is free costs nothing and is never refused.
func TestFree(t *testing.T) {
	l := NewLimiter(64 << 10)
	var full, small, none Hold
	l.Open(&full, &client{}, 0)
	l.Open(&small, &client{addr: addr(1)}, FreeBytes)
	if err := full.Grow(64 << 10); err != nil {
		t.Fatal(err)
	}
	if err := small.Grow(FreeBytes); err != nil {
		t.Errorf("%d bytes: %v", FreeBytes, err)
	}
	if err := small.Grow(1); err != ErrFull {
		t.Errorf("one more: %v, want ErrFull", err)
	}
	if got := l.Refused(); got != 1 {
		t.Errorf("%d refused, want 1", got)
	}
	if err := none.Grow(1 << 40); err != nil {
		t.Errorf("a Hold without a limiter: %v", err)
	}
	if err := (*Hold)(nil).Grow(1 << 40); err != nil {
		t.Errorf("no Hold: %v", err)
	}
	if n := testing.AllocsPerRun(100, func() {
		small.Grow(-FreeBytes)
		small.Grow(FreeBytes)
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestNetworksAreClients: the lower half of an IPv6 address is its client's to choose.
func TestNetworksAreClients(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		same bool
	}{
		{"2001:db8::1", "2001:db8::ffff:1", true},
		{"2001:db8::1", "2001:db8:0:1::1", false},
		{"192.0.2.1", "::ffff:192.0.2.1", true},
		{"192.0.2.1", "192.0.2.2", false},
		{"fe80::1%eth0", "fe80::2", true},
	} {
		a, b := network(netip.MustParseAddr(tt.a)), network(netip.MustParseAddr(tt.b))
		if (a == b) != tt.same {
			t.Errorf("%s and %s are %v and %v, the same: want %v", tt.a, tt.b, a, b, tt.same)
		}
	}
}

// TestStalledAreStopped: when there is no room, who has made no progress for ten seconds must go,
// and no one else, each once.
func TestStalledAreStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(1 << 20)
		var slow, stalled, idle, late Hold
		owners := []*client{{addr: addr(1)}, {addr: addr(2)}, {addr: addr(3)}, {addr: addr(4)}}
		for i, h := range []*Hold{&slow, &stalled, &idle, &late} {
			l.Open(h, owners[i], 0)
		}
		for _, h := range []*Hold{&slow, &stalled} {
			if err := h.Grow(512 << 10 / 2); err != nil {
				t.Fatal(err)
			}
		}
		stops := func() string {
			return fmt.Sprint(owners[0].stopped, owners[1].stopped, owners[2].stopped,
				owners[3].stopped)
		}
		expect := func(want string) {
			t.Helper()
			if err := late.Grow(512 << 10); err != ErrFull {
				t.Fatalf("got %v, want ErrFull", err)
			}
			if got := stops(); got != want {
				t.Fatalf("stopped %s times, want %s", got, want)
			}
		}
		for range 9 {
			time.Sleep(time.Second)
			slow.Progress()
		}
		expect("0 0 0 0")
		time.Sleep(time.Second)
		expect("0 1 0 0")
		time.Sleep(time.Second)
		expect("0 1 0 0")
		if l.Stopped() != 1 {
			t.Errorf("%d stopped, want 1", l.Stopped())
		}
		stalled.Release()
		if err := late.Grow(256 << 10); err != nil {
			t.Errorf("when it is gone: %v", err)
		}
	})
}

// TestReleaseWaits: while a holder is being stopped it must not go away.
func TestReleaseWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewLimiter(1 << 20)
		going := make(chan struct{})
		var held, late Hold
		l.Open(&held, stopper{going}, 0)
		l.Open(&late, &client{}, 0)
		if err := held.Grow(1 << 20); err != nil {
			t.Fatal(err)
		}
		time.Sleep(Patience)
		var all sync.WaitGroup
		all.Go(func() { late.Grow(1) })
		synctest.Wait()
		released := false
		all.Go(func() { held.Release(); released = true })
		synctest.Wait()
		if released {
			t.Error("released while it was being stopped")
		}
		close(going)
		all.Wait()
		if l.Used() != 0 {
			t.Errorf("%d bytes are in use", l.Used())
		}
	})
}

// A stopper takes long to stop.
type stopper struct{ going chan struct{} }

func (stopper) Client() netip.Addr { return netip.Addr{} }
func (s stopper) Stop()            { <-s.going }
