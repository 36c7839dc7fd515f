package ca_test

import (
	"bytes"
	"crypto/ecdh"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/ca"
)

func TestTheCAIsKept(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "tls")
	first := open(t, dir)
	second := open(t, dir)
	if !bytes.Equal(first.PEM(), second.PEM()) {
		t.Error("the second start has another CA")
	}
	if err := verify(first, certificate(t, second, "localhost"), "localhost"); err != nil {
		t.Error(err)
	}
	if got := list(t, dir); got != "ca-key.pem ca.pem" {
		t.Errorf("in the directory are %s", got)
	}
	if kept := read(t, filepath.Join(dir, ca.CertFile)); !bytes.Equal(kept, first.PEM()) {
		t.Errorf("the file holds\n%snot\n%s", kept, first.PEM())
	}
	if bytes.Contains(first.PEM(), []byte("PRIVATE")) {
		t.Error("the key is in the answer of PEM")
	}
}

func TestModes(t *testing.T) {
	t.Parallel()
	noModesOnWindows(t)
	dir := filepath.Join(t.TempDir(), "tls")
	open(t, dir)
	for name, want := range map[string]fs.FileMode{"": fs.ModeDir | 0o700, ca.KeyFile: 0o600, ca.CertFile: 0o644} {
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if info.Mode() != want {
			t.Errorf("the mode of %q is %s, not %s", name, info.Mode(), want)
		}
	}
	for _, mode := range []fs.FileMode{0o640, 0o604, 0o620, 0o777} {
		key := filepath.Join(dir, ca.KeyFile)
		chmod(t, key, mode)
		_, err := ca.Open(dir)
		says(t, err, "run chmod 600 "+key, fmt.Sprintf("%04o", mode))
	}
	for _, mode := range []fs.FileMode{0o400, 0o700} {
		chmod(t, filepath.Join(dir, ca.KeyFile), mode)
		open(t, dir)
	}
}

