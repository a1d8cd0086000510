// Package forwarded finds the address of a client behind proxies, from what they write into
// X-Forwarded-For.
//
// Anybody can send that header, so it is believed only as far as those who wrote it are known, and
// nothing of it by default. It knows no Forwarded (RFC 7239), which few proxies write, and no PROXY
// protocol.
package forwarded

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
)

// Header is the name of the header.
const Header = "X-Forwarded-For"

// Proxies are the networks of proxies whose word is taken. None is trusted in the zero value.
type Proxies []netip.Prefix

// Parse reads networks and addresses with commas between.
func Parse(list string) (Proxies, error) {
	var p Proxies
	for s := range strings.SplitSeq(list, ",") {
		s = strings.TrimSpace(s)
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
		if network.Contains(a) {
			return true
		}
	}
	return false
}

// Client is the address that a request comes from: that of the peer or, while that is a trusted
// proxy's, the one that the proxy has written at the end of the header, and so on from right to
// left. Of several headers the values are joined with commas. Where something else than an address
// stands, the client is the last proxy that was believed.
func (p Proxies) Client(peer netip.Addr, header string) netip.Addr {
	client := bare(peer)
	for header != "" && p.trust(client) {
		i := strings.LastIndexByte(header, ',')
		next, err := parse(strings.Trim(header[i+1:], " \t"))
		if err != nil {
			break
		}
		client, header = next, header[:max(i, 0)]
	}
	return client
}

// parse reads an address, with or without a port, as some proxies write it.
func parse(s string) (netip.Addr, error) {
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

// bare is an address as networks are compared with: IPv4 as such, and without a zone.
func bare(a netip.Addr) netip.Addr { return a.Unmap().WithZone("") }
