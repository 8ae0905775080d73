package serve

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

// selfSigned is the value of api.tls that has the service make its certificate.
const selfSigned = "self-signed"

// Where a certificate of the service's own making lies in the data folder, and how long it lasts: clients pin it, so it
// is made once.
const (
	ownCert = "api-cert.pem"
	ownKey  = "api-key.pem"
	ownLife = 20 * 365 * 24 * time.Hour
)

// secure says whether the API is to speak TLS.
func (c *API) secure() bool { return c.TLS == selfSigned || c.TLSCert != "" }

// certificate is the API's, with its fingerprint; nil when it speaks plain HTTP.
func (c *Config) certificate() (*tls.Config, string, error) {
	if !c.API.secure() {
		return nil, "", nil
	}
	certFile, keyFile := c.API.TLSCert, c.API.TLSKey
	if c.API.TLS == selfSigned {
		certFile, keyFile = filepath.Join(c.Data, ownCert), filepath.Join(c.Data, ownKey)
		if _, err := os.Stat(certFile); errors.Is(err, fs.ErrNotExist) {
			if err := makeCertificate(certFile, keyFile, c.Hostname); err != nil {
				return nil, "", fmt.Errorf("cannot make the API's certificate: %w", err)
			}
		}
	}
	pair, err := tls.LoadX509KeyPair(certFile, keyFile)
	if err != nil {
		return nil, "", fmt.Errorf("cannot use the API's certificate (api.tls_cert %s, api.tls_key %s): %w", certFile, keyFile, err)
	}
	print := fmt.Sprintf("%x", sha256.Sum256(pair.Leaf.Raw))
	return &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}, print, nil
}

// makeCertificate writes a key and a certificate that names this machine. The certificate comes last: where it is, the
// key is.
func makeCertificate(certFile, keyFile, hostname string) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return err
	}
	now := time.Now()
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: hostname}, NotBefore: now.Add(-time.Hour), NotAfter: now.Add(ownLife),
		DNSNames: []string{hostname, "localhost"}, IPAddresses: ownAddresses(), KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}, BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return err
	}
	if err := writeWhole(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600); err != nil {
		return err
	}
	return writeWhole(certFile, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o644)
}

// ownAddresses are this machine's, as far as it tells.
func ownAddresses() []net.IP {
	var ips []net.IP
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	}
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && !n.IP.IsLinkLocalUnicast() {
			ips = append(ips, n.IP)
		}
	}
	return ips
}

// writeWhole puts a file into its place when it is on the disk whole.
func writeWhole(path string, data []byte, mode fs.FileMode) error {
	f, err := os.OpenFile(path+".new", os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err := errors.Join(err, f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}
