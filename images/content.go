package images

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/ingot-metal/ingot"
)

// OpenImage has an image on this machine, for disks of guests (ingot.ImageOpener). One that is compressed as a whole is
// refused: a disk cannot begin as it.
func (s *Service) OpenImage(ctx context.Context, source ingot.ImageSource) (ingot.GuestImage, error) {
	source.Download = "local"
	ready, err := s.Prepare(ctx, source)
	if err != nil {
		return ingot.GuestImage{}, err
	}
	if ready.VirtualSize == 0 {
		return ingot.GuestImage{}, ingot.Errorf(ingot.Unsupported, "image %s is compressed: unpack it for guests, or use deploy interface direct", source.URL)
	}
	path, isFile := strings.CutPrefix(source.URL, "file://")
	open := func(context.Context) (io.ReadCloser, error) {
		if !isFile {
			return os.Open(filepath.Join(s.Cache.Dir, ready.ID))
		}
		from, err := s.openFile(path)
		if err != nil {
			return nil, err
		}
		return struct {
			io.Reader
			io.Closer
		}{io.NewSectionReader(from, 0, from.size), from}, nil
	}
	return ingot.GuestImage{ImageReady: ready, Open: open}, nil
}
