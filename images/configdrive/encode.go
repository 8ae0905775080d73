package configdrive

import (
	"bytes"
	"compress/gzip"
	"encoding/base64"
	"fmt"
	"io"
	"strings"
)

// Encode gives the form in which Ironic's API and agent carry a config drive: base64 of gzip of the ISO.
func Encode(iso []byte) (string, error) {
	var buf bytes.Buffer
	zw := gzip.NewWriter(&buf) // without a modification time, so that the result depends on iso alone
	if _, err := zw.Write(iso); err != nil {
		return "", fmt.Errorf("cannot compress the config drive: %w", err)
	}
	if err := zw.Close(); err != nil {
		return "", fmt.Errorf("cannot compress the config drive: %w", err)
	}
	return base64.StdEncoding.EncodeToString(buf.Bytes()), nil
}

// Decode is the reverse of Encode for text from outside: base64 (line breaks allowed) of gzip of an ISO 9660 volume
// labelled config-2, of at most limit bytes (MaxSize when limit is zero). Every error is an ErrInvalid.
func Decode(text string, limit int64) ([]byte, error) {
	if limit <= 0 {
		limit = MaxSize
	}
	zr, err := gzip.NewReader(base64.NewDecoder(base64.StdEncoding, strings.NewReader(text)))
	if err != nil {
		return nil, fmt.Errorf("%w: it is not base64 of gzip: %w", ErrInvalid, err)
	}
	var buf bytes.Buffer
	if _, err := io.Copy(&buf, io.LimitReader(zr, limit+1)); err != nil {
		return nil, fmt.Errorf("%w: it cannot be decompressed: %w", ErrInvalid, err)
	}
	if int64(buf.Len()) > limit {
		return nil, fmt.Errorf("%w: it is larger than %d bytes when decompressed", ErrInvalid, limit)
	}
	return buf.Bytes(), Verify(buf.Bytes())
}

// Verify refuses what is not an ISO 9660 volume labelled config-2 (in any case of letters, as cloud-init accepts), or is
// shorter than the volume it describes.
func Verify(iso []byte) error {
	const at = 16 * sector
	if len(iso) < at+sector || string(iso[at:at+7]) != "\x01CD001\x01" {
		return fmt.Errorf("%w: it is not an ISO 9660 image", ErrInvalid)
	}
	pvd := iso[at : at+sector]
	if label := strings.TrimRight(string(pvd[40:72]), " \x00"); !strings.EqualFold(label, Label) {
		return fmt.Errorf("%w: its volume is labelled %q, not %q", ErrInvalid, label, Label)
	}
	blocks, blockSize := int64(le32(pvd[80:])), int64(pvd[128])|int64(pvd[129])<<8
	if want := blocks * blockSize; want > int64(len(iso)) {
		return fmt.Errorf("%w: it has %d bytes of a volume of %d", ErrInvalid, len(iso), want)
	}
	return nil
}

func le32(b []byte) uint32 {
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}