// A directory that is there already keeps its mode.
func TestOthersDirectory(t *testing.T) {
	t.Parallel()
	noModesOnWindows(t)
	dir := t.TempDir()
	chmod(t, dir, 0o755)
	open(t, dir)
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o755 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

func TestManyStartAtOnce(t *testing.T) {
	t.Parallel()
	for range 10 {
		dir := filepath.Join(t.TempDir(), "tls")
		var all [20]*ca.CA
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range all {
			wg.Go(func() {
				<-start
				var err error
				if all[i], err = ca.Open(dir); err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		if t.Failed() {
			return
		}
		last := open(t, dir)
		for i, c := range all {
			if !bytes.Equal(c.PEM(), last.PEM()) {
				t.Fatalf("start %d has another CA than the directory", i)
			}
		}
		if got := list(t, dir); got != "ca-key.pem ca.pem" {
			t.Errorf("in the directory are %s", got)
		}
	}
}

// So does a start that comes after a crash between the two files.
func TestALostCertificateIsMadeAgain(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	before := open(t, dir)
	remove(t, filepath.Join(dir, ca.CertFile))
	after := open(t, dir)
	if bytes.Equal(before.PEM(), after.PEM()) {
		t.Error("the lost certificate came back byte for byte")
	}
	if err := verify(before, certificate(t, after, "localhost"), "localhost"); err != nil {
		t.Errorf("who trusted the lost certificate trusts the new one no more: %v", err)
	}
}

func TestDirectoriesThatAreWrong(t *testing.T) {
	t.Parallel()
	const remedy = "delete ca.pem and ca-key.pem there"
	for name, c := range map[string]struct {
		spoil func(t *testing.T, dir string, authority *ca.CA)
		words []string
	}{
		"no key": {
			func(t *testing.T, dir string, _ *ca.CA) { remove(t, filepath.Join(dir, ca.KeyFile)) },
			[]string{ca.CertFile + " is there but its key ", ca.KeyFile + " is not", remedy},
		},
		"another's key": {
			func(t *testing.T, dir string, _ *ca.CA) {
				other := t.TempDir()
				open(t, other)
				write(t, filepath.Join(dir, ca.KeyFile), read(t, filepath.Join(other, ca.KeyFile)))
			},
			[]string{ca.KeyFile + " is not the key of ", remedy},
		},
		"certificate not PEM": {
			func(t *testing.T, dir string, _ *ca.CA) { write(t, filepath.Join(dir, ca.CertFile), []byte("hello")) },
			[]string{ca.CertFile + `: no PEM block "CERTIFICATE"`, remedy},
		},
		"certificate empty": {
			func(t *testing.T, dir string, _ *ca.CA) { write(t, filepath.Join(dir, ca.CertFile), nil) },
			[]string{ca.CertFile + `: no PEM block "CERTIFICATE"`, remedy},
		},
		"certificate is the key": {
			func(t *testing.T, dir string, _ *ca.CA) {
				write(t, filepath.Join(dir, ca.CertFile), read(t, filepath.Join(dir, ca.KeyFile)))
			},
			[]string{ca.CertFile + `: no PEM block "CERTIFICATE"`, remedy},
		},
		"certificate unreadable": {
			func(t *testing.T, dir string, _ *ca.CA) {
				write(t, filepath.Join(dir, ca.CertFile), certBlock([]byte("hello")))
			},
			[]string{ca.CertFile + ": x509: ", remedy},
		},
		"certificate of a server": {
			func(t *testing.T, dir string, authority *ca.CA) {
				write(t, filepath.Join(dir, ca.CertFile), certBlock(certificate(t, authority, "localhost").Certificate[0]))
			},
			[]string{ca.CertFile + " is not the certificate of a CA", remedy},
		},
		"certificate that is no file": {
			func(t *testing.T, dir string, _ *ca.CA) {
				remove(t, filepath.Join(dir, ca.CertFile))
				if err := os.Mkdir(filepath.Join(dir, ca.CertFile), 0o700); err != nil {
					t.Fatal(err)
				}
			},
			[]string{ca.CertFile},
		},
		"key not PEM": {
			func(t *testing.T, dir string, _ *ca.CA) { write(t, filepath.Join(dir, ca.KeyFile), []byte("hello")) },
			[]string{ca.KeyFile + `: no PEM block "PRIVATE KEY"`, remedy},
		},
		"key not PEM, and alone": {
			func(t *testing.T, dir string, _ *ca.CA) {
				remove(t, filepath.Join(dir, ca.CertFile))
				write(t, filepath.Join(dir, ca.KeyFile), []byte("hello"))
			},
			[]string{"cannot make a CA", ca.KeyFile + `: no PEM block "PRIVATE KEY"`, remedy},
		},
		"key unreadable": {
			func(t *testing.T, dir string, _ *ca.CA) {
				write(t, filepath.Join(dir, ca.KeyFile), keyBlock([]byte("hello")))
			},
			[]string{ca.KeyFile + ": asn1: ", remedy},
		},
		"key that cannot sign": {
			func(t *testing.T, dir string, _ *ca.CA) {
				key, err := ecdh.X25519().GenerateKey(rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				der, err := x509.MarshalPKCS8PrivateKey(key)
				if err != nil {
					t.Fatal(err)
				}
				write(t, filepath.Join(dir, ca.KeyFile), keyBlock(der))
			},
			[]string{ca.KeyFile + ": a *ecdh.PrivateKey cannot sign", remedy},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			c.spoil(t, dir, open(t, dir))
			before := list(t, dir)
			_, err := ca.Open(dir)
			says(t, err, append(c.words, dir)...)
			if after := list(t, dir); after != before {
				t.Errorf("in the directory were %s, are %s", before, after)
			}
		})
	}
	t.Run("no directory", func(t *testing.T) {
		t.Parallel()
		file := filepath.Join(t.TempDir(), "file")
		write(t, file, nil)
		_, err := ca.Open(file)
		says(t, err, "cannot make the CA's directory", file)
		_, err = ca.Open("")
		says(t, err, "has no name")
	})
	t.Run("not to be written", func(t *testing.T) {
		t.Parallel()
		noModesOnWindows(t)
		dir := t.TempDir()
		chmod(t, dir, 0o500)
		if os.Geteuid() == 0 {
			t.Skip("root writes anywhere")
		}
		_, err := ca.Open(dir)
		says(t, err, "cannot make a CA", dir, "permission denied")
	})
}

// A team may bring the CA that its machines trust already.
func TestACAOfAnothersMaking(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		template x509.Certificate
		ok       bool
	}{
		"a CA that may sign":     {x509.Certificate{BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign}, true},
		"a CA of no said use":    {x509.Certificate{BasicConstraintsValid: true, IsCA: true}, true},
		"a CA that may not sign": {x509.Certificate{BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCRLSign}, false},
		"a server's":             {x509.Certificate{BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, false},
		"nobody's":               {x509.Certificate{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cert, key := handmade(t, &c.template)
			write(t, filepath.Join(dir, ca.CertFile), append([]byte("# ours\n"), cert...))
			write(t, filepath.Join(dir, ca.KeyFile), append(cert, key...))
			authority, err := ca.Open(dir)
			if !c.ok {
				says(t, err, filepath.Join(dir, ca.CertFile)+" is not the certificate of a CA")
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if err := verify(authority, certificate(t, authority, "localhost"), "localhost"); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(authority.PEM(), cert) {
				t.Errorf("clients are given\n%s", authority.PEM())
			}
		})
	}
}

func TestACAOutOfItsTime(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) { // in the year 2000
		open(t, dir)
		time.Sleep(time.Until(time.Date(2010, 1, 1, 0, 0, 0, 0, time.UTC)))
		open(t, dir)
		time.Sleep(time.Second)
		_, err := ca.Open(dir)
		says(t, err, filepath.Join(dir, ca.CertFile)+": the CA has expired on 2010-01-01", "delete ca.pem and ca-key.pem")
	})
	young := t.TempDir()
	open(t, young)
	synctest.Test(t, func(t *testing.T) {
		_, err := ca.Open(young)
		says(t, err, filepath.Join(young, ca.CertFile)+": the CA is not valid before ", "is this machine's clock right?")
	})
}

// Whatever is in the files: a CA that works, or an error that names the directory.
func FuzzOpen(f *testing.F) {
	cert, key := handmade(f, &x509.Certificate{BasicConstraintsValid: true, IsCA: true})
	f.Add(cert, key)
	f.Add(cert[:len(cert)/2], key)
	f.Add(cert, key[:len(key)/2])
	f.Add(key, cert)
	f.Add([]byte{}, []byte{})
	f.Fuzz(func(t *testing.T, cert, key []byte) {
		dir := t.TempDir()
		write(t, filepath.Join(dir, ca.CertFile), cert)
		write(t, filepath.Join(dir, ca.KeyFile), key)
		authority, err := ca.Open(dir)
		if err != nil {
			says(t, err, dir)
			return
		}
		if _, err := authority.Certificate("localhost"); err != nil {
			t.Error(err)
		}
	})
}

// handmade returns the files of a CA that is not of our making. They are the same
// each time, as fuzzing needs, hence Ed25519: its signatures are no draws.
func handmade(tb testing.TB, template *x509.Certificate) (cert, key []byte) {
	tb.Helper()
	signer := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template.SerialNumber = big.NewInt(1)
	template.NotBefore = time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)
	template.NotAfter = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
	certDER, err := x509.CreateCertificate(nil, template, template, signer.Public(), signer)
	if err != nil {
		tb.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(signer)
	if err != nil {
		tb.Fatal(err)
	}
	return certBlock(certDER), keyBlock(keyDER)
}

func certBlock(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func keyBlock(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

func open(t *testing.T, dir string) *ca.CA {
	t.Helper()
	c, err := ca.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func read(t *testing.T, file string) []byte {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func remove(t *testing.T, file string) {
	t.Helper()
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}
}

func chmod(t *testing.T, file string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
}

func list(t *testing.T, dir string) string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return strings.Join(names, " ")
}

func noModesOnWindows(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows keeps other permissions")
	}
}
