//go:build cgo && libvirt_dlopen

package hypervisor

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"libvirt.org/go/libvirt"
	"libvirt.org/go/libvirtxml"

	"github.com/ingot-metal/ingot"
)

// flatSuffix names the volume that a disk over a base is written out to before it is copied.
const flatSuffix = ".moving"

// empty makes a volume on the other host as large as the one here, with nothing in it and nothing under it.
func (j *journey) empty(here, there *libvirt.Connect, v volumeOf) error {
	var size uint64
	err := within(here, v.pool, func(pool *libvirt.StoragePool) error {
		found, err := pool.LookupStorageVolByName(v.name)
		if err != nil {
			return err
		}
		defer free(found)
		info, err := found.GetInfo()
		if err == nil {
			size = info.Capacity
		}
		return err
	})
	if err != nil {
		return err
	}
	return within(there, j.shape.Pool, func(pool *libvirt.StoragePool) error {
		if err := dropVolume(pool, v.name); err != nil {
			return err
		}
		return makeVolume(pool, v.name, j.shape.DiskFormat, size, nil)
	})
}

// copy makes a volume of the same name and bytes on the other host, and reads it back.
func (j *journey) copy(ctx context.Context, here, there *libvirt.Connect, v volumeOf) error {
	return within(here, v.pool, func(from *libvirt.StoragePool) error {
		return within(there, j.shape.Pool, func(to *libvirt.StoragePool) error {
			name, err := flatten(from, v.name)
			if err != nil {
				return err
			}
			if err := j.stream(ctx, here, there, from, to, name, v.name); err != nil {
				return err
			}
			if name != v.name {
				return dropVolume(from, name)
			}
			return nil
		})
	})
}

// flatten writes a disk over a base out, since the base stays where it is, and gives the name of what is to be copied.
func flatten(pool *libvirt.StoragePool, name string) (string, error) {
	source, err := pool.LookupStorageVolByName(name)
	if err != nil {
		return "", err
	}
	defer free(source)
	text, err := source.GetXMLDesc(0)
	if err != nil {
		return "", err
	}
	var volume libvirtxml.StorageVolume
	if err := volume.Unmarshal(text); err != nil {
		return "", err
	}
	if volume.BackingStore == nil || volume.BackingStore.Path == "" {
		return name, nil
	}
	flat := libvirtxml.StorageVolume{
		Name: name + flatSuffix, Capacity: volume.Capacity,
		Target: &libvirtxml.StorageVolumeTarget{Format: &libvirtxml.StorageVolumeTargetFormat{Type: "qcow2"}},
	}
	if err := dropVolume(pool, flat.Name); err != nil {
		return "", err
	}
	if text, err = flat.Marshal(); err != nil {
		return "", err
	}
	made, err := pool.StorageVolCreateXMLFrom(text, source, 0)
	if err != nil {
		return "", err
	}
	free(made)
	return flat.Name, nil
}

// stream copies the bytes of a volume, and reads the copy back: two sums that differ are no copy.
func (j *journey) stream(ctx context.Context, here, there *libvirt.Connect, from, to *libvirt.StoragePool, name, as string) error {
	size, err := length(from, name)
	if err != nil {
		return err
	}
	if err := dropVolume(to, as); err != nil {
		return err
	}
	if err := makeVolume(to, as, "raw", size, nil); err != nil {
		return err
	}
	sent, kept := sha256.New(), sha256.New()
	source, err := openVolume(here, from, name, size)
	if err != nil {
		return err
	}
	err = upload(there, to, as, io.TeeReader(heeding{ctx, source}, sent), int64(size))
	if err := errors.Join(err, source.Close()); err != nil {
		return err
	}
	if err := sum(ctx, there, to, as, size, kept); err != nil {
		return err
	}
	if string(sent.Sum(nil)) != string(kept.Sum(nil)) {
		return ingot.Errorf(ingot.Unavailable, "volume %s is not on compute host %s as it was sent", as, j.to.NodeUUID)
	}
	return to.Refresh(0) // which finds out what is in it
}

func sum(ctx context.Context, c *libvirt.Connect, pool *libvirt.StoragePool, name string, size uint64, into hash.Hash) error {
	source, err := openVolume(c, pool, name, size)
	if err != nil {
		return err
	}
	_, err = io.Copy(into, heeding{ctx, source})
	return errors.Join(err, source.Close())
}

// length is how many bytes a volume's file has.
func length(pool *libvirt.StoragePool, name string) (uint64, error) {
	found, err := pool.LookupStorageVolByName(name)
	if err != nil {
		return 0, err
	}
	defer free(found)
	info, err := found.GetInfoFlags(libvirt.STORAGE_VOL_GET_PHYSICAL)
	if err != nil {
		return 0, err
	}
	return info.Allocation, nil
}

// volumeReader reads a volume's file.
type volumeReader struct {
	stream *libvirt.Stream
	left   uint64
}

func openVolume(c *libvirt.Connect, pool *libvirt.StoragePool, name string, size uint64) (*volumeReader, error) {
	found, err := pool.LookupStorageVolByName(name)
	if err != nil {
		return nil, err
	}
	defer free(found)
	stream, err := c.NewStream(0)
	if err != nil {
		return nil, err
	}
	if err := found.Download(stream, 0, size, 0); err != nil {
		return nil, errors.Join(err, stream.Free())
	}
	return &volumeReader{stream, size}, nil
}

// Read reads at most what libvirt sends at a time.
func (r *volumeReader) Read(p []byte) (int, error) {
	if r.left == 0 {
		return 0, io.EOF
	}
	n, err := r.stream.Recv(p[:min(uint64(len(p)), r.left)])
	if err != nil {
		return 0, err
	}
	if n <= 0 {
		return 0, fmt.Errorf("the volume ended %d bytes early", r.left)
	}
	r.left -= uint64(n)
	return n, nil
}

// Close ends the stream; one that was not read to its end is broken off.
func (r *volumeReader) Close() error {
	defer free(r.stream)
	if r.left > 0 {
		return r.stream.Abort()
	}
	return r.stream.Finish()
}

// heeding is a reader that ends with a context.
type heeding struct {
	ctx  context.Context
	from io.Reader
}

func (h heeding) Read(p []byte) (int, error) {
	if err := h.ctx.Err(); err != nil {
		return 0, err
	}
	return h.from.Read(p)
}
