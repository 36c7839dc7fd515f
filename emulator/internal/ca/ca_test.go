package ca_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/ca"
)

const day = 24 * time.Hour

var hosts = []string{"api.hirempire.com", "localhost", "127.0.0.1", "::1", "hirempire_emulator", "*.shop.test"}

func TestEveryNameIsTrusted(t *testing.T) {
	t.Parallel()
	authority := memory(t)
	cert := certificate(t, authority, hosts...)
	for _, name := range []string{"api.hirempire.com", "LocalHost", "127.0.0.1", "::1", "hirempire_emulator", "eu.shop.test"} {
		if err := verify(authority, cert, name); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, name := range []string{"hirempire.com", "127.0.0.2", "::2", "shop.test", "a.b.shop.test", "example.com"} {
		var wrong x509.HostnameError
		if err := verify(authority, cert, name); !errors.As(err, &wrong) {
			t.Errorf("%s: %v", name, err)
		}
	}
	var unknown x509.UnknownAuthorityError
	if err := verify(memory(t), cert, "localhost"); !errors.As(err, &unknown) {
		t.Errorf("with another CA: %v", err)
	}
}

func TestShapeOfTheCA(t *testing.T) {
	t.Parallel()
	first, second := parse(t, memory(t)), parse(t, memory(t))
	for _, c := range []*x509.Certificate{first, second} {
		isP256(t, c)
		if !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero || c.KeyUsage != x509.KeyUsageCertSign|x509.KeyUsageCRLSign {
			t.Errorf("the CA may be used for %b, with %d CAs below it", c.KeyUsage, c.MaxPathLen)
		}
		if len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
			t.Errorf("the CA signs for %v", c.ExtKeyUsage)
		}
		if len(c.SubjectKeyId) != 20 || c.SerialNumber.BitLen() < 100 {
			t.Errorf("key id %x, serial number %x", c.SubjectKeyId, c.SerialNumber)
		}
	}
	if first.Subject.String() == second.Subject.String() || first.SerialNumber.Cmp(second.SerialNumber) == 0 {
		t.Errorf("two CAs are called %s", first.Subject)
	}
}

func TestShapeOfTheCertificate(t *testing.T) {
	t.Parallel()
	authority := memory(t)
	root := parse(t, authority)
	first, second := certificate(t, authority, hosts...), certificate(t, authority, hosts...)
	c := first.Leaf
	isP256(t, c)
	if c.IsCA || c.KeyUsage != x509.KeyUsageDigitalSignature || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
		t.Errorf("it may be used for %b and %v; a CA: %t", c.KeyUsage, c.ExtKeyUsage, c.IsCA)
	}
	if !bytes.Equal(c.AuthorityKeyId, root.SubjectKeyId) || len(c.SubjectKeyId) != 20 || bytes.Equal(c.SubjectKeyId, c.AuthorityKeyId) {
		t.Errorf("key ids: its own %x, its CA's %x", c.SubjectKeyId, c.AuthorityKeyId)
	}
	if len(first.Certificate) != 1 {
		t.Errorf("the chain has %d certificates", len(first.Certificate))
	}
	if c.SerialNumber.BitLen() < 100 || c.SerialNumber.Cmp(second.Leaf.SerialNumber) == 0 || c.PublicKey.(*ecdsa.PublicKey).Equal(second.Leaf.PublicKey) {
		t.Errorf("two certificates share a key or the serial number %x", c.SerialNumber)
	}
}

func TestLifetimes(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		made := time.Now()
		authority := memory(t)
		root := parse(t, authority)
		if !root.NotBefore.Equal(made.Add(-day)) || !root.NotAfter.Equal(made.AddDate(10, 0, 0)) {
			t.Errorf("the CA is valid from %s to %s", root.NotBefore, root.NotAfter)
		}

		time.Sleep(100 * day)
		c := certificate(t, authority, "localhost").Leaf
		if !c.NotBefore.Equal(made.Add(99*day)) || c.NotAfter.Sub(c.NotBefore) != 397*day {
			t.Errorf("a certificate is valid from %s to %s", c.NotBefore, c.NotAfter)
		}

		time.Sleep(time.Until(root.NotAfter) - day)
		if c := certificate(t, authority, "localhost").Leaf; !c.NotAfter.Equal(root.NotAfter) {
			t.Errorf("valid until %s, its CA until %s", c.NotAfter, root.NotAfter)
		}

		time.Sleep(day + time.Second)
		if _, err := authority.Certificate("localhost"); err == nil || err.Error() != "the CA has expired on 2010-01-01" {
			t.Errorf("after the end of the CA: %v", err)
		}
	})
}

// A clock that was set back gives no certificate that is older than its CA.
func TestLifetimeBegins(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var root *x509.Certificate
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(12 * time.Hour)
		root = parse(t, open(t, dir))
	})
	synctest.Test(t, func(t *testing.T) {
		if c := certificate(t, open(t, dir), "localhost").Leaf; !c.NotBefore.Equal(root.NotBefore) {
			t.Errorf("valid from %s, its CA from %s", c.NotBefore, root.NotBefore)
		}
	})
}

