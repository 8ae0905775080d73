package format

import (
	"errors"
	"fmt"
	"strings"
)

// ErrMismatch is in the error of Check when the image is not of the declared format.
var ErrMismatch = errors.New("the image is not of the declared format")

// ErrUnsafe is in the error of Check when the image is of the declared format but must not be opened.
var ErrUnsafe = errors.New("the image is unsafe")

// Check is the gate in front of everything that opens an image: the declared format (as in Ironic's
// image_disk_format: "raw", "qcow2", "iso", ...; "gpt" counts as raw) must be the detected one and nothing may be unsafe
// about it. The error says what was found and what to do, and is ErrMismatch or ErrUnsafe to errors.Is.
func Check(info Info, declared string) error {
	want := strings.ToLower(strings.TrimSpace(declared))
	switch want {
	case "":
		return fmt.Errorf("%w: none was declared, and %s was found: declare it if that is what you meant", ErrMismatch, info.Format)
	case "gpt":
		if info.Format == Raw && info.Partition != "gpt" {
			return fmt.Errorf("%w: declared gpt, but the image has no GUID partition table", ErrMismatch)
		}
		want = Raw
	case "vpc":
		want = VHD // QEMU's name
	case ISO:
		if info.Hybrid {
			return nil
		}
	}
	if info.Format != want {
		return fmt.Errorf("%w: declared %s, but its content is %s: declare %s, or convert the image to %s",
			ErrMismatch, declared, info.Format, info.Format, declared)
	}
	if len(info.Also) > 0 {
		return fmt.Errorf("%w: its bytes are valid as %s and as %s at once: rebuild it with qemu-img convert",
			ErrUnsafe, info.Format, strings.Join(info.Also, " and "))
	}
	if len(info.Unsafe) > 0 {
		return fmt.Errorf("%w: %s image refused: %s", ErrUnsafe, info.Format, strings.Join(info.Unsafe, "; "))
	}
	return nil
}
