// Package images makes images ready for agents: it finds a source, resolves its checksum, judges its format before
// anything opens it, and serves it with ranges under URLs that only agents were told.
package images

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/images/format"
)

// Service prepares and serves images (ingot.ImagePreparer). Fields are set once.
type Service struct {
	// Roots are the folders that file:// sources may lie in (Ironic: file_url_allowed_paths); nothing outside is read.
	Roots []string
	// Secrets vouch for the URLs that agents get: the first signs, and what any of them signed is served. The same on all
	// processes that serve one store, but for their order while the secret is being changed.
	Secrets [][]byte
	Cache   *Cache       // for sources that agents are to read through Ingot; nil refuses image_download_source = local
	Copies  string       // folder for copies of disks on their way; "" keeps none
	Client  *http.Client // nil has a default with bounded waits
	Log     *slog.Logger
	// Elsewhere is where images are that are not here; nil is nowhere.
	Elsewhere Elsewhere
	Now       func() time.Time // nil is time.Now

	onlyHere bool // neither other processes nor sources are asked
}

// Elsewhere is the other processes of the service.
type Elsewhere interface {
	// Get asks them for a path of Handler; the first answer that brings it is given, with status 200 or 206.
	Get(ctx context.Context, path string, header http.Header) (*http.Response, error)
}

// Prepare judges an image and says where agents get it (ingot.ImagePreparer). Errors about the image itself stay; those
// of the network pass.
func (s *Service) Prepare(ctx context.Context, source ingot.ImageSource) (ingot.ImageReady, error) {
	from, err := s.open(ctx, source)
	if err != nil {
		return ingot.ImageReady{}, err
	}
	defer from.Close()
	sum, algo, err := s.checksum(ctx, source)
	if err != nil {
		return ingot.ImageReady{}, err
	}
	ready := ingot.ImageReady{ID: imageID(source.URL, sum), Checksum: sum, ChecksumAlgo: algo, Size: from.size}
	if err := judge(&ready, from, source.DiskFormat); err != nil {
		return ingot.ImageReady{}, err
	}
	ready.URL, err = s.place(ctx, source, ready)
	return ready, err
}

// imageID is stable for one source and checksum.
func imageID(url, sum string) string {
	id := sha256.Sum256([]byte(url + "\n" + sum))
	return hex.EncodeToString(id[:16])
}

// judge looks at the image's bytes: what it is, and whether it may be opened at all.
func judge(ready *ingot.ImageReady, from *opened, declared string) error {
	info, err := format.Inspect(from, from.size)
	if err != nil {
		return fmt.Errorf("cannot read the image's headers: %w", err)
	}
	switch info.Format {
	case format.Gzip, format.XZ, format.Zstd:
		if declared != "" && declared != format.Raw {
			return ingot.Errorf(ingot.Invalid, "the image is declared as %s but is %s-compressed data: declare image_disk_format raw for a compressed raw image, and do not compress a %s file further", declared, info.Format, declared)
		}
		ready.DiskFormat = format.Raw
		return nil
	}
	if declared == "" {
		declared = info.Format
	}
	if err := format.Check(info, declared); err != nil {
		return &ingot.Error{Code: ingot.Invalid, Err: err}
	}
	switch info.Format {
	case format.Raw, format.QCOW2:
		ready.DiskFormat, ready.VirtualSize = info.Format, info.VirtualSize
		return nil
	}
	return ingot.Errorf(ingot.Invalid, "the image is %s, which agents do not write: convert it to qcow2 or raw", info.Format)
}

