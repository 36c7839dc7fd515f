package deliver_test

import (
	"context"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
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
	"fd00:ec2::23", "fd20:ce::254", "fd00:42::42", "168.63.129.16", "192.0.0.192",
	"::169.254.169.254", "::a9fe:1", "::6464:64c8", // IPv4-compatible
	"::ffff:0:169.254.169.254", "::ffff:0:a83f:8110", // IPv4-translated
	"64:ff9b:1::169.254.169.254", "64:ff9b:1:a9fe:a9:fe00::", "64:ff9b:1:aaa9:fe:a9fe::", "64:ff9b:1:aaaa:a9:fea9:fe00:0", "64:ff9b:1:fffe:64:6464:c800:0", // NAT64, of a network's own
	"2001::a9fe:a9fe:0:ffff:0:1", "2001:0:a00:1:0:ffff:5601:5601", "2001:0:6464:64c8::", // Teredo: its server, its client
	"2001:db8::5efe:a9fe:a9fe", "2001:db8::200:5efe:169.254.0.1", "fd00::5efe:100.100.100.200", // ISATAP
	"ff12::1", "fe80::a9fe:a9fe%251", "::ffff:169.254.169.254%25eth0", "::169.254.169.254%25eth0",
	"fd00:ec2::254%25eth0", "64:ff9b::a9fe:a9fe%25eth0", "2002:a9fe:a9fe::1%25eth0",
}

var allowedHosts = []string{
	"127.0.0.1", "10.0.0.1", "192.168.1.1", "172.17.0.1", "8.8.8.8", "169.253.1.1", "169.255.1.1", "100.100.100.201", "224.0.1.1",
	"::1", "fd00::1", "fd00:ec2::253", "fec0::1", "2001:db8::1", "::ffff:127.0.0.1", "64:ff9b::10.0.0.1", "2002:a00:1::1", "64:ff9c::a9fe:a9fe",
	"0.0.0.0", "::", "::127.0.0.1", "::8.8.8.8", "::ffff:0:10.0.0.1", "64:ff9b:1::10.0.0.1", "64:ff9b:1:a00:0:100::", "64:ff9b:2::a9fe:a9fe", "64:ff9b:0:1::a9fe:a9fe",
	"2001::a00:1:0:ffff:f5ff:fffe", "2001:1:a9fe:a9fe::", "2001:db8::a9fe:a9fe", "2001:db8::5efe:10.0.0.1", "2001:db8::100:5efe:a9fe:a9fe", "2003:a9fe:a9fe::",
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
		dialer := resolving(addr.WithZone(""))
		conn, err := dialer.DialContext(t.Context(), "tcp", "rebound.test.:80")
		if err == nil {
			conn.Close()
		}
		if !errors.Is(err, deliver.ErrForbidden) {
			t.Errorf("a name of %s: %v", host, err)
		}
	}
}

// resolving returns the dialler that calls the network, whose every name resolves to
// the addresses.
func resolving(to ...netip.Addr) *net.Dialer {
	dialer := deliver.DefaultDialer()
	dialer.Resolver = &net.Resolver{PreferGo: true, Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go resolve(theirs, to)
		return ours, nil
	}}
	return dialer
}

