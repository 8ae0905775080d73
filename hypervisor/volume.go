//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

// within runs a call on a pool.
func within(c *libvirt.Connect, name string, call func(*libvirt.StoragePool) error) error {
	pool, err := openPool(c, name)
	if err != nil {
		return err
	}
	defer free(pool)
	return call(pool)
}

// makeVolume makes a volume of so many bytes; base is what it begins as, nil nothing. One of its name must not be there.
func makeVolume(pool *libvirt.StoragePool, name, format string, bytes uint64, base *libvirtxml.StorageVolumeBackingStore) error {
	volume := libvirtxml.StorageVolume{
		Name: name, Capacity: &libvirtxml.StorageVolumeSize{Unit: "bytes", Value: bytes}, BackingStore: base,
		Target:     &libvirtxml.StorageVolumeTarget{Format: &libvirtxml.StorageVolumeTargetFormat{Type: format}},
		Allocation: &libvirtxml.StorageVolumeSize{Unit: "bytes", Value: 0}, // it takes what is written to it
	}
	text, err := volume.Marshal()
	if err != nil {
		return fmt.Errorf("cannot write the XML of volume %s: %w", name, err)
	}
	made, err := pool.StorageVolCreateXML(text, 0)
	if err != nil {
		return err
	}
	free(made)
	return nil
}

// dropVolume deletes a volume, if it is there.
func dropVolume(pool *libvirt.StoragePool, name string) error {
	found, err := pool.LookupStorageVolByName(name)
	if is(err, libvirt.ERR_NO_STORAGE_VOL) {
		return nil
	}
	if err != nil {
		return err
	}
	defer free(found)
	return found.Delete(0)
}

// hasRoom refuses so many bytes more of a guest's disk in a pool whose space nobody has claimed, and which has not as much
// free.
func hasRoom(pool *libvirt.StoragePool, s *Shape, more uint64) error {
	if s.Counted {
		return nil
	}
	if err := pool.Refresh(0); err != nil { // what it has free was read before others wrote there
		return err
	}
	info, err := pool.GetInfo()
	if err == nil && info.Available < more {
		err = ingot.Errorf(ingot.Unsupported, "pool %s has %d GiB free, and the disk of guest %s needs %d more", s.Pool, info.Available/gib, s.Node, (more+gib-1)/gib)
	}
	return err
}

// ensureDisk has a blank disk of a size where there is none, and lets one grow. It never shrinks one: what is behind the
// new end would be lost. That of a domain that runs is grown by it.
func ensureDisk(pool *libvirt.StoragePool, d *libvirt.Domain, s *Shape) error {
	bytes := uint64(s.DiskGB) * gib
	found, err := pool.LookupStorageVolByName(s.root())
	if is(err, libvirt.ERR_NO_STORAGE_VOL) {
		if err := hasRoom(pool, s, bytes); err != nil {
			return err
		}
		return makeVolume(pool, s.root(), s.DiskFormat, bytes, nil)
	}
	if err != nil {
		return err
	}
	defer free(found)
	info, err := found.GetInfo()
	switch {
	case err != nil:
		return err
	case info.Capacity > bytes:
		return ingot.Errorf(ingot.Invalid, "the disk of guest %s has %d bytes, and disks do not shrink: properties local_gb must be at least %d",
			s.Node, info.Capacity, (info.Capacity+gib-1)/gib)
	case info.Capacity == bytes:
		return nil
	}
	if err := hasRoom(pool, s, bytes-info.Capacity); err != nil {
		return err
	}
	if d != nil {
		if power, err := powerOf(d); err != nil || power == ingot.PowerOn {
			return errors.Join(err, d.BlockResize(rootTarget, bytes, libvirt.DOMAIN_BLOCK_RESIZE_BYTES))
		}
	}
	return found.Resize(bytes, 0)
}

// dropVolumes deletes all volumes of a node. Its console's log was not made through libvirt, which has to look for it.
func dropVolumes(pool *libvirt.StoragePool, node string) error {
	if err := pool.Refresh(0); err != nil {
		return err
	}
	names, err := pool.ListStorageVolumes()
	if err != nil {
		return err
	}
	for _, name := range names {
		if strings.HasPrefix(name, node+".") {
			if err := dropVolume(pool, name); err != nil {
				return err
			}
		}
	}
	return nil
}

