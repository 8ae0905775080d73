package images

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/ingot-metal/ingot"
)

// opened is a source that can be read anywhere.
type opened struct {
	io.ReaderAt
	io.Closer
	size int64 // bytes
}

// open opens a file or asks an HTTP server how long its file is.
func (s *Service) open(ctx context.Context, source ingot.ImageSource) (*opened, error) {
	scheme, rest, _ := strings.Cut(source.URL, "://")
	switch scheme {
	case "file":
		return s.openFile(rest)
	case "http", "https":
		return openHTTP(ctx, s.client(), source.URL)
	}
	return nil, ingot.Errorf(ingot.Invalid, "%s is not a file://, http:// or https:// URL", source.URL)
}

// openFile opens a file below one of the roots; links that lead out of them are refused.
func (s *Service) openFile(path string) (*opened, error) {
	real, err := filepath.EvalSymlinks(path)
	if err != nil {
		return nil, ingot.Errorf(ingot.Invalid, "cannot open image file://%s: %w", path, err)
	}
	if !s.below(real) {
		return nil, ingot.Errorf(ingot.Invalid, "image file://%s is outside of the allowed folders %v: move it there, or add its folder to images.file_paths", path, s.Roots)
	}
	f, err := os.Open(real)
	if err != nil {
		return nil, ingot.Errorf(ingot.Invalid, "cannot open image file://%s: %w", path, err)
	}
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		f.Close()
		return nil, ingot.Errorf(ingot.Invalid, "image file://%s is not a regular file", path)
	}
	return &opened{ReaderAt: f, Closer: f, size: info.Size()}, nil
}

// FindImage looks for a file (ingot.ImageFinder).
func (s *Service) FindImage(source ingot.ImageSource) error {
	path, isFile := strings.CutPrefix(source.URL, "file://")
	if !isFile || s.Elsewhere != nil { // where several processes have their own folders, it is found out later
		return nil
	}
	found, err := s.openFile(path)
	if err == nil {
		return found.Close()
	}
	return ingot.Errorf(ingot.Invalid, "%w; the images here are: %s", err, strings.Join(s.files(), ", "))
}

// mostFiles is how many images are named in a sentence.
const mostFiles = 20

// files are the URLs of files in the roots.
func (s *Service) files() []string {
	var urls []string
	for _, root := range s.Roots {
		entries, err := os.ReadDir(root)
		if err != nil {
			continue
		}
		for _, e := range entries {
			if e.Type().IsRegular() && len(urls) < mostFiles {
				urls = append(urls, "file://"+filepath.Join(root, e.Name()))
			}
		}
	}
	if len(urls) == 0 {
		return []string{"none"}
	}
	return urls
}

// below says whether a path, free of links, is in one of the roots.
func (s *Service) below(path string) bool {
	roots := slices.Clone(s.Roots)
	if s.Cache != nil {
		roots = append(roots, s.Cache.Dir)
	}
	if s.Copies != "" {
		roots = append(roots, s.Copies)
	}
	for _, root := range roots {
		real, err := filepath.EvalSymlinks(root)
		if err != nil {
			continue
		}
		rel, err := filepath.Rel(real, path)
		if err == nil && rel != ".." && !strings.HasPrefix(rel, "../") {
			return true
		}
	}
	return false
}

// remote reads a file on an HTTP server by ranges (RFC 9110 section 14).
type remote struct {
	ctx    context.Context
	client *http.Client
	url    string
	ranges bool
}

// openHTTP asks for the first byte, which tells the length and whether ranges work.
func openHTTP(ctx context.Context, client *http.Client, url string) (*opened, error) {
	response, err := get(ctx, client, url, "bytes=0-0")
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	r := &remote{ctx: ctx, client: client, url: url, ranges: response.StatusCode == http.StatusPartialContent}
	size := response.ContentLength
	if r.ranges {
		_, total, _ := strings.Cut(response.Header.Get("Content-Range"), "/")
		if size, err = strconv.ParseInt(total, 10, 64); err != nil {
			return nil, ingot.Errorf(ingot.Unavailable, "%s does not say how long it is (Content-Range %q)", url, response.Header.Get("Content-Range"))
		}
	}
	if size < 0 {
		return nil, ingot.Errorf(ingot.Invalid, "%s does not say how long it is: its server must send Content-Length", url)
	}
	return &opened{ReaderAt: r, Closer: io.NopCloser(nil), size: size}, nil
}

// get makes one request; 4xx other than "later" answers stay, all else passes.
func get(ctx context.Context, client *http.Client, url, span string) (*http.Response, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return nil, ingot.Errorf(ingot.Invalid, "cannot ask for %s: %w", url, err)
	}
	if span != "" {
		request.Header.Set("Range", span)
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the image's server: %w", err)
	}
	switch code := response.StatusCode; {
	case code == http.StatusOK || code == http.StatusPartialContent:
		return response, nil
	case code >= 400 && code < 500 && code != http.StatusRequestTimeout && code != http.StatusTooManyRequests:
		response.Body.Close()
		return nil, ingot.Errorf(ingot.Invalid, "%s: the server answered %s", url, response.Status)
	}
	response.Body.Close()
	return nil, fmt.Errorf("%s: the server answered %s", url, response.Status)
}

// ReadAt asks for a range; from a server without ranges it reads from the start up to it.
func (r *remote) ReadAt(p []byte, off int64) (int, error) {
	span := fmt.Sprintf("bytes=%d-%d", off, off+int64(len(p))-1)
	if !r.ranges {
		span = ""
	}
	response, err := get(r.ctx, r.client, r.url, span)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusPartialContent && off > 0 {
		if off > maxSkip {
			return 0, ingot.Errorf(ingot.Invalid, "%s: its server has no ranges, which this image's format needs", r.url)
		}
		if _, err := io.CopyN(io.Discard, response.Body, off); err != nil {
			return 0, err
		}
	}
	n, err := io.ReadFull(response.Body, p)
	if err == io.ErrUnexpectedEOF {
		err = io.EOF
	}
	return n, err
}

// maxSkip bounds what is read and thrown away to reach an offset on a server without ranges, in bytes.
const maxSkip = 1 << 20
