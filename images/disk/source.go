package disk

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"net/http"
	"net/url"
	"strings"
)

// Source says where an image is and what it must be.
type Source struct {
	// URL is an http or https address.
	URL string
	// Format is the declared format of the disk image, after decompression: "raw" or "qcow2". What is found must be it.
	Format string
	// Compression of a raw image's file: "gzip", "xz", "zstd" or "none"; empty means as its first bytes tell.
	Compression string
	// Checksum is the hexadecimal digest of the file at URL, as it is there (that is, still compressed).
	Checksum string
	// ChecksumAlgo is "sha256", "sha512" or "md5"; empty means as the length of Checksum tells.
	ChecksumAlgo string
	// AllowMD5 accepts an MD5 checksum, which proves nothing against a forger.
	AllowMD5 bool
	// Unverified accepts an empty Checksum.
	Unverified bool
	// Header is sent with each request (authorization and the like).
	Header http.Header
	// Client makes the requests; nil means one that follows redirects and uses the environment's proxies.
	Client *http.Client
}

// check refuses a source that cannot be used, and returns the hash to compute (never nil).
func (s Source) check() (hash.Hash, error) {
	u, err := url.Parse(s.URL)
	if err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return nil, fmt.Errorf("%w: the URL has to be http:// or https://", ErrSource)
	}
	switch {
	case s.Format != "raw" && s.Format != "qcow2":
		return nil, fmt.Errorf("%w: format %q, known are raw and qcow2", ErrSource, s.Format)
	case s.Format == "qcow2" && s.Compression != "" && s.Compression != "none":
		return nil, fmt.Errorf("%w: a qcow2 image inside %s cannot be read by ranges; publish it uncompressed (qcow2 compresses itself)",
			ErrSource, s.Compression)
	}
	switch s.Compression {
	case "", "none", "gzip", "xz", "zstd":
	default:
		return nil, fmt.Errorf("%w: compression %q, known are gzip, xz, zstd and none", ErrSource, s.Compression)
	}
	return s.newHash()
}

// newHash chooses the hash by name or by the length of the checksum.
func (s Source) newHash() (hash.Hash, error) {
	if s.Checksum == "" {
		if !s.Unverified {
			return nil, fmt.Errorf("%w: no checksum given; give the file's sha256 or sha512", ErrSource)
		}
		return sha256.New(), nil
	}
	algo := strings.ToLower(strings.ReplaceAll(s.ChecksumAlgo, "-", ""))
	if algo == "" {
		algo = map[int]string{32: "md5", 64: "sha256", 128: "sha512"}[len(s.Checksum)]
	}
	var h hash.Hash
	switch {
	case algo == "sha256":
		h = sha256.New()
	case algo == "sha512":
		h = sha512.New()
	case algo == "md5" && s.AllowMD5:
		h = md5.New()
	case algo == "md5":
		return nil, fmt.Errorf("%w: MD5 checksums are not allowed here; use sha256 or sha512", ErrSource)
	default:
		return nil, fmt.Errorf("%w: checksum algorithm %q, known are sha256 and sha512", ErrSource, s.ChecksumAlgo)
	}
	if raw, err := hex.DecodeString(s.Checksum); err != nil || len(raw) != h.Size() {
		return nil, fmt.Errorf("%w: %q is not a %s checksum in hexadecimal", ErrSource, s.Checksum, algo)
	}
	return h, nil
}

// compare judges the digest of the whole file.
func (s Source) compare(h hash.Hash, n int64) error {
	got := hex.EncodeToString(h.Sum(nil))
	if s.Checksum == "" || strings.EqualFold(got, s.Checksum) {
		return nil
	}
	return fmt.Errorf("%w: the %d bytes at %s have the checksum %s, declared is %s: the file or the declaration is wrong",
		ErrChecksum, n, s.redacted(), got, s.Checksum)
}

// redacted is the URL as it may be shown: without a password, query (where signed URLs keep their secret) or fragment.
func (s Source) redacted() string {
	u, err := url.Parse(s.URL)
	if err != nil {
		return "the image's URL"
	}
	u.RawQuery, u.Fragment = "", ""
	return u.Redacted()
}
