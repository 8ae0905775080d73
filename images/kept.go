package images

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// kept is what the URL of an image that goes through the cache stands for: any process can find it from that, whether the
// one that prepared it lives or not.
type kept struct {
	ID, Source, Algo, Sum string
	Size                  int64
}

// keptMark begins the place of such an image; that of a file begins with the encoding of a slash.
const keptMark = "~"

// sealed is the place of an image in its URL. It is encrypted, since a source may have a password in it.
func (s *Service) sealed(k kept) (string, error) {
	text, err := json.Marshal(k)
	if err != nil {
		return "", err
	}
	aead, err := placeKey(s.Secrets[0])
	if err != nil {
		return "", err
	}
	nonce := make([]byte, aead.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return "", err
	}
	return keptMark + base64.RawURLEncoding.EncodeToString(aead.Seal(nonce, nonce, text, nil)), nil
}

// unsealed reads a place that sealed gave, here or in another process with one of the secrets.
func (s *Service) unsealed(place string) (k kept, ok bool) {
	text, marked := strings.CutPrefix(place, keptMark)
	data, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil || !marked {
		return kept{}, false
	}
	for _, secret := range s.Secrets {
		aead, err := placeKey(secret)
		if err != nil || len(data) < aead.NonceSize() {
			continue
		}
		if text, err := aead.Open(nil, data[:aead.NonceSize()], data[aead.NonceSize():], nil); err == nil {
			err := json.Unmarshal(text, &k)
			return k, err == nil
		}
	}
	return kept{}, false
}

func placeKey(secret []byte) (cipher.AEAD, error) {
	key := sha256.Sum256(append([]byte("image-place\n"), secret...))
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// serveKept serves an image from the cache or, while it is not there, from another process or its source. An agent that
// resumes may get the rest from another process: the tag is the checksum, and so the same everywhere.
func (s *Service) serveKept(w http.ResponseWriter, r *http.Request, k kept) {
	tag := `"` + k.Sum + `"`
	w.Header().Set("ETag", tag)
	w.Header().Set("Content-Type", "application/octet-stream")
	if f := s.cached(r, k); f != nil {
		defer f.Close()
		http.ServeContent(w, r, "", time.Time{}, f)
		return
	}
	span := r.Header.Get("Range")
	if only := r.Header.Get("If-Range"); only != "" && only != tag {
		span = ""
	}
	answer, err := s.fetch(r, k, span)
	if err != nil {
		s.Log.Warn("cannot serve an image", "source", k.Source, "error", err)
		w.Header().Del("ETag")
		if ingot.IsFatal(err) {
			http.Error(w, "the image is gone", http.StatusNotFound)
			return
		}
		w.Header().Set("Retry-After", "2")
		http.Error(w, "the image cannot be had now: ask again", http.StatusServiceUnavailable)
		return
	}
	defer answer.Body.Close()
	pass(w, r, answer)
}

// cached opens the image in the cache, where asking has it brought; nil while it is not there.
func (s *Service) cached(r *http.Request, k kept) *os.File {
	if s.Cache == nil {
		return nil
	}
	path := filepath.Join(s.Cache.Dir, k.ID)
	if !s.onlyHere {
		if _, err := s.Cache.Fetch(r.Context(), s.client(), k.Source, ingot.ImageReady{ID: k.ID, Checksum: k.Sum, ChecksumAlgo: k.Algo, Size: k.Size}); err != nil {
			s.Log.Debug("an image is not in the cache", "source", k.ID, "error", err)
		}
	}
	f, err := os.Open(path)
	if err != nil {
		return nil
	}
	return f
}

// fetch asks another process, and then the source.
func (s *Service) fetch(r *http.Request, k kept, span string) (*http.Response, error) {
	if answer := s.elsewhere(r); answer != nil {
		return answer, nil
	}
	if s.onlyHere {
		return nil, ingot.Errorf(ingot.NotFound, "image %s is not here", k.ID)
	}
	return get(r.Context(), s.client(), k.Source, span)
}

// elsewhere asks the other processes for what the request is for; nil: none has it.
func (s *Service) elsewhere(r *http.Request) *http.Response {
	if s.Elsewhere == nil {
		return nil
	}
	header := http.Header{}
	for _, name := range []string{"Range", "If-Range"} {
		if value := r.Header.Get(name); value != "" {
			header.Set(name, value)
		}
	}
	answer, err := s.Elsewhere.Get(r.Context(), r.URL.Path, header)
	if err != nil {
		s.Log.Debug("no other process has an image", "path", r.URL.Path, "error", err)
		return nil
	}
	return answer
}

// pass gives the client another's answer.
func pass(w http.ResponseWriter, r *http.Request, answer *http.Response) {
	for _, name := range []string{"Content-Length", "Content-Range", "Accept-Ranges"} {
		if value := answer.Header.Get(name); value != "" {
			w.Header().Set(name, value)
		}
	}
	w.WriteHeader(answer.StatusCode)
	if r.Method == http.MethodGet {
		_, _ = io.Copy(w, answer.Body) // it knows how long it should be
	}
}