func TestHandshakes(t *testing.T) {
	t.Parallel()
	authority := memory(t)
	addr := serve(t, certificate(t, authority, hosts...))
	for _, c := range []struct {
		name string
		http func(*http.Protocols)
		want string
	}{
		{"HTTP/1.1", func(p *http.Protocols) { p.SetHTTP1(true) }, "HTTP/1.1"},
		{"HTTP/2", func(p *http.Protocols) { p.SetHTTP2(true) }, "HTTP/2.0"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			for _, host := range []string{"api.hirempire.com", "localhost", "127.0.0.1", "[::1]", "hirempire_emulator", "eu.shop.test"} {
				client := clientOf(t, authority, addr)
				client.Transport.(*http.Transport).Protocols = new(http.Protocols)
				c.http(client.Transport.(*http.Transport).Protocols)
				resp, err := client.Get("https://" + host + "/")
				if err != nil {
					t.Errorf("%s: %v", host, err)
					continue
				}
				body, err := io.ReadAll(resp.Body)
				_ = resp.Body.Close()
				if err != nil || string(body) != c.want {
					t.Errorf("%s: the server saw %s: %v", host, body, err)
				}
			}
		})
	}
	t.Run("refused", func(t *testing.T) {
		t.Parallel()
		var wrong x509.HostnameError
		for _, host := range []string{"example.com", "127.0.0.2"} {
			if _, err := clientOf(t, authority, addr).Get("https://" + host + "/"); !errors.As(err, &wrong) {
				t.Errorf("%s: %v", host, err)
			}
		}
		var unknown x509.UnknownAuthorityError
		if _, err := clientOf(t, memory(t), addr).Get("https://localhost/"); !errors.As(err, &unknown) {
			t.Errorf("a client that trusts another CA: %v", err)
		}
	})
}

// OpenSSL judges for clients in C, Node.js, PHP, Python and Ruby.
func TestOpenSSLAgrees(t *testing.T) {
	t.Parallel()
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("there is no openssl here")
	}
	dir := t.TempDir()
	leaf := filepath.Join(dir, "leaf.pem")
	cert := certificate(t, open(t, dir), hosts...)
	write(t, leaf, certBlock(cert.Certificate[0]))
	for _, c := range []struct {
		flag, name string
		want       bool
	}{
		{"-verify_hostname", "api.hirempire.com", true},
		{"-verify_hostname", "eu.shop.test", true},
		{"-verify_hostname", "example.com", false},
		{"-verify_ip", "127.0.0.1", true},
		{"-verify_ip", "::1", true},
		{"-verify_ip", "127.0.0.2", false},
	} {
		out, err := exec.Command(openssl, "verify", "-x509_strict", "-purpose", "sslserver", "-CAfile", filepath.Join(dir, ca.CertFile), c.flag, c.name, leaf).CombinedOutput()
		if (err == nil) != c.want {
			t.Errorf("%s: %v\n%s", c.name, err, out)
		}
	}
}

func memory(t *testing.T) *ca.CA {
	t.Helper()
	c, err := ca.Memory()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func certificate(t *testing.T, c *ca.CA, hosts ...string) tls.Certificate {
	t.Helper()
	cert, err := c.Certificate(hosts...)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func parse(t *testing.T, c *ca.CA) *x509.Certificate {
	t.Helper()
	block, rest := pem.Decode(c.PEM())
	if block == nil || block.Type != "CERTIFICATE" || len(rest) > 0 {
		t.Fatalf("no certificate: %s", c.PEM())
	}
	cert, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func isP256(t *testing.T, c *x509.Certificate) {
	t.Helper()
	if key, ok := c.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != elliptic.P256() {
		t.Errorf("%s has a key of the type %T", c.Subject, c.PublicKey)
	}
}

func trusting(c *ca.CA) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AppendCertsFromPEM(c.PEM())
	return pool
}

func verify(c *ca.CA, cert tls.Certificate, name string) error {
	_, err := cert.Leaf.Verify(x509.VerifyOptions{Roots: trusting(c), DNSName: name})
	return err
}

// serve answers every request with its protocol.
func serve(t *testing.T, cert tls.Certificate) (addr string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{
		Handler:           http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { _, _ = io.WriteString(w, r.Proto) }),
		TLSConfig:         &tls.Config{Certificates: []tls.Certificate{cert}},
		ErrorLog:          slog.NewLogLogger(slog.DiscardHandler, slog.LevelError),
		ReadHeaderTimeout: time.Minute,
	}
	done := make(chan struct{})
	go func() { _ = server.ServeTLS(l, "", ""); close(done) }()
	t.Cleanup(func() { _ = server.Close(); <-done })
	return l.Addr().String()
}

// clientOf trusts the CA and finds every host at addr.
func clientOf(t *testing.T, c *ca.CA, addr string) *http.Client {
	t.Helper()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: trusting(c)},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, addr)
		},
	}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

func write(t *testing.T, file string, data []byte) {
	t.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

// says fails the test unless the error holds each of the words.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Errorf("no error; wanted one with %q", words)
		return
	}
	for _, w := range words {
		if !strings.Contains(err.Error(), w) {
			t.Errorf("%q is not in: %v", w, err)
		}
	}
}
