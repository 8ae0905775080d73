//go:build cgo && libvirt_dlopen

package libvirttest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"
)

// StartTLS starts one that listens for TLS too, on a port of this network's loopback. pki has what a client needs, by the
// names that libvirt has for it (https://libvirt.org/kbase/tlscerts.html).
func StartTLS(t testing.TB) (d *Daemon, pki, port string) {
	t.Helper()
	pki = t.TempDir()
	ca := NewAuthority(t, pki)
	ca.Sign(t, pki, "server")
	ca.Sign(t, pki, "client")
	d = start(t, fmt.Sprintf("listen_tls = 1\nca_file = %q\ncert_file = %q\nkey_file = %q\n",
		filepath.Join(pki, "cacert.pem"), filepath.Join(pki, "servercert.pem"), filepath.Join(pki, "serverkey.pem")), "--listen")
	return d, pki, d.Forward(t, "127.0.0.1:16514")
}

// Authority signs certificates.
type Authority struct {
	certificate *x509.Certificate
	key         *ecdsa.PrivateKey
}

// NewAuthority makes one, and leaves its certificate in a folder as cacert.pem.
func NewAuthority(t testing.TB, folder string) Authority {
	t.Helper()
	a := Authority{certificate: &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority " + uuid.NewString()}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}}
	var err error
	a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	text, err := x509.CreateCertificate(rand.Reader, a.certificate, a.certificate, a.key.Public(), a.key)
	require.NoError(t, err)
	writePEM(t, filepath.Join(folder, "cacert.pem"), "CERTIFICATE", text)
	return a
}

// MigrateTLS gives the daemon's machines certificates of the authority whose own is in a folder, by the names that QEMU has for
// them.
func (d *Daemon) MigrateTLS(t testing.TB, ca Authority, folder string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(folder, "cacert.pem"))
	require.NoError(t, err)
	d.Write(t, "etc/pki/ca-cert.pem", string(text))
	for _, end := range []string{"server-", "client-"} {
		ca.Sign(t, filepath.Join(d.Dir, "etc/pki"), end, d.addr)
	}
}

// Sign leaves a certificate for 127.0.0.1 and other addresses in a folder, and its key: NAMEcert.pem and NAMEkey.pem.
func (a Authority) Sign(t testing.TB, folder, name string, more ...string) {
	t.Helper()
	addresses := []net.IP{net.IPv4(127, 0, 0, 1)}
	for _, address := range more {
		addresses = append(addresses, net.ParseIP(address))
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	text, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, NotBefore: a.certificate.NotBefore, NotAfter: a.certificate.NotAfter,
		IPAddresses: addresses, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.certificate, key.Public(), a.key)
	require.NoError(t, err)
	writePEM(t, filepath.Join(folder, name+"cert.pem"), "CERTIFICATE", text)
	private, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	writePEM(t, filepath.Join(folder, name+"key.pem"), "PRIVATE KEY", private)
}

func writePEM(t testing.TB, file, sort string, text []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: sort, Bytes: text}), 0o600))
}
