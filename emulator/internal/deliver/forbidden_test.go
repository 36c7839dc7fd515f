package deliver_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/deliver"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/journal"
	"github.com/hirempire-emulator/hirempire-emulator/emulator/scenario"
)

var forbiddenHosts = []string{
	"169.254.169.254", "169.254.0.1", "169.254.255.255", "224.0.0.1", // link-local, and its multicast
	"fe80::1", "febf::1", "fe80::1%25eth0", "ff02::1",
	"::ffff:169.254.169.254", "::ffff:a9fe:a9fe", // IPv4-mapped
	"64:ff9b::169.254.169.254", "64:ff9b::a9fe:1", // NAT64
	"2002:a9fe:a9fe::1", "2002:a9fe:1:2:3:4:5:6", // 6to4
	"fd00:ec2::254", "100.100.100.200", "::ffff:100.100.100.200", "64:ff9b::6464:64c8", "2002:6464:64c8::", // metadata services
	"fd00:ec2::254%25eth0", "64:ff9b::a9fe:a9fe%25eth0", "2002:a9fe:a9fe::1%25eth0",
}

var allowedHosts = []string{
	"127.0.0.1", "10.0.0.1", "192.168.1.1", "172.17.0.1", "8.8.8.8", "169.253.1.1", "169.255.1.1", "100.100.100.201", "224.0.1.1",
	"::1", "fd00::1", "fd00:ec2::253", "fec0::1", "2001:db8::1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1", "64:ff9c::a9fe:a9fe",
	"consumer", "host.docker.internal", "metadata.google.internal",
}

func inURL(host string) string {
	if strings.Contains(host, ":") {
		host = "[" + host + "]"
	}
	return "http://" + host + ":8080/"
}

func TestForbiddenAddressesAreNotDialled(t *testing.T) {
	t.Parallel()
	dialled := make(chan string, 1)
	dial := func(_ context.Context, _, address string) (net.Conn, error) {
		dialled <- address
		return nil, errors.New("nobody is there")
	}
	r := newRig(t, deliver.Config{Dial: dial})
	own := newRig(t, deliver.Config{})
	for _, host := range forbiddenHosts {
		for _, r := range []*rig{r, own} {
			if res := r.send(inURL(host)); res.status != "failed(forbidden)" || !strings.Contains(res.detail, "never called") {
				t.Errorf("%s: %v", host, res)
			}
		}
		select {
		case address := <-dialled:
			t.Errorf("%s was dialled", address)
		default:
		}
	}
	for _, host := range allowedHosts {
		if res := r.send(inURL(host)); res.status != "failed(unreachable)" {
			t.Errorf("%s: %v, want it to be dialled", host, res)
			continue
		}
		if address := <-dialled; !strings.Contains(address, "8080") {
			t.Errorf("%s: dialled %s", host, address)
		}
	}
}

func TestChallengesDoNotDialForbiddenAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t, deliver.Config{})
	c, err := r.Challenge(t.Context(), "http://169.254.169.254/latest/meta-data", "value", scenario.ChallengeFault{})
	if err != nil || c.Passed || c.Received.Cause != journal.Forbidden || c.Hint == "" {
		t.Errorf("%+v, %v", c, err)
	}
}

// A name may resolve to anything: what counts is the address that is called.
func TestNamesThatResolveToForbiddenAddresses(t *testing.T) {
	t.Parallel()
	for _, host := range forbiddenHosts {
		addr, err := netip.ParseAddr(strings.Replace(host, "%25", "%", 1))
		if err != nil {
			t.Fatal(err)
		}
		dialer := deliver.DefaultDialer()
		dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
			ours, theirs := net.Pipe()
			go resolve(theirs, addr.WithZone(""))
			return ours, nil
		}}
		conn, err := dialer.DialContext(t.Context(), "tcp", "rebound.test.:80")
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, deliver.ErrForbidden) {
			t.Errorf("a name of %s: %v", host, err)
		}
	}
}

// resolve answers one query of DNS over a stream with the address.
func resolve(conn net.Conn, addr netip.Addr) {
	defer conn.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(conn, size[:]); err != nil {
			return
		}
		query := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(conn, query); err != nil {
			return
		}
		end := 12
		for query[end] != 0 {
			end += int(query[end]) + 1
		}
		end += 5 // the root, type and class
		kind := binary.BigEndian.Uint16(query[end-4:])
		data := addr.AsSlice()
		answers := byte(0)
		if kind == 1 && len(data) == 4 || kind == 28 && len(data) == 16 {
			answers = 1
		}
		out := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}, query[12:end]...)
		if answers == 1 {
			out = append(out, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 60, 0, byte(len(data)))
			out = append(out, data...)
		}
		if _, err := conn.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...)); err != nil {
			return
		}
	}
}
