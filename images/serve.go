package images

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// urlLife is how long an agent's URL holds: longer than any one write.
const urlLife = 24 * time.Hour

// sign makes the URL path of an image: its place, an end of validity and a signature, so that any process with the same
// secret can serve it without a table.
func (s *Service) sign(place, name string) string {
	until := strconv.FormatInt(s.now().Add(urlLife).Unix(), 36)
	return "{boot}/images/" + place + "/" + until + "/" + signature(s.Secrets[0], place, until) + "/" + name
}

func signature(secret []byte, place, until string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("image-url\n" + place + "\n" + until))
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil)[:18])
}

func (s *Service) signed(place, until, with string) bool {
	return slices.ContainsFunc(s.Secrets, func(secret []byte) bool {
		return hmac.Equal([]byte(signature(secret, place, until)), []byte(with))
	})
}

// Handler serves signed URLs with ranges: GET and HEAD /images/{place}/{until}/{signature}/{name}.
func (s *Service) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "images are only read", http.StatusMethodNotAllowed)
			return
		}
		place, ok := s.verify(r.URL.Path)
		if !ok {
			http.Error(w, "no image under this URL, or its time is over", http.StatusNotFound)
			return
		}
		if k, is := s.unsealed(place); is {
			s.serveKept(w, r, k)
			return
		}
		file, err := base64.RawURLEncoding.DecodeString(place)
		if err != nil {
			http.Error(w, "no image under this URL", http.StatusNotFound)
			return
		}
		s.serve(w, r, string(file))
	})
}

// Here is Handler for other processes: it serves what is here already.
func (s *Service) Here() http.Handler {
	own := *s
	own.Elsewhere, own.onlyHere = nil, true
	return own.Handler()
}

// verify gives the place of a URL whose signature and time are good.
func (s *Service) verify(urlPath string) (string, bool) {
	parts := strings.Split(strings.TrimPrefix(urlPath, "/images/"), "/")
	if len(parts) != 4 || !s.signed(parts[0], parts[1], parts[2]) {
		return "", false
	}
	until, err := strconv.ParseInt(parts[1], 36, 64)
	if err != nil || s.now().Unix() > until {
		return "", false
	}
	return parts[0], true
}

// insteadOf is another process's answer where a file is not on this host.
func (s *Service) insteadOf(missing error, r *http.Request) *http.Response {
	if missing == nil {
		return nil
	}
	return s.elsewhere(r)
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, file string) {
	from, err := s.openFile(file)
	if answer := s.insteadOf(err, r); answer != nil {
		defer answer.Body.Close()
		w.Header().Set("ETag", answer.Header.Get("ETag"))
		w.Header().Set("Content-Type", "application/octet-stream")
		pass(w, r, answer)
		return
	}
	if err != nil {
		s.Log.Warn("cannot serve an image", "file", file, "error", err)
		http.Error(w, "the image is gone", http.StatusNotFound)
		return
	}
	defer from.Close()
	f, ok := from.Closer.(*os.File)
	if !ok {
		http.Error(w, "the image is gone", http.StatusNotFound)
		return
	}
	info, err := f.Stat()
	if err != nil {
		http.Error(w, "the image is gone", http.StatusNotFound)
		return
	}
	// An agent that resumes must get the rest of the same bytes: size and time of change tell another file apart.
	w.Header().Set("ETag", `"`+strconv.FormatInt(info.Size(), 36)+"-"+strconv.FormatInt(info.ModTime().UnixNano(), 36)+`"`)
	w.Header().Set("Content-Type", "application/octet-stream")
	http.ServeContent(w, r, "", info.ModTime(), f)
}