// Whatever a URL names, the address that is called is what is looked at, each one
// where a name has several: also for names that are addresses to a resolver of the
// system's, and names that change their mind.
func TestNamesLeadToNoForbiddenAddress(t *testing.T) {
	t.Parallel()
	consumer := listen(t, new(requests).answering("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"))
	parsed, err := url.Parse(consumer)
	if err != nil {
		t.Fatal(err)
	}
	port := parsed.Port()
	local, metadata, nat := netip.MustParseAddr("127.0.0.1"), netip.MustParseAddr("169.254.169.254"), netip.MustParseAddr("64:ff9b::a9fe:a9fe")
	for _, c := range []struct {
		hosts []string
		to    []netip.Addr
		want  journal.Status
	}{
		{[]string{
			"0xa9fea9fe", "0xa9.0xfe.0xa9.0xfe", "0251.254.0xa9.254", "metadata.google.internal", "metadata", "instance-data.ec2.internal", "169.254.169.254.nip.io", "a9fea9fe.nip.io", "localhost.evil.example",
		}, []netip.Addr{metadata}, "failed(forbidden)"},
		// Go asks no resolver for what has digits only.
		{[]string{"2852039166", "025177524776", "169.16689662", "169.254.43518", "0251.0376.0251.0376", "169.254.169.254."}, []netip.Addr{metadata}, "failed(unreachable)"},
		{[]string{"both-forbidden.example"}, []netip.Addr{metadata, nat}, "failed(forbidden)"},
		{[]string{"one-good.example"}, []netip.Addr{metadata, local, nat}, "delivered"},
		{[]string{"one-good-first.example"}, []netip.Addr{local, metadata}, "delivered"},
	} {
		dialer := resolving(c.to...)
		look := dialer.Control
		dialer.Control = func(network, address string, raw syscall.RawConn) error {
			err := look(network, address, raw)
			if err == nil && address != "127.0.0.1:"+port {
				t.Errorf("%s was dialled", address)
			}
			return err
		}
		r := newRig(t, deliver.Config{Dial: dialer.DialContext})
		for _, host := range c.hosts {
			if got := r.send("http://" + host + ":" + port + "/"); got.status != c.want {
				t.Errorf("%s: %v, want %s", host, got, c.want)
			}
		}
	}
	// A name that was good for the challenge and is not any more.
	mind := []netip.Addr{local}
	r := newRig(t, deliver.Config{Dial: func(ctx context.Context, network, address string) (net.Conn, error) {
		dialer := resolving(mind...)
		mind = []netip.Addr{metadata}
		return dialer.DialContext(ctx, network, address)
	}})
	for _, want := range []journal.Status{"delivered", "failed(forbidden)"} {
		if got := r.send("http://rebinding.example:" + port + "/"); got.status != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}

// Nothing is written to a connection that a dialler of the caller's own opened to a
// forbidden address, and no redirect leads there.
func TestOtherWaysToForbiddenAddresses(t *testing.T) {
	t.Parallel()
	r := newRig(t, deliver.Config{Dial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			if n, _ := io.Copy(io.Discard, theirs); n > 0 {
				t.Errorf("%d bytes were written", n)
			}
		}()
		return elsewhere{ours}, nil
	}})
	if got := r.send("http://somewhere.example/"); got.status != "failed(forbidden)" {
		t.Errorf("a dialler of one's own: %v", got)
	}
	for _, status := range []string{"301 Moved Permanently", "302 Found", "303 See Other", "307 Temporary Redirect", "308 Permanent Redirect"} {
		for _, to := range []string{"http://169.254.169.254/latest/meta-data", "//169.254.169.254/", "http://metadata.google.internal/", "http://[fd00:ec2::254]/", "/elsewhere"} {
			dials := 0
			r := newRig(t, deliver.Config{Dial: func(context.Context, string, string) (net.Conn, error) {
				dials++
				return redirecting(status, to)
			}})
			if got := r.send("http://consumer.example/"); got.status != "failed(redirect)" || dials != 1 {
				t.Errorf("%s to %s: %v after %d dials", status, to, got, dials)
			}
		}
	}
}

func redirecting(status, to string) (net.Conn, error) {
	ours, theirs := net.Pipe()
	go func() {
		defer theirs.Close()
		new(requests).answering("HTTP/1.1 " + status + "\r\nLocation: " + to + "\r\nContent-Length: 0\r\n\r\n")(theirs)
	}()
	return ours, nil
}

// elsewhere is a connection to the metadata service.
type elsewhere struct{ net.Conn }

func (elsewhere) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(169, 254, 169, 254), Port: 80}
}

// resolve answers queries of DNS over a stream with the addresses.
func resolve(conn net.Conn, addrs []netip.Addr) {
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
		var records []byte
		answers := byte(0)
		for _, addr := range addrs {
			data := addr.AsSlice()
			if kind == 1 && len(data) == 4 || kind == 28 && len(data) == 16 {
				records = append(records, 0xc0, 12, 0, byte(kind), 0, 1, 0, 0, 0, 60, 0, byte(len(data)))
				records = append(records, data...)
				answers++
			}
		}
		out := append([]byte{query[0], query[1], 0x81, 0x80, 0, 1, 0, answers, 0, 0, 0, 0}, query[12:end]...)
		out = append(out, records...)
		if _, err := conn.Write(append([]byte{byte(len(out) >> 8), byte(len(out))}, out...)); err != nil {
			return
		}
	}
}
