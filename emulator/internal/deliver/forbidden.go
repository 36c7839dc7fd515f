package deliver

import (
	"errors"
	"net/netip"
	"syscall"
)

// errForbidden is the error of a dial to an address that is never called.
var errForbidden = errors.New("forbidden address")

var (
	nat64     = netip.MustParsePrefix("64:ff9b::/96")
	sixToFour = netip.MustParsePrefix("2002::/16")
	// Metadata services of clouds that are not at a link-local address.
	metadata = []netip.Addr{
		netip.MustParseAddr("fd00:ec2::254"),
		netip.MustParseAddr("fd20:ce::254"),
		netip.MustParseAddr("100.100.100.200"),
		netip.MustParseAddr("168.63.129.16"),
	}
)

// refuseForbidden is the Control of a [net.Dialer]: it sees the address that is
// about to be called, after every name was resolved, so that no name leads to a
// forbidden one. A name instead of an address passes: it is seen again resolved.
func refuseForbidden(_, address string, _ syscall.RawConn) error {
	ap, err := netip.ParseAddrPort(address)
	if err != nil {
		return nil
	}
	if forbidden(ap.Addr()) {
		return errForbidden
	}
	return nil
}

// forbidden reports whether the address is link-local or a metadata service,
// also as written inside an IPv6 address.
func forbidden(a netip.Addr) bool {
	a = a.Unmap().WithZone("")
	if a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() {
		return true
	}
	for _, m := range metadata {
		if a == m {
			return true
		}
	}
	if !a.Is6() {
		return false
	}
	b := a.As16()
	switch {
	case nat64.Contains(a):
		return forbidden(netip.AddrFrom4([4]byte(b[12:16])))
	case sixToFour.Contains(a):
		return forbidden(netip.AddrFrom4([4]byte(b[2:6])))
	default:
		return false
	}
}
