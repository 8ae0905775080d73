package ingot

import (
	"context"
	"encoding/hex"
	"strings"
)

// ImageSource is the image that a node asks for, out of its instance_info (Ironic's keys in brackets).
type ImageSource struct {
	URL          string // [image_source] file://, http:// or https://
	Checksum     string // [image_os_hash_value or image_checksum] hex digest, or the URL of a checksum file
	ChecksumAlgo string // [image_os_hash_algo] sha256 or sha512; "" means by the digest's length
	DiskFormat   string // [image_disk_format] raw or qcow2; "" means: take the detected one
	Download     string // [image_download_source] "http": the agent reads the source itself; "local": through Ingot
}

// ImageSum is a checksum as images are known by: a SHA-256 or SHA-512 in small hex digits. Anything else is false, as the URL
// of a checksum file is.
func ImageSum(text string) (string, bool) {
	sum := strings.ToLower(strings.TrimSpace(text))
	_, err := hex.DecodeString(sum)
	return sum, err == nil && (len(sum) == 64 || len(sum) == 128)
}

// ImageReady is an image that was judged and can be fetched by an agent.
type ImageReady struct {
	ID           string // stable for the same source and checksum
	URL          string // where the agent gets it; {boot} stands for the boot listener's base URL
	DiskFormat   string // raw or qcow2, as detected
	ChecksumAlgo string
	Checksum     string // hex
	Size         int64  // bytes of the file; 0 when the source does not say
	VirtualSize  int64  // bytes on disk; 0 when not known before it is read (a compressed raw image)
}

// ImagePreparer makes images ready. Prepare is asked again until it answers: an error that is not IsFatal means "not
// yet" and says how far it is. The same question gives the same answer on any conductor.
type ImagePreparer interface {
	Prepare(ctx context.Context, source ImageSource) (ImageReady, error)
}

// ImageFinder looks for images before they are needed.
type ImageFinder interface {
	// FindImage is Invalid for a file:// image that is not there, and names those that are; nil for all others.
	FindImage(source ImageSource) error
}
