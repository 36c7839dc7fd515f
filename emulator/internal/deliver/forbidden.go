package deliver

import (
	"errors"
	"net/netip"
	"slices"
	"syscall"
)

// errForbidden is the error of a dial to an address that is never called.
var errForbidden = errors.New("forbidden address")

var (
	compatible = netip.MustParsePrefix("::/96")
	translated = netip.MustParsePrefix("::ffff:0:0:0/96")
	nat64      = netip.MustParsePrefix("64:ff9b::/96")
	nat64Local = netip.MustParsePrefix("64:ff9b:1::/48")
	sixToFour  = netip.MustParsePrefix("2002::/16")
	teredo     = netip.MustParsePrefix("2001::/32")
	// Metadata services of clouds that are not at a link-local address.
	metadata = []netip.Addr{
		netip.MustParseAddr("fd00:ec2::254"),
		netip.MustParseAddr("fd00:ec2::23"), // of the pods of EKS
		netip.MustParseAddr("fd20:ce::254"),
		netip.MustParseAddr("fd00:42::42"),
		netip.MustParseAddr("100.100.100.200"),
		netip.MustParseAddr("168.63.129.16"),
		netip.MustParseAddr("192.0.0.192"),
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
	if a.IsLinkLocalUnicast() || a.IsLinkLocalMulticast() || slices.Contains(metadata, a) {
		return true
	}
	return a.Is6() && slices.ContainsFunc(embedded(a), forbidden)
}

// embedded lists the IPv4 addresses that an IPv6 address may be on its way to.
func embedded(a netip.Addr) []netip.Addr {
	b := a.As16()
	v4 := func(at ...int) netip.Addr { return netip.AddrFrom4([4]byte{b[at[0]], b[at[1]], b[at[2]], b[at[3]]}) }
	last := v4(12, 13, 14, 15)
	switch {
	case compatible.Contains(a), translated.Contains(a), nat64.Contains(a):
		return []netip.Addr{last}
	case nat64Local.Contains(a): // RFC 6052 puts it where the network's prefix ends
		return []netip.Addr{v4(6, 7, 9, 10), v4(7, 9, 10, 11), v4(9, 10, 11, 12), last}
	case sixToFour.Contains(a):
		return []netip.Addr{v4(2, 3, 4, 5)}
	case teredo.Contains(a): // its server, and its client with every bit turned
		for i := 12; i < 16; i++ {
			b[i] = ^b[i]
		}
		return []netip.Addr{v4(4, 5, 6, 7), v4(12, 13, 14, 15)}
	case (b[8] == 0 || b[8] == 2) && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe: // ISATAP
		return []netip.Addr{last}
	default:
		return nil
	}
}
