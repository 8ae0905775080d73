package erase

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/images/disk"
)

// adminCommand is Linux's struct nvme_admin_cmd (include/uapi/linux/nvme_ioctl.h).
type adminCommand struct {
	opcode, flags uint8
	_             uint16
	nsid          uint32
	_             [2]uint32
	metadata      uint64
	addr          uint64
	metadataLen   uint32
	dataLen       uint32
	cdw           [6]uint32 // command dwords 10 to 15
	timeoutMS     uint32
	result        uint32
}

const (
	ioctlID    = 0x4e40     // NVME_IOCTL_ID
	ioctlAdmin = 0xc0484e41 // NVME_IOCTL_ADMIN_CMD

	opIdentify = 0x06
	opFormat   = 0x80

	formatTimeout = 4 * 60 * 60 * 1000 // milliseconds: formatting may take the time of writing everything
)

// formatDword is command dword 10 of Format NVM that keeps the namespace's format and erases by ses (NVMe base
// specification 2.0, section 5.14): namespace is Identify Namespace's data.
func formatDword(namespace []byte, ses uint32) uint32 {
	flbas, dps := uint32(namespace[26]), uint32(namespace[29])
	return flbas&0xf | flbas>>4&1<<4 | dps&7<<5 | dps>>3&1<<8 | ses<<9 | flbas>>5&3<<12
}

// ability says how a controller can erase: Identify Controller's data.
func ability(controller []byte) (ses uint32, wide bool, err error) {
	oacs := binary.LittleEndian.Uint16(controller[256:])
	fna := controller[524]
	if oacs&2 == 0 {
		return 0, false, errors.New("the controller has no format command")
	}
	ses = 1 // user data erase
	if fna&4 != 0 {
		ses = 2 // cryptographic erase
	}
	return ses, fna&3 != 0, nil
}

// secureNVMe formats the namespace with erasure. done is false where the disk is no NVMe, or its controller cannot, or
// would erase other namespaces that must be kept; an error means that it could and failed.
func (j *job) secureNVMe(ctx context.Context) (done bool, err error) {
	if !regexp.MustCompile(`^/dev/nvme\d+n\d+$`).MatchString(j.disk.Name) {
		return false, nil
	}
	d, err := disk.Open(j.disk.Name) // claims the disk: nothing on it is in use
	if err != nil {
		return false, err
	}
	defer d.Close()
	if err := j.guard(d); err != nil {
		return false, err
	}
	f, err := os.OpenFile(j.disk.Name, os.O_RDWR, 0)
	if err != nil {
		return false, err
	}
	defer f.Close()
	nsid, err := unix.IoctlRetInt(int(f.Fd()), ioctlID)
	if err != nil {
		return false, fmt.Errorf("cannot ask for the namespace's ID: %w", err)
	}
	controller, namespace := make([]byte, 4096), make([]byte, 4096)
	if err := errors.Join(identify(f, 0, 1, controller), identify(f, uint32(nsid), 0, namespace)); err != nil {
		return false, err
	}
	ses, wide, err := ability(controller)
	if err != nil {
		j.Log.Info("no secure erase", "disk", j.disk.Name, "reason", err)
		return false, nil
	}
	if wide && j.neighbours() {
		j.Log.Info("no secure erase: it would erase other namespaces of the controller too", "disk", j.disk.Name)
		return false, nil
	}
	if err := admin(f, &adminCommand{opcode: opFormat, nsid: uint32(nsid), cdw: [6]uint32{formatDword(namespace, ses)}, timeoutMS: formatTimeout}, nil); err != nil {
		return false, fmt.Errorf("NVMe format failed: %w", err)
	}
	j.did = map[uint32]string{1: "NVMe format with user data erase", 2: "NVMe format with cryptographic erase"}[ses]
	j.reread(ctx, d)
	return true, nil
}

// neighbours says whether the controller has a namespace that may not be erased.
func (j *job) neighbours() bool {
	controller := regexp.MustCompile(`n\d+$`).ReplaceAllString(j.disk.Name, "")
	names, _ := filepath.Glob(controller + "n*") // fails only on a bad pattern
	whole := regexp.MustCompile(`^/dev/nvme\d+n\d+$`)
	for _, name := range names {
		if whole.MatchString(name) && !j.allowed[name] {
			return true
		}
	}
	return false
}

func identify(f *os.File, nsid, cns uint32, into []byte) error {
	if err := admin(f, &adminCommand{opcode: opIdentify, nsid: nsid, cdw: [6]uint32{cns}}, into); err != nil {
		return fmt.Errorf("NVMe identify failed: %w", err)
	}
	return nil
}

// admin sends an admin command; data, if any, takes its answer.
func admin(f *os.File, c *adminCommand, data []byte) error {
	if len(data) > 0 {
		c.addr, c.dataLen = uint64(uintptr(unsafe.Pointer(&data[0]))), uint32(len(data))
	}
	status, _, errno := unix.Syscall(unix.SYS_IOCTL, f.Fd(), ioctlAdmin, uintptr(unsafe.Pointer(c)))
	runtime.KeepAlive(data)
	if errno != 0 {
		return errno
	}
	if status != 0 {
		return fmt.Errorf("the controller answered status %#x", status)
	}
	return nil
}
