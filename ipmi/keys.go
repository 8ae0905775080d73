package ipmi

import (
	"crypto/hmac"

	"github.com/bougou/go-ipmi/pkg/crypto"
	"github.com/bougou/go-ipmi/pkg/types"
)

// handshake is what both sides said while a session was opened, as far as its keys depend on it.
type handshake struct {
	consoleID     uint32
	auth          types.AuthAlg
	integrity     types.IntegrityAlg
	crypt         types.CryptAlg
	consoleRandom [16]byte
	role          uint8
}

// keys verify and open the datagrams of one session.
type keys struct {
	integrity types.IntegrityAlg
	k1, k2    []byte
}

// derive works the keys out (IPMI 2.0 sections 13.31 and 13.32, with the password in the place of Kg). It gives nil,
// with which nothing is admitted, for a suite that was not asked for: a BMC that answers with a lesser one is not
// followed there.
func (h handshake) derive(bmcRandom [16]byte, user, password string) *keys {
	if !secure(h.auth, h.integrity, h.crypt) {
		return nil
	}
	_, k1, k2, err := crypto.DeriveSessionKeys(h.auth, h.consoleRandom[:], bmcRandom[:], h.role, user, crypto.PadPassword20([]byte(password)))
	if err != nil {
		return nil
	}
	return &keys{integrity: h.integrity, k1: k1, k2: k2}
}

// secure says whether the algorithms are those of suite 17 or 3.
func secure(auth types.AuthAlg, integrity types.IntegrityAlg, crypt types.CryptAlg) bool {
	for _, id := range suites {
		a, i, c, _ := types.GetCipherSuiteAlgorithms(id)
		if a == auth && i == integrity && c == crypt {
			return true
		}
	}
	return false
}

// sizes of parts of an RMCP+ datagram (section 13.6).
const (
	rmcpHeaderSize    = 4
	sessionHeaderSize = 12
	aesBlock          = 16
)

// genuine says whether a datagram was made by the holder of the keys and holds an IPMI message.
func (k *keys) genuine(datagram []byte, header *types.SessionHeader20, payload []byte) bool {
	if !header.PayloadAuthenticated || !header.PayloadEncrypted {
		return false
	}
	// The code is the datagram's end and covers all from the session header to it (section 13.28.4). Its place is
	// counted from the end since BMCs differ in how they pad before it.
	size, known := crypto.IntegrityAuthCodeLen(k.integrity)
	signed := datagram[rmcpHeaderSize:]
	if !known || len(signed) < sessionHeaderSize+len(payload)+size {
		return false
	}
	body, code := signed[:len(signed)-size], signed[len(signed)-size:]
	want, err := crypto.SessionIntegrityAuthCode(k.integrity, body, k.k1, "")
	if err != nil || !hmac.Equal(want, code) {
		return false
	}
	if len(payload) < 2*aesBlock || len(payload)%aesBlock != 0 { // initialization vector, then blocks
		return false
	}
	message, err := crypto.DecryptAESPayload(payload, k.k2)
	return err == nil && wellFormed(message)
}