// chunk is what is sent at a time, in bytes.
const chunk = 256 << 10

// upload fills a volume with size bytes.
func upload(c *libvirt.Connect, pool *libvirt.StoragePool, name string, from io.Reader, size int64) error {
	return uploadBy(c, pool, name, size, 0, func(stream *libvirt.Stream) error { return sendAll(stream, from, size) })
}

// uploadSparse is upload of much that is zeros to a new volume: where volumes are files, holes go in their place.
func uploadSparse(c *libvirt.Connect, pool *libvirt.StoragePool, name string, from io.Reader, size int64) error {
	folder, err := folderOf(pool)
	if err != nil {
		return err
	}
	if folder == "" { // what was there before would shine through
		return upload(c, pool, name, from, size)
	}
	return uploadBy(c, pool, name, size, libvirt.STORAGE_VOL_UPLOAD_SPARSE_STREAM, func(stream *libvirt.Stream) error {
		to := holes{stream: stream}
		if err := sendAll(&to, from, size); err != nil {
			return err
		}
		return to.flush()
	})
}

// holes is a stream to which zeros are sent as holes.
type holes struct {
	stream *libvirt.Stream
	zeros  int64 // that were not sent yet
}

// Send takes the next bytes.
func (h *holes) Send(p []byte) (int, error) {
	if isZero(p) {
		h.zeros += int64(len(p))
		return len(p), nil
	}
	if err := h.flush(); err != nil {
		return 0, err
	}
	return h.stream.Send(p)
}

// flush sends what was put off.
func (h *holes) flush() error {
	if h.zeros == 0 {
		return nil
	}
	n := h.zeros
	h.zeros = 0
	return h.stream.SendHole(n, 0)
}

func isZero(p []byte) bool {
	for _, b := range p {
		if b != 0 {
			return false
		}
	}
	return true
}

// uploadBy has a volume filled by whoever sends size bytes.
func uploadBy(c *libvirt.Connect, pool *libvirt.StoragePool, name string, size int64, flags libvirt.StorageVolUploadFlags, send func(*libvirt.Stream) error) error {
	to, err := pool.LookupStorageVolByName(name)
	if err != nil {
		return err
	}
	defer free(to)
	stream, err := c.NewStream(0)
	if err != nil {
		return err
	}
	defer free(stream)
	if err := to.Upload(stream, 0, uint64(size), flags); err != nil {
		return err
	}
	if err := send(stream); err != nil {
		return errors.Join(err, stream.Abort())
	}
	return stream.Finish()
}

func sendAll(stream interface{ Send([]byte) (int, error) }, from io.Reader, size int64) error {
	buffer := make([]byte, chunk)
	for sent := int64(0); sent < size; {
		n, err := from.Read(buffer[:min(chunk, size-sent)])
		for at := 0; at < n; {
			wrote, err := stream.Send(buffer[at:n])
			if err != nil {
				return err
			}
			at += wrote
		}
		sent += int64(n)
		if err != nil && sent < size {
			return fmt.Errorf("the image ended after %d of %d bytes: %w", sent, size, err)
		}
	}
	return nil
}

// download reads the last most bytes of a volume.
func download(c *libvirt.Connect, pool *libvirt.StoragePool, name string, most int64) ([]byte, error) {
	from, err := pool.LookupStorageVolByName(name)
	if err != nil {
		return nil, err
	}
	defer free(from)
	info, err := from.GetInfo()
	if err != nil {
		return nil, err
	}
	length := min(int64(info.Capacity), most)
	if length == 0 {
		return nil, nil
	}
	stream, err := c.NewStream(0)
	if err != nil {
		return nil, err
	}
	defer free(stream)
	if err := from.Download(stream, info.Capacity-uint64(length), uint64(length), 0); err != nil {
		return nil, err
	}
	out := make([]byte, 0, length)
	buffer := make([]byte, chunk)
	for int64(len(out)) < length {
		n, err := stream.Recv(buffer)
		if errors.Is(err, io.EOF) || err == nil && n <= 0 {
			break
		}
		if err != nil {
			return nil, errors.Join(err, stream.Abort())
		}
		out = append(out, buffer[:n]...)
	}
	return out, stream.Finish()
}
