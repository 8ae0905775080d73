package ipmi

import (
	"github.com/bougou/go-ipmi/pkg/crypto"
	"github.com/bougou/go-ipmi/pkg/types"
)

// RawBytes is rawBytes, for its fuzz test.
func RawBytes(said string) ([]byte, error) { return rawBytes(said) }

// Describe and SELRow decode records as the driver does.
func Describe(record []byte) {
	if sdr, err := types.ParseSDR(record, 0); err == nil {
		if p, ok := describe(sdr); ok {
			p.with(nil)
		}
	}
}

// SELRow decodes a log record.
func SELRow(record []byte) []string {
	if sel, err := types.ParseSEL(record); err == nil {
		return selRow(sel)
	}
	return nil
}

// Doorman is a wire in a session whose keys the test has.
type Doorman struct{ wire }

// NewDoorman has a session that waits for an answer of the given kind.
func NewDoorman(kind byte, version15, inSession bool) *Doorman {
	d := &Doorman{}
	d.password = "secret"
	d.shake = handshake{consoleID: 0xa0a1a2a3, auth: types.AuthAlg_HMAC_SHA256, integrity: types.IntegrityAlg_HMAC_SHA256_128, crypt: types.CryptAlg_AES_CBC_128}
	d.keys = d.shake.derive([16]byte{1}, "admin", "secret")
	d.awaited = awaited{payload: types.PayloadType(kind & 0x3f), version15: version15, inSession: inSession}
	return d
}

// Admit says whether a datagram may pass.
func (d *Doorman) Admit(datagram []byte) bool { return d.admit(datagram) }

// Seal makes an authenticated datagram of the session around a payload that is encrypted as it stands, padding and all.
func (d *Doorman) Seal(padded []byte) []byte {
	iv := make([]byte, aesBlock)
	sealed, err := crypto.EncryptAES(padded, d.keys.k2[:aesBlock], iv)
	if err != nil {
		return nil
	}
	payload := append(iv, sealed...)
	header := (&types.SessionHeader20{
		AuthType: types.AuthTypeRMCPPlus, PayloadEncrypted: true, PayloadAuthenticated: true,
		SessionID: d.shake.consoleID, Sequence: 1, PayloadLength: uint16(len(payload)),
	}).Pack()
	signed := append(header, payload...)
	for range types.IntegrityPadLen(len(header), len(payload)) {
		signed = append(signed, 0xff)
	}
	signed = append(signed, byte(types.IntegrityPadLen(len(header), len(payload))), 0x07)
	code, err := crypto.SessionIntegrityAuthCode(d.keys.integrity, signed, d.keys.k1, "")
	if err != nil {
		return nil
	}
	return append(types.NewRmcpHeader().Pack(), append(signed, code...)...)
}
