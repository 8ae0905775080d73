package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/ingot-metal/ingot"
)

// Authenticator says who a request is from. Unauthorized sends the client a challenge. It is called for each request, also
// at the same time.
type Authenticator interface {
	Authenticate(r *http.Request) (ingot.Identity, error)
}

// BasicAuth is Ironic's http_basic: users with bcrypt passwords in an htpasswd file, which is read again when it changes.
type BasicAuth struct {
	File string

	mu      sync.Mutex
	changed time.Time
	size    int64
	users   map[string]User
	// proven are passwords that matched, as digests under their user: bcrypt is slow by design, and the API is asked
	// often.
	proven map[string][sha256.Size]byte
}

// nobody is a bcrypt hash (cost 10, of "nobody's") that an unknown user's password is held against, so that the time of an answer
// does not tell which users exist.
const nobody = "$2a$10$SH7sINKhbhuNS/kuNRYvfeL3fx3KYldfZ/tthhIz6qFtj17iXdMg6"

// Load reads the file, so that a missing or wrong one is known at the start.
func (b *BasicAuth) Load() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.loadLocked()
}

func (b *BasicAuth) loadLocked() error {
	info, err := os.Stat(b.File)
	if err != nil {
		return fmt.Errorf("cannot read the password file (make it with ingot user add FILE USER, or htpasswd -nbB USER PASSWORD): %w", err)
	}
	if b.users != nil && info.ModTime().Equal(b.changed) && info.Size() == b.size {
		return nil
	}
	text, err := os.ReadFile(b.File)
	if err != nil {
		return fmt.Errorf("cannot read the password file: %w", err)
	}
	list, err := ParseUsers(string(text))
	if err != nil {
		return fmt.Errorf("cannot use the password file %s: %w", b.File, err)
	}
	b.users, b.proven = make(map[string]User, len(list)), map[string][sha256.Size]byte{}
	for _, u := range list {
		b.users[u.User] = u
	}
	b.changed, b.size = info.ModTime(), info.Size()
	return nil
}

// Authenticate checks a request's basic credentials (RFC 7617).
func (b *BasicAuth) Authenticate(r *http.Request) (ingot.Identity, error) {
	denied := ingot.Errorf(ingot.Unauthorized, "Authorization required")
	name, password, ok := r.BasicAuth()
	if !ok {
		return ingot.Identity{}, denied
	}
	b.mu.Lock()
	err := b.loadLocked()
	user, known := b.users[name]
	proven, seen := b.proven[name]
	b.mu.Unlock()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return ingot.Identity{}, err
	}
	if err != nil {
		return ingot.Identity{}, denied
	}
	digest := sha256.Sum256([]byte(password))
	if seen && subtle.ConstantTimeCompare(proven[:], digest[:]) == 1 {
		return user.Identity, nil
	}
	hash := []byte(user.Hash)
	if !known {
		hash = []byte(nobody)
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil || !known {
		return ingot.Identity{}, denied
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.users[name].Hash == user.Hash {
		b.proven[name] = digest
	}
	return user.Identity, nil
}

// writeChallenge is the answer to who did not say who they are, in the shape of Ironic's basic authentication.
func (r *request) writeChallenge(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Baremetal API"`)
	r.writeJSON(w, http.StatusUnauthorized, map[string]any{
		"error": map[string]any{"message": "Authorization required", "code": http.StatusUnauthorized},
	})
}
