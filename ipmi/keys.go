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

// derive works the keys out (IPMI 2.0 sections 13.31 and 13.32, with the password in the place of Kg); nil where they
// cannot be, with which nothing is admitted.
func (h handshake) derive(bmcRandom [16]byte, user, password string) *keys {
	_, k1, k2, err := crypto.DeriveSessionKeys(h.auth, h.consoleRandom[:], bmcRandom[:], h.role, user, crypto.PadPassword20([]byte(password)))
	if err != nil {
		return nil
	}
	return &keys{integrity: h.integrity, k1: k1, k2: k2}
}

// is says whether the BMC agreed to the algorithms of this suite. Some answer with others than they were asked for.
func (h handshake) is(id types.CipherSuiteID) bool {
	auth, integrity, crypt, known := types.GetCipherSuiteAlgorithms(id)
	return known && h.auth == auth && h.integrity == integrity && h.crypt == crypt
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
