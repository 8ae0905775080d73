package api

import (
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/bcrypt"

	"github.com/ingot-metal/ingot"
)

// Authenticator says who a request is from. Unauthorized sends the client a challenge.
type Authenticator interface {
	Authenticate(r *http.Request) (user string, err error)
}

// BasicAuth is Ironic's http_basic: users with bcrypt passwords in an htpasswd file, which is read again when it changes.
type BasicAuth struct {
	File string

	mu      sync.Mutex
	changed time.Time
	size    int64
	hashes  map[string][]byte // user to bcrypt hash
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
		return fmt.Errorf("cannot read the password file (make it with htpasswd -nbB USER PASSWORD): %w", err)
	}
	if b.hashes != nil && info.ModTime().Equal(b.changed) && info.Size() == b.size {
		return nil
	}
	text, err := os.ReadFile(b.File)
	if err != nil {
		return fmt.Errorf("cannot read the password file: %w", err)
	}
	hashes, err := parseHTPasswd(string(text))
	if err != nil {
		return fmt.Errorf("cannot use the password file %s: %w", b.File, err)
	}
	b.hashes, b.proven = hashes, map[string][sha256.Size]byte{}
	b.changed, b.size = info.ModTime(), info.Size()
	return nil
}

// parseHTPasswd reads lines of USER:HASH; only bcrypt is taken, as in Ironic.
func parseHTPasswd(text string) (map[string][]byte, error) {
	hashes := map[string][]byte{}
	n := 0
	for line := range strings.Lines(text) {
		n++
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		user, hash, ok := strings.Cut(line, ":")
		if !ok || user == "" {
			return nil, fmt.Errorf("line %d is not USER:HASH", n)
		}
		if _, err := bcrypt.Cost([]byte(hash)); err != nil {
			return nil, fmt.Errorf("line %d (user %s) has no bcrypt hash: make it with htpasswd -nbB", n, user)
		}
		hashes[user] = []byte(hash)
	}
	return hashes, nil
}

// Authenticate checks a request's basic credentials (RFC 7617).
func (b *BasicAuth) Authenticate(r *http.Request) (string, error) {
	denied := ingot.Errorf(ingot.Unauthorized, "Authorization required")
	user, password, ok := r.BasicAuth()
	if !ok {
		return "", denied
	}
	b.mu.Lock()
	err := b.loadLocked()
	hash, known := b.hashes[user]
	proven, seen := b.proven[user]
	b.mu.Unlock()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", err
	}
	if err != nil {
		return "", denied
	}
	digest := sha256.Sum256([]byte(password))
	if seen && subtle.ConstantTimeCompare(proven[:], digest[:]) == 1 {
		return user, nil
	}
	if !known {
		hash = []byte(nobody)
	}
	if bcrypt.CompareHashAndPassword(hash, []byte(password)) != nil || !known {
		return "", denied
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if string(b.hashes[user]) == string(hash) {
		b.proven[user] = digest
	}
	return user, nil
}

// writeChallenge is the answer to who did not say who they are, in the shape of Ironic's basic authentication.
func (r *request) writeChallenge(w http.ResponseWriter) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Baremetal API"`)
	r.writeJSON(w, http.StatusUnauthorized, map[string]any{
		"error": map[string]any{"message": "Authorization required", "code": http.StatusUnauthorized},
	})
}
