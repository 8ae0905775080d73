package store

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"github.com/ingot-metal/ingot"
)

// A ciphertext is: one byte, the format (1); four bytes, the key's ID; twelve bytes, the nonce; then AES-256-GCM's
// output. What it belongs to (table, row, column) is its additional data, so that it opens nowhere else.
const (
	sealFormat = 1
	keyIDSize  = 4
	nonceSize  = 12
)

// shortestSecret is how many bytes a secret has at least: fewer can be guessed.
const shortestSecret = 16

// keyring encrypts under its first key and decrypts under any, by the ID that goes with each ciphertext.
type keyring struct {
	keys []key
}

// key is what is derived (HKDF, SHA-256, RFC 5869) from one secret.
type key struct {
	id    [keyIDSize]byte
	check string // tells, without showing the secret, whether it is the one that a database was written with
	aead  cipher.AEAD
	more  []byte // from which keys for other purposes are derived
}

// newKeyring derives the keys of the secrets, the current one first.
func newKeyring(secrets ...ingot.Secret) (*keyring, error) {
	k := &keyring{}
	for _, secret := range secrets {
		if len(secret) < shortestSecret {
			return nil, ingot.Errorf(ingot.Invalid, "cannot use a secret of %d characters: make one of at least %d, such as `openssl rand -base64 32` prints", len(secret), shortestSecret)
		}
		derived, err := newKey([]byte(secret.Reveal()))
		if err != nil {
			return nil, fmt.Errorf("cannot derive the encryption key: %w", err)
		}
		k.keys = append(k.keys, derived)
	}
	return k, nil
}

func newKey(secret []byte) (key, error) {
	var k key
	encryption, err := hkdf.Key(sha256.New, secret, nil, "ingot store encryption", 32)
	if err != nil {
		return k, err
	}
	check, err := hkdf.Key(sha256.New, secret, nil, "ingot store check", 32)
	if err != nil {
		return k, err
	}
	if k.more, err = hkdf.Key(sha256.New, secret, nil, "ingot further keys", 32); err != nil {
		return k, err
	}
	block, err := aes.NewCipher(encryption)
	if err != nil {
		return k, err
	}
	if k.aead, err = cipher.NewGCM(block); err != nil {
		return k, err
	}
	copy(k.id[:], check[:keyIDSize])
	k.check = hex.EncodeToString(check[keyIDSize:])
	return k, nil
}

// DeriveKeys gives 32 bytes for each secret, the current one's first, that depend on it and the purpose alone: the same on
// every process that was given the secret.
func (s *Store) DeriveKeys(purpose string) ([][]byte, error) {
	var derived [][]byte
	for _, k := range s.keys.keys {
		key, err := hkdf.Key(sha256.New, k.more, nil, purpose, 32)
		if err != nil {
			return nil, fmt.Errorf("cannot derive a key for %s: %w", purpose, err)
		}
		derived = append(derived, key)
	}
	return derived, nil
}

func (k key) name() string { return hex.EncodeToString(k.id[:]) }

// keyID is the bytes of a key's name, as they are in ciphertexts.
func keyID(name string) ([]byte, error) {
	id, err := hex.DecodeString(name)
	if err != nil {
		return nil, ingot.Errorf(ingot.Internal, "cannot read the ID %q of an encryption key: %w", name, err)
	}
	return id, nil
}

// seal encrypts data for the place.
func (k *keyring) seal(data []byte, place string) ([]byte, error) {
	current := k.keys[0]
	out := make([]byte, 1+keyIDSize+nonceSize, 1+keyIDSize+nonceSize+len(data)+current.aead.Overhead())
	out[0] = sealFormat
	copy(out[1:], current.id[:])
	nonce := out[1+keyIDSize:]
	if _, err := rand.Read(nonce); err != nil {
		return nil, err
	}
	return current.aead.Seal(out, nonce, data, []byte(place)), nil
}

// open decrypts what seal gave for the same place.
func (k *keyring) open(sealed []byte, place string) ([]byte, error) {
	const header = 1 + keyIDSize + nonceSize
	if len(sealed) < header || sealed[0] != sealFormat {
		return nil, ingot.Errorf(ingot.Internal, "what is stored at %s is no ciphertext of this version", place)
	}
	id := [keyIDSize]byte(sealed[1 : 1+keyIDSize])
	for _, candidate := range k.keys {
		if candidate.id != id {
			continue
		}
		data, err := candidate.aead.Open(nil, sealed[1+keyIDSize:header], sealed[header:], []byte(place))
		if err != nil {
			return nil, ingot.Errorf(ingot.Internal, "the ciphertext at %s was changed or belongs elsewhere: %w", place, err)
		}
		return data, nil
	}
	return nil, ingot.Errorf(ingot.Internal, "what is stored at %s was encrypted with key %x, which is not given: add its secret", place, id)
}

// sealSecrets encrypts a row's secrets; nil when it has none.
func (k *keyring) sealSecrets(s secrets, place string) ([]byte, error) {
	if len(s) == 0 {
		return nil, nil
	}
	data, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	return k.seal(data, place)
}

func (k *keyring) openSecrets(sealed []byte, place string) (secrets, error) {
	data, err := k.open(sealed, place)
	if err != nil {
		return nil, err
	}
	var s secrets
	if err := json.Unmarshal(data, &s); err != nil {
		return nil, err
	}
	return s, nil
}
