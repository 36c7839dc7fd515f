package ca

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
)

// split tells host names from IP addresses, each once.
func split(hosts []string) (names []string, addresses []net.IP, err error) {
	if len(hosts) == 0 {
		return nil, nil, errors.New("a certificate needs a host")
	}
	var problems []error
	for _, host := range hosts {
		if addr, err := netip.ParseAddr(host); err == nil && addr.Zone() == "" {
			ip := net.IP(addr.AsSlice())
			if !slices.ContainsFunc(addresses, ip.Equal) {
				addresses = append(addresses, ip)
			}
			continue
		}
		if problem := nameProblem(host); problem != "" {
			problems = append(problems, fmt.Errorf("host %q: %s", host, problem))
		} else if name := strings.ToLower(host); !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names, addresses, errors.Join(problems...)
}

// nameProblem says why clients would not accept the host name, or "".
// Underscores pass: container names have them.
func nameProblem(name string) string {
	switch {
	case name == "":
		return "it is empty"
	case strings.ContainsAny(name, "/:[]@%"):
		return "give the name or the IP address alone, without scheme, user, port, path, brackets or zone"
	case len(name) > 253:
		return "a host name has at most 253 characters"
	}
	plain, wildcard := strings.CutPrefix(name, "*.")
	labels := strings.Split(plain, ".")
	for _, label := range labels {
		switch {
		case label == "":
			return "a dot stands at its start or end, or next to another"
		case len(label) > 63:
			return "between dots there are at most 63 characters"
		case strings.Contains(label, "*"):
			return `a star stands for the whole first label: "*.example.com"`
		case strings.ContainsFunc(label, notAllowed):
			return "a host name has letters, digits, hyphens, underscores and dots; write others in their xn-- form"
		case label[0] == '-' || label[len(label)-1] == '-':
			return "a hyphen stands at the start or end of a label"
		}
	}
	switch last := labels[len(labels)-1]; {
	case strings.Trim(last, "0123456789") == "":
		return "it ends in a number but is no IP address"
	case wildcard && len(labels) == 1:
		return "OpenSSL and others accept no star before a single label"
	}
	return ""
}

func notAllowed(r rune) bool {
	return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", r)
}
