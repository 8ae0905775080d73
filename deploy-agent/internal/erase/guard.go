package erase

import (
	"encoding/binary"
	"slices"

	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/images/disk"
)

// The marks of file systems that several machines share: erasing one may take the others' data.
const (
	typeVMFS = "aa31e02a-400f-11db-9590-000c2911d1b8" // GPT
	typeGPFS = "37affc90-ef7d-4e96-91c3-2d7ae055b174" // GPT
	mbrVMFS  = "0xfb"

	gfs2At    = 64 << 10 // offset of GFS2's superblock, which begins with its magic
	gfs2Magic = 0x01161970
)

// guard refuses a disk with a shared file system on it, unless Ironic says that it may be erased.
func (j *job) guard(d *disk.Device) error {
	if j.set.WipeSpecial {
		return nil
	}
	starts := []int64{0}
	if table, err := disk.ReadTable(d); err == nil {
		for _, p := range table.Partitions {
			switch {
			case p.Type == typeVMFS, p.Type == mbrVMFS:
				return j.protected("VMFS partition")
			case p.Type == typeGPFS:
				return j.protected("GPFS partition")
			}
			starts = append(starts, p.Start)
		}
	}
	for _, at := range slices.Compact(starts) {
		var magic [4]byte
		if _, err := d.ReadAt(magic[:], at+gfs2At); err == nil && binary.BigEndian.Uint32(magic[:]) == gfs2Magic {
			return j.protected("GFS2 file system")
		}
	}
	return nil
}

func (j *job) protected(what string) error {
	return command.Fail("ProtectedDeviceError", 500, "Protected device located, cleaning aborted.",
		"Protected %s located on device %s. This volume or contents may be a shared block device. Please consult your storage "+
			"administrator, and restart cleaning after either detaching the volumes, or instructing the agent to not protect contents.",
		what, j.disk.Name)
}
