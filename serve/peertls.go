package serve

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"time"

	"github.com/ingot-metal/ingot"
)

// peerTLS is how processes on one database speak to each other: each side proves that it was given one of the secrets, by
// a key (Ed25519, RFC 8032) that is derived from it. The seeds are of all secrets that are given, the current one first.
func peerTLS(seeds [][]byte) (*tls.Config, error) {
	known := make([]ed25519.PublicKey, 0, len(seeds))
	for _, seed := range seeds {
		known = append(known, publicOf(ed25519.NewKeyFromSeed(seed)))
	}
	own := ed25519.NewKeyFromSeed(seeds[0])
	template := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "ingot"}, NotBefore: time.Unix(0, 0), NotAfter: time.Unix(0, 0).AddDate(1000, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, own.Public(), own)
	if err != nil {
		return nil, err
	}
	return &tls.Config{
		Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: own}}, MinVersion: tls.VersionTLS13, NextProtos: []string{"http/1.1"},
		// Addresses and dates say nothing here: the key does, and VerifyConnection asks for it on both sides.
		ClientAuth: tls.RequireAnyClientCert, InsecureSkipVerify: true,
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) > 0 {
				key, _ := state.PeerCertificates[0].PublicKey.(ed25519.PublicKey)
				if slices.ContainsFunc(known, func(k ed25519.PublicKey) bool { return k.Equal(key) }) {
					return nil
				}
			}
			return ingot.Errorf(ingot.Unauthorized, "the other side was not given the secret of this database")
		},
	}, nil
}

func publicOf(key ed25519.PrivateKey) ed25519.PublicKey {
	public, _ := key.Public().(ed25519.PublicKey) // it always is
	return public
}
