package standby

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"strings"

	"golang.org/x/net/http/httpproxy"

	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
)

const (
	maxChecksums   = 1 << 20  // bytes of a checksum file
	maxConfigDrive = 64 << 20 // bytes of a config drive, unpacked: Ironic's limit
)

// client is the machine's HTTP client with the image's proxies, without a limit on a request's time: images take long,
// and a server that stalls is noticed by its silence.
func (s *Standby) client(info imageInfo) *http.Client {
	c := *s.HTTP
	c.Timeout = 0
	transport, ok := c.Transport.(*http.Transport)
	if ok && len(info.Proxies) > 0 {
		transport = transport.Clone()
		choose := (&httpproxy.Config{HTTPProxy: info.Proxies["http"], HTTPSProxy: info.Proxies["https"], NoProxy: info.NoProxy}).ProxyFunc()
		transport.Proxy = func(r *http.Request) (*url.URL, error) { return choose(r.URL) }
		c.Transport = transport
	}
	return &c
}

// get downloads at most limit bytes.
func get(ctx context.Context, c *http.Client, from string, header http.Header, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, fmt.Errorf("cannot use the URL: %w", err)
	}
	for name, values := range header {
		req.Header[name] = values
	}
	resp, err := c.Do(req)
	if err != nil {
		var u *url.Error
		if errors.As(err, &u) {
			err = u.Err // without the URL, which may hold a secret
		}
		return nil, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK && resp.StatusCode != http.StatusPartialContent {
		return nil, fmt.Errorf("the server answered %s", resp.Status)
	}
	b, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("it is larger than %d bytes", limit)
	}
	return b, nil
}

// shown is a URL for messages: without user, password and query, which may be a signature.
func shown(text string) string {
	u, err := url.Parse(text)
	if err != nil {
		return "(malformed URL)"
	}
	u.User, u.RawQuery, u.Fragment = nil, "", ""
	return u.String()
}

// checksum gives the digest that the image must have, from a checksum file where the value is a URL.
func (s *Standby) checksum(ctx context.Context, info imageInfo) (algo, value string, err error) {
	algo, value = info.digest()
	if !isURL(value) {
		return algo, value, nil
	}
	header, err := info.header()
	if err != nil {
		return "", "", err
	}
	text, err := get(ctx, s.client(info), value, header, maxChecksums)
	if err != nil {
		return "", "", downloadFailed(value, "cannot get the checksum file %s: %s", shown(value), err)
	}
	u, err := url.Parse(info.URLs[0])
	if err != nil {
		return "", "", command.InvalidParams("image URL is malformed")
	}
	found, err := findChecksum(string(text), path.Base(u.Path))
	if err != nil {
		return "", "", downloadFailed(value, "checksum file %s: %s", shown(value), err)
	}
	return algo, found, nil
}

// findChecksum finds file's digest in a checksum file: a single digest, or lines as of sha256sum ("DIGEST  NAME",
// "DIGEST *NAME") or of BSD ("SHA256 (NAME) = DIGEST").
func findChecksum(text, file string) (string, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		switch {
		case len(fields) == 0 || strings.HasPrefix(fields[0], "#"):
			continue
		case len(fields) == 1 && isDigest(fields[0]) && strings.TrimSpace(text) == fields[0]:
			return fields[0], nil
		case len(fields) == 2 && isDigest(fields[0]) && strings.TrimPrefix(fields[1], "*") == file:
			return fields[0], nil
		case len(fields) == 4 && fields[1] == "("+file+")" && isDigest(fields[3]):
			return fields[3], nil
		}
	}
	return "", fmt.Errorf("it has no sha256 or sha512 digest of %q", file)
}

func isDigest(text string) bool {
	if len(text) != 64 && len(text) != 128 {
		return false
	}
	return strings.Trim(text, "0123456789abcdefABCDEF") == ""
}

// format is the declared disk format, or where none is declared what the image's first bytes say. The writer judges the
// content by it.
func (s *Standby) format(ctx context.Context, info imageInfo, from string) (string, error) {
	if info.DiskFormat != "" {
		return info.DiskFormat, nil
	}
	header, err := info.header()
	if err != nil {
		return "", err
	}
	header.Set("Range", "bytes=0-3")
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return "", command.InvalidParams("image URL is malformed")
	}
	req.Header = header
	resp, err := s.client(info).Do(req)
	if err != nil {
		return "raw", nil // the writer will meet the same, and says more
	}
	defer resp.Body.Close()
	var magic [4]byte
	if _, err := io.ReadFull(resp.Body, magic[:]); err == nil && string(magic[:]) == "QFI\xfb" {
		return "qcow2", nil
	}
	return "raw", nil
}

// configDrive gives the volume to put on the disk: text is a URL, or base64 of gzip of it. At a URL it may also be
// gzip alone or the volume itself.
func (s *Standby) configDrive(ctx context.Context, text string) ([]byte, error) {
	content := []byte(text)
	if isURL(text) {
		var err error
		if content, err = get(ctx, s.client(imageInfo{}), text, nil, 2*maxConfigDrive); err != nil {
			return nil, downloadFailed("config drive", "cannot get the config drive from %s: %s", shown(text), err)
		}
		if isVolume(content) {
			return content, nil
		}
	}
	var packed io.Reader = bytes.NewReader(content)
	if !bytes.HasPrefix(content, []byte("\x1f\x8b")) {
		packed = base64.NewDecoder(base64.StdEncoding, packed)
	}
	zip, err := gzip.NewReader(packed)
	if err != nil {
		return nil, command.InvalidParams("the config drive is not base64 of gzip: %s", err)
	}
	volume, err := io.ReadAll(io.LimitReader(zip, maxConfigDrive+1))
	switch {
	case err != nil:
		return nil, command.InvalidParams("the config drive cannot be unpacked: %s", err)
	case len(volume) > maxConfigDrive:
		return nil, command.InvalidParams("the config drive is larger than 64 MiB")
	case !isVolume(volume):
		return nil, command.InvalidParams("the config drive is neither an ISO 9660 nor a FAT volume")
	}
	return volume, nil
}

// isVolume tells ISO 9660 (ECMA-119 8.4) and FAT by their signatures.
func isVolume(b []byte) bool {
	const pvd = 16 * 2048
	iso := len(b) > pvd+6 && string(b[pvd+1:pvd+6]) == "CD001"
	return iso || len(b) >= 512 && b[510] == 0x55 && b[511] == 0xaa && (b[0] == 0xeb || b[0] == 0xe9)
}

func downloadFailed(id, format string, args ...any) error {
	return command.Fail("ImageDownloadError", 500, "Error downloading image", "Download of image %s failed: %s", shown(id), fmt.Sprintf(format, args...))
}
