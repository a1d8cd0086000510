package ratelimit_test

import (
	"net/netip"
	"strings"
	"testing"

	"tickercast/predict/internal/ratelimit"
)

func mustParseProxies(t testing.TB, list string) ratelimit.Proxies {
	t.Helper()
	p, err := ratelimit.ParseProxies(list)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestClient(t *testing.T) {
	p := mustParseProxies(t, "10.0.0.0/8, 192.0.2.7,fd00::/8")
	for _, tt := range []struct{ peer, header, want string }{
		{"198.51.100.1", "", "198.51.100.1"},
		{"198.51.100.1", "203.0.113.1", "198.51.100.1"}, // not trusted
		{"10.1.2.3", "", "10.1.2.3"},
		{"10.1.2.3", "203.0.113.1", "203.0.113.1"},
		{"::ffff:10.1.2.3", "203.0.113.1", "203.0.113.1"},
		{"fd00::1%eth0", "2001:db8::1", "2001:db8::1"},
		{"10.1.2.3", "1.1.1.1, 203.0.113.1", "203.0.113.1"}, // the client wrote the first
		{"10.1.2.3", "203.0.113.1, 192.0.2.7", "203.0.113.1"},
		{"10.1.2.3", "203.0.113.1,192.0.2.7 ,\t10.9.9.9", "203.0.113.1"},
		{"10.1.2.3", "203.0.113.1, 192.0.2.8", "192.0.2.8"},
		{"10.1.2.3", "10.0.0.1, 10.0.0.2", "10.0.0.1"},
		{"10.1.2.3", "203.0.113.1:4711", "203.0.113.1"},
		{"10.1.2.3", "[2001:db8::1]:4711, [fd00::2]", "2001:db8::1"},
		{"10.1.2.3", "::ffff:203.0.113.1", "203.0.113.1"},
		{"10.1.2.3", "fe80::1%a", "fe80::1"},
		{"10.1.2.3", "unknown", "10.1.2.3"},
		{"10.1.2.3", "203.0.113.1, _hidden, 10.0.0.2", "10.0.0.2"},
		{"10.1.2.3", "203.0.113.1,", "10.1.2.3"},
		{"10.1.2.3", "203.0.113.1, , 10.0.0.2", "10.0.0.2"},
		{"10.1.2.3", "203.0.113.256", "10.1.2.3"},
		{"10.1.2.3", "[]", "10.1.2.3"},
	} {
		if got := p.Client(netip.MustParseAddr(tt.peer), tt.header); got.String() != tt.want {
			t.Errorf("%s says %q: got %s, want %s", tt.peer, tt.header, got, tt.want)
		}
	}
	var none ratelimit.Proxies
	if got := none.Client(netip.MustParseAddr("10.1.2.3"),
		"203.0.113.1"); got.String() != "10.1.2.3" {
		t.Errorf("no proxy is trusted: got %s, want the peer", got)
	}
	if got := p.Client(netip.Addr{}, "203.0.113.1"); got.IsValid() {
		t.Errorf("a peer without an address: got %s, want none", got)
	}
	local := mustParseProxies(t, "unix, 10.0.0.0/8")
	for header, want := range map[string]string{"203.0.113.1": "203.0.113.1",
		"203.0.113.1, 10.0.0.2": "203.0.113.1", "": "invalid IP", "x": "invalid IP"} {
		if got := local.Client(netip.Addr{}, header); got.String() != want {
			t.Errorf("a trusted unix socket says %q: got %s, want %s", header, got, want)
		}
	}
	if got := local.Client(netip.MustParseAddr("192.0.2.1"), "203.0.113.1"); got.String() !=
		"192.0.2.1" {
		t.Errorf("a peer that is not on a unix socket is trusted: got %s", got)
	}
}

func TestParseProxies(t *testing.T) {
	for _, s := range []string{"", ",", "10.0.0.0/8,", "10.0.0.0/33", "10.0.0.1/8",
		"::ffff:10.0.0.0/104", "localhost", "10.0.0.0-10.0.0.9", "fe80::1%eth0/64"} {
		if p, err := ratelimit.ParseProxies(s); err == nil {
			t.Errorf("ParseProxies(%q) = %v, want an error", s, p)
		}
	}
	if p := mustParseProxies(t, "0.0.0.0/0,::/0"); p.Client(netip.MustParseAddr("192.0.2.1"),
		"192.0.2.2, ::1").String() != "192.0.2.2" {
		t.Error("all are trusted, and the header is not used")
	}
}

// FuzzClient holds three rules: a peer that is not trusted is the client, whatever its header says;
// the client is the peer or stands in the header; and one more trusted proxy changes nothing.
func FuzzClient(f *testing.F) {
	f.Add("10.1.2.3", "203.0.113.1, 10.0.0.2")
	f.Add("fd00::1", "[2001:db8::1]:4711, fd00::2")
	f.Add("192.0.2.1", ",")
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"),
		netip.MustParsePrefix("fd00::/8")}
	p := mustParseProxies(f, "10.0.0.0/8,fd00::/8")
	f.Fuzz(func(t *testing.T, addr, header string) {
		peer, err := netip.ParseAddr(addr)
		if err != nil {
			return
		}
		peer = peer.Unmap().WithZone("")
		got := p.Client(peer, header)
		if trusted := networks[0].Contains(peer) || networks[1].Contains(peer); !trusted &&
			got != peer {
			t.Errorf("%s, which is not trusted, says %q and is believed: %s", peer, header, got)
		}
		stands := got == peer
		for entry := range strings.SplitSeq(header, ",") {
			stands = stands || p.Client(netip.MustParseAddr("10.0.0.1"), entry) == got
		}
		if !stands {
			t.Errorf("%s says %q: got %s, which is not in it", peer, header, got)
		}
		if behind := p.Client(netip.MustParseAddr("10.0.0.1"),
			header+", "+peer.String()); behind != got {
			t.Errorf("%s says %q: got %s, and %s behind one more proxy", peer, header, got, behind)
		}
	})
}
