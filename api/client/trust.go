package client

import (
	"crypto/sha256"
	"crypto/subtle"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
)

// Trust says which certificate a service may show; the zero value trusts what the operating system does.
type Trust struct {
	// CAFile has the certificates, in PEM, of authorities to trust instead.
	CAFile string
	// Fingerprint is the SHA-256 of the one certificate to trust, in hexadecimal with or without colons: what a service
	// with a certificate of its own making prints when it starts. Its names and dates do not matter then.
	Fingerprint string
}

// HTTP is a client for Client.HTTP.
func (t Trust) HTTP() (*http.Client, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	if t.CAFile != "" {
		pem, err := os.ReadFile(t.CAFile)
		if err != nil {
			return nil, fmt.Errorf("cannot read the authority's certificate: %w", err)
		}
		config.RootCAs = x509.NewCertPool()
		if !config.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("cannot trust %s: it holds no PEM certificate", t.CAFile)
		}
	}
	if t.Fingerprint != "" {
		want, err := hex.DecodeString(strings.ReplaceAll(t.Fingerprint, ":", ""))
		if err != nil || len(want) != sha256.Size {
			return nil, fmt.Errorf("fingerprint %q is not a SHA-256 in hexadecimal", t.Fingerprint)
		}
		config.InsecureSkipVerify = true // the pin is judged instead, for resumed sessions too
		config.VerifyConnection = func(state tls.ConnectionState) error { return pinned(state, want) }
	}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: config, ForceAttemptHTTP2: true}}, nil
}

func pinned(state tls.ConnectionState, want []byte) error {
	if len(state.PeerCertificates) == 0 {
		return errors.New("the service shows no certificate")
	}
	seen := sha256.Sum256(state.PeerCertificates[0].Raw)
	if subtle.ConstantTimeCompare(seen[:], want) != 1 {
		return fmt.Errorf("the service's certificate has the fingerprint %x, and another one is trusted", seen)
	}
	return nil
}