// place is where agents get the image.
func (s *Service) place(ctx context.Context, source ingot.ImageSource, ready ingot.ImageReady) (string, error) {
	if path, ok := strings.CutPrefix(source.URL, "file://"); ok {
		return s.signFile(path), nil
	}
	switch source.Download {
	case "", "http":
		return source.URL, nil
	case "local":
	default:
		return "", ingot.Errorf(ingot.Invalid, "image_download_source %q is not one of http, local", source.Download)
	}
	if s.Cache == nil {
		return "", ingot.Errorf(ingot.Unsupported, "image_download_source local needs an image cache: set images.cache_size")
	}
	if _, err := s.Cache.Fetch(ctx, s.client(), source.URL, ready); err != nil {
		return "", err
	}
	place, err := s.sealed(kept{ID: ready.ID, Source: source.URL, Algo: ready.ChecksumAlgo, Sum: ready.Checksum, Size: ready.Size})
	if err != nil {
		return "", err
	}
	return s.sign(place, ready.ID), nil
}

// signFile is the URL path of a file of this host.
func (s *Service) signFile(path string) string {
	return s.sign(base64.RawURLEncoding.EncodeToString([]byte(path)), filepath.Base(path))
}

// checksum is the image's digest and its algorithm: given as hex, or found in the checksum file that a URL names.
func (s *Service) checksum(ctx context.Context, source ingot.ImageSource) (sum, algo string, err error) {
	sum = strings.ToLower(strings.TrimSpace(source.Checksum))
	if strings.Contains(sum, "://") {
		sum, err = s.checksumFile(ctx, strings.TrimSpace(source.Checksum), source.URL)
		if err != nil {
			return "", "", err
		}
	}
	if _, err := hex.DecodeString(sum); err != nil {
		return "", "", ingot.Errorf(ingot.Invalid, "the image's checksum %q is neither hex nor a URL", source.Checksum)
	}
	algo = map[int]string{64: "sha256", 128: "sha512"}[len(sum)]
	switch {
	case algo == "":
		return "", "", ingot.Errorf(ingot.Invalid, "the image's checksum has %d hex digits: give a SHA-256 (64) or a SHA-512 (128); MD5 proves nothing and is not taken", len(sum))
	case source.ChecksumAlgo != "" && source.ChecksumAlgo != algo:
		return "", "", ingot.Errorf(ingot.Invalid, "the image's checksum is as long as a %s, but image_os_hash_algo says %s", algo, source.ChecksumAlgo)
	}
	return sum, algo, nil
}

// checksumFile finds the image's line in a checksum file ("HEX  NAME" or "ALGO (NAME) = HEX"), or its only digest.
func (s *Service) checksumFile(ctx context.Context, place, image string) (string, error) {
	file, err := s.open(ctx, ingot.ImageSource{URL: place})
	if err != nil {
		return "", fmt.Errorf("cannot read the checksum file: %w", err)
	}
	defer file.Close()
	data := make([]byte, min(max(file.size, 0), maxChecksumFile))
	n, err := file.ReadAt(data, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("cannot read the checksum file %s: %w", place, err)
	}
	name := image[strings.LastIndex(image, "/")+1:]
	sum := findChecksum(string(data[:n]), name)
	if sum == "" {
		return "", ingot.Errorf(ingot.Invalid, "the checksum file %s has no line for %s", place, name)
	}
	return sum, nil
}

// maxChecksumFile bounds a checksum file, in bytes.
const maxChecksumFile = 1 << 20

// findChecksum reads a checksum file's text.
func findChecksum(text, name string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for _, line := range lines {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 1 && len(lines) == 1:
			return strings.ToLower(fields[0])
		case len(fields) == 2 && strings.TrimPrefix(strings.TrimPrefix(fields[1], "*"), "./") == name:
			return strings.ToLower(fields[0])
		case len(fields) == 4 && fields[1] == "("+name+")" && fields[2] == "=":
			return strings.ToLower(fields[3])
		}
	}
	return ""
}

func (s *Service) client() *http.Client {
	if s.Client != nil {
		return s.Client
	}
	return &http.Client{Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, ResponseHeaderTimeout: 30 * time.Second, IdleConnTimeout: time.Minute}}
}

func (s *Service) now() time.Time {
	if s.Now != nil {
		return s.Now()
	}
	return time.Now()
}
