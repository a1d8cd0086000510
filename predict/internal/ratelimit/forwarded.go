package ratelimit

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// ForwardedFor is the header in which proxies write the address that a request came from. Any
// client can send it, so it is believed only as far as trusted proxies wrote it.
const ForwardedFor = "X-Forwarded-For"

// Proxies are the networks of trusted proxies. The zero Prefix stands for unix sockets, whose peers
// have no address.
type Proxies []netip.Prefix

// ParseProxies reads networks, addresses and the word unix, with commas between.
func ParseProxies(list string) (Proxies, error) {
	var p Proxies
	for s := range strings.SplitSeq(list, ",") {
		if s = strings.TrimSpace(s); s == "unix" {
			p = append(p, netip.Prefix{})
			continue
		}
		network, err := netip.ParsePrefix(s)
		if addr, errAddr := netip.ParseAddr(s); err != nil && errAddr == nil && addr.Zone() == "" {
			network, err = addr.Prefix(addr.BitLen())
		}
		switch {
		case err != nil:
			return nil, fmt.Errorf("%q is no network such as 10.0.0.0/8, and no address", s)
		case network.Addr().Is4In6():
			return nil, fmt.Errorf("network %q: write it as one of IPv4", s)
		case network != network.Masked():
			return nil, fmt.Errorf("network %q has bits beyond its length; %v is meant, or a "+
				"longer one", s, network.Masked())
		}
		p = append(p, network)
	}
	return p, nil
}

func (p Proxies) trust(a netip.Addr) bool {
	for _, network := range p {
		if network.Contains(a) || !network.IsValid() && !a.IsValid() {
			return true
		}
	}
	return false
}

// Client returns the address that a request comes from: the peer's or, while that is a trusted
// proxy's, the one that the proxy wrote at the end of the header, and so on from right to left. The
// values of several headers are joined with commas. Where something other than an address stands,
// the client is the last trusted proxy, of which the zero address stands for one on a unix socket.
func (p Proxies) Client(peer netip.Addr, header string) netip.Addr {
	client := bare(peer)
	for header != "" && p.trust(client) {
		i := strings.LastIndexByte(header, ',')
		next, err := parseAddr(strings.Trim(header[i+1:], " \t"))
		if err != nil {
			break
		}
		client, header = next, header[:max(i, 0)]
	}
	return client
}

// parseAddr reads an address, with or without a port, as some proxies write it.
func parseAddr(s string) (netip.Addr, error) {
	if a, err := netip.ParseAddr(s); err == nil {
		return bare(a), nil
	}
	if a, err := netip.ParseAddrPort(s); err == nil {
		return bare(a.Addr()), nil
	}
	inside, ok := strings.CutPrefix(s, "[")
	if inside, closed := strings.CutSuffix(inside, "]"); ok && closed {
		a, err := netip.ParseAddr(inside)
		return bare(a), err
	}
	return netip.Addr{}, errors.New("no address")
}

// bare returns an address in the form that networks compare with: IPv4 as such, and without a zone.
func bare(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
