// Package ca makes the certificates that the TLS listener presents: a small CA,
// kept in a directory or in memory, and what it signs.
//
// It works with real randomness and the machine's time, whatever seed and clock
// the emulator was given: clients judge a certificate by their own clock. Who
// listens, and for which names, is decided elsewhere.
package ca

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"time"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
)

const (
	day = 24 * time.Hour
	// A CA is valid for ten years, so that it need be trusted only once.
	lifeYears = 10
	// What it signs is valid for as long as the strictest clients accept.
	leafLife = 397 * day
	// Both begin a day early, for clients whose clock is late.
	backdate = day
)

// A CA signs the certificates of servers, and of nothing else: its own
// certificate is limited to TLS servers and allows no CA below it.
//
// It has no name constraints. The names to sign for are chosen at each start,
// long after clients were told to trust the CA, and many of them (Java's, for
// one) do not heed the constraints of a root: it would be a promise that nobody
// keeps. What protects them is that the key is in memory only, or readable by
// its owner alone, and that only the client under test need trust the CA.
//
// A CA does not change and is safe for concurrent use.
type CA struct {
	cert *x509.Certificate
	key  crypto.Signer
}

// Memory makes a CA that ends with the process.
func Memory() (*CA, error) {
	key, err := newKey()
	if err != nil {
		return nil, err
	}
	cert, err := selfSign(key)
	if err != nil {
		return nil, err
	}
	return &CA{cert, key}, nil
}

// PEM returns the CA's certificate, which clients are to trust. It holds no secret.
func (c *CA) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.cert.Raw})
}

// Certificate makes a key and a certificate for a server with the given names:
// host names, of which the first label may be a star, and IP addresses. They are
// put in lower case and each is listed once; the error tells of every host that
// cannot be in a certificate.
//
// It is valid from a day ago and for 397 days in all, but never longer than the
// CA; a CA out of its time makes none. The CA's own certificate is not part of
// the chain: who trusts it has it.
func (c *CA) Certificate(hosts ...string) (tls.Certificate, error) {
	names, addresses, err := split(hosts)
	if err != nil {
		return tls.Certificate{}, err
	}
	now := clock.Real{}.Now()
	if err := validAt(c.cert, now); err != nil {
		return tls.Certificate{}, err
	}
	key, err := newKey()
	if err != nil {
		return tls.Certificate{}, err
	}
	id, err := keyID(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	from, until := now.Add(-backdate), now.Add(leafLife-backdate)
	if from.Before(c.cert.NotBefore) {
		from = c.cert.NotBefore
	}
	if until.After(c.cert.NotAfter) {
		until = c.cert.NotAfter
	}
	cert, err := sign(&x509.Certificate{
		Subject:               pkix.Name{CommonName: "Hirempire emulator"}, // clients read the names below
		NotBefore:             from,
		NotAfter:              until,
		DNSNames:              names,
		IPAddresses:           addresses,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		SubjectKeyId:          id,
	}, c.cert, key.Public(), c.key)
	if err != nil {
		return tls.Certificate{}, err
	}
	return tls.Certificate{Certificate: [][]byte{cert.Raw}, PrivateKey: key, Leaf: cert}, nil
}

// selfSign makes the certificate of a CA. Its name follows from its key, so that
// who trusts a lost certificate trusts the one made in its place.
func selfSign(key crypto.Signer) (*x509.Certificate, error) {
	id, err := keyID(key)
	if err != nil {
		return nil, err
	}
	now := clock.Real{}.Now()
	template := &x509.Certificate{
		Subject:               pkix.Name{CommonName: fmt.Sprintf("Hirempire emulator CA %x", id[:4])},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.AddDate(lifeYears, 0, 0),
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
		SubjectKeyId:          id,
	}
	return sign(template, template, key.Public(), key)
}

// sign gives the template a random serial number and signs it.
func sign(template, parent *x509.Certificate, pub crypto.PublicKey, key crypto.Signer) (*x509.Certificate, error) {
	der, err := x509.CreateCertificate(rand.Reader, template, parent, pub, key)
	if err != nil {
		return nil, fmt.Errorf("cannot make a certificate: %w", err)
	}
	return x509.ParseCertificate(der)
}

func newKey() (*ecdsa.PrivateKey, error) {
	return ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
}

// keyID returns what a certificate calls the key.
func keyID(key crypto.Signer) ([]byte, error) {
	spki, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(spki)
	return sum[:20], nil
}

// validAt returns an error unless the CA may sign at that time.
func validAt(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.After(cert.NotAfter):
		return fmt.Errorf("the CA has expired on %s", cert.NotAfter.Format(time.DateOnly))
	case now.Before(cert.NotBefore):
		return fmt.Errorf("the CA is not valid before %s; is this machine's clock right?", cert.NotBefore.Format(time.RFC3339))
	}
	return nil
}
