package ca

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/hirempire-emulator/hirempire-emulator/emulator/internal/clock"
)

// The files of a directory.
const (
	CertFile = "ca.pem"     // what clients are to trust
	KeyFile  = "ca-key.pem" // nobody else's business
)

const (
	certBlock = "CERTIFICATE"
	keyBlock  = "PRIVATE KEY" // PKCS #8

	remedy = "put the right file back, or delete " + CertFile + " and " + KeyFile +
		" there to have a new CA made, which clients must then be told to trust"
)

// Open reads the CA of a directory, or makes one and keeps it there. A directory
// that it makes is its owner's alone, as is the key; the certificate is everyone's
// to read.
//
// The key is put in place first, whole and only if there is none, then the
// certificate: emulators that start at once on one directory end with one CA,
// and what a crash left is completed by the next start. A key alone is such a
// leftover. A certificate alone is an error, as are files that do not belong
// together, a key that others can read, and a CA out of its time; each error
// names the file and says what to do about it.
//
// Where the file system has no hard links, two first starts at the same moment
// may find each other's files and fail; nothing else is different there.
func Open(dir string) (*CA, error) {
	if dir == "" {
		return nil, errors.New("the CA's directory has no name")
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("cannot make the CA's directory: %w", err)
	}
	certFile, keyFile := filepath.Join(dir, CertFile), filepath.Join(dir, KeyFile)
	cert, err := readCert(certFile)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(certFile, keyFile); err != nil {
			return nil, fmt.Errorf("cannot make a CA: %w", err)
		}
		cert, err = readCert(certFile)
	}
	if err != nil {
		return nil, err
	}
	key, err := readKey(keyFile)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s is there but its key %s is not; %s", certFile, keyFile, remedy)
	}
	if err != nil {
		return nil, err
	}
	if spki, err := x509.MarshalPKIXPublicKey(key.Public()); err != nil || !bytes.Equal(spki, cert.RawSubjectPublicKeyInfo) {
		return nil, fmt.Errorf("%s is not the key of %s; %s", keyFile, certFile, remedy)
	}
	if err := validAt(cert, clock.Real{}.Now()); err != nil {
		return nil, fmt.Errorf("%s: %w; %s", certFile, err, remedy)
	}
	return &CA{cert, key}, nil
}

// create makes what is missing of the two files, the certificate for certain.
func create(certFile, keyFile string) error {
	if _, err := os.Stat(keyFile); errors.Is(err, fs.ErrNotExist) {
		fresh, err := newKey()
		if err != nil {
			return err
		}
		der, err := x509.MarshalPKCS8PrivateKey(fresh)
		if err != nil {
			return err
		}
		if err := publish(keyFile, 0o600, &pem.Block{Type: keyBlock, Bytes: der}); err != nil {
			return err
		}
	}
	key, err := readKey(keyFile) // perhaps another's, that came first
	if err != nil {
		return err
	}
	cert, err := selfSign(key)
	if err != nil {
		return err
	}
	return publish(certFile, 0o644, &pem.Block{Type: certBlock, Bytes: cert.Raw})
}

// publish makes the file, all of it or nothing. If it is there already, it stays
// as it is.
func publish(file string, mode fs.FileMode, block *pem.Block) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	err = errors.Join(pem.Encode(tmp, block), tmp.Chmod(mode), tmp.Sync())
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	// A link, unlike a rename, replaces nothing.
	if err := os.Link(tmp.Name(), file); err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	return os.Rename(tmp.Name(), file)
}

func readCert(file string) (*x509.Certificate, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	der, err := decode(data, certBlock)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", file, err, remedy)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", file, err, remedy)
	}
	if !cert.IsCA || cert.KeyUsage != 0 && cert.KeyUsage&x509.KeyUsageCertSign == 0 {
		return nil, fmt.Errorf("%s is not the certificate of a CA; %s", file, remedy)
	}
	return cert, nil
}

func readKey(file string) (crypto.Signer, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	// Windows keeps other permissions, which the mode does not show.
	if mode := info.Mode().Perm(); mode&0o077 != 0 && runtime.GOOS != "windows" {
		return nil, fmt.Errorf("%s is open to others than its owner (mode %04o): run chmod 600 %[1]s, or, "+
			"if its file system keeps no permissions, take a directory on another", file, mode)
	}
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, err
	}
	der, err := decode(data, keyBlock)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", file, err, remedy)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; %s", file, err, remedy)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s: a %T cannot sign; %s", file, key, remedy)
	}
	return signer, nil
}

// decode returns the first PEM block of that type.
func decode(data []byte, blockType string) ([]byte, error) {
	for {
		block, rest := pem.Decode(data)
		if block == nil {
			return nil, fmt.Errorf("no PEM block %q in it", blockType)
		}
		if block.Type == blockType {
			return block.Bytes, nil
		}
		data = rest
	}
}
