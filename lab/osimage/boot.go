package osimage

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
)

// grubConfig is /boot/grub/grub.cfg. The console lines cost nothing when nobody listens; /vmlinuz and /initrd.img are the
// links that the kernel package keeps. mitigations=off: the workarounds for processor bugs are pure cost under emulation.
func grubConfig(rootUUID string) string {
	return `serial --unit=0 --speed=115200
terminal_input serial console
terminal_output serial console
set timeout=0
search --no-floppy --fs-uuid --set=root ` + rootUUID + `
linux /vmlinuz root=UUID=` + rootUUID + ` rw console=ttyS0,115200 ` + kernelOptions + `
initrd /initrd.img
boot
`
}

const kernelOptions = "mitigations=off init_on_alloc=0 nokaslr audit=0 apparmor=0 tsc=reliable rcupdate.rcu_expedited=1"

// grubStub finds the root file system and goes on with the configuration there. Debian's signed GRUB reads it from
// /EFI/debian; the BIOS core image carries it inside.
func grubStub(rootUUID string) string {
	return `search --no-floppy --fs-uuid --set=root ` + rootUUID + `
set prefix=($root)/boot/grub
configfile $prefix/grub.cfg
`
}

// installBIOS puts GRUB for PC BIOS on the disk: boot.img's code into the MBR, core.img into the BIOS boot partition.
// It does what grub-bios-setup does, without a block device.
func installBIOS(ctx context.Context, work, disk, rootUUID string) error {
	stub := filepath.Join(work, "bios.cfg")
	if err := os.WriteFile(stub, []byte(grubStub(rootUUID)), 0o600); err != nil {
		return fmt.Errorf("cannot write GRUB's stub: %w", err)
	}
	core := filepath.Join(work, "core.img")
	args := []string{
		"-O", "i386-pc", "-o", core, "-p", "(hd0,gpt3)/boot/grub", "-c", stub,
		"biosdisk", "part_gpt", "ext2", "search", "search_fs_uuid", "normal", "configfile", "linux", "serial", "terminal",
		"echo", "boot", "test", "ls", "reboot", "halt", "minicmd",
	}
	if _, err := run(ctx, "grub-mkimage", args...); err != nil {
		return err
	}
	coreImg, err := os.ReadFile(core)
	if err != nil {
		return fmt.Errorf("cannot read GRUB's core image: %w", err)
	}
	bootImg, err := os.ReadFile(grubBootImg)
	if err != nil {
		return fmt.Errorf("cannot read GRUB's boot sector: %w", err)
	}
	mbr, err := patchBIOS(bootImg, coreImg)
	if err != nil {
		return err
	}
	f, err := os.OpenFile(disk, os.O_WRONLY, 0)
	if err != nil {
		return fmt.Errorf("cannot open the disk file: %w", err)
	}
	defer f.Close()
	if _, err := f.WriteAt(mbr, 0); err != nil {
		return fmt.Errorf("cannot write the boot sector: %w", err)
	}
	if _, err := f.WriteAt(coreImg, biosStart*sectorSize); err != nil {
		return fmt.Errorf("cannot write GRUB's core image: %w", err)
	}
	return f.Close()
}

// Offsets in GRUB's i386-pc images: grub-core/boot/i386/pc/{boot,diskboot}.S and include/grub/i386/pc/boot.h.
const (
	mbrCode         = 440  // bytes before the disk signature and the protective partition table
	bootKernelSect  = 0x5c // GRUB_BOOT_MACHINE_KERNEL_SECTOR, 64-bit sector of core.img
	bootDrive       = 0x64 // GRUB_BOOT_MACHINE_BOOT_DRIVE, 0xff = the drive that the BIOS names
	bootDriveCheck  = 0x66 // GRUB_BOOT_MACHINE_DRIVE_CHECK, a jump that two NOPs replace for hard disks
	coreBlocklist   = 0x1f4
	coreBlocklistSz = 8
)

// patchBIOS returns the MBR's code area and sets, in core itself, where the rest of core.img lies: right behind its first
// sector.
func patchBIOS(bootImg, core []byte) ([]byte, error) {
	if len(bootImg) != sectorSize {
		return nil, fmt.Errorf("cannot install GRUB: boot.img has %d bytes, not %d", len(bootImg), sectorSize)
	}
	if len(core) < 2*sectorSize || len(core) > biosSectors*sectorSize {
		return nil, fmt.Errorf("cannot install GRUB: core.img has %d bytes, the partition %d", len(core), biosSectors*sectorSize)
	}
	mbr := append([]byte(nil), bootImg[:mbrCode]...)
	binary.LittleEndian.PutUint64(mbr[bootKernelSect:], biosStart)
	mbr[bootDrive] = 0xff
	mbr[bootDriveCheck], mbr[bootDriveCheck+1] = 0x90, 0x90
	binary.LittleEndian.PutUint64(core[coreBlocklist:coreBlocklist+coreBlocklistSz], biosStart+1)
	return mbr, nil
}

// installEFI makes the EFI system partition's file system inside the disk file: shim as the fallback loader, which starts
// Debian's signed GRUB.
func installEFI(ctx context.Context, work, disk, rootUUID string) error {
	stub := filepath.Join(work, "efi.cfg")
	if err := os.WriteFile(stub, []byte(grubStub(rootUUID)), 0o600); err != nil {
		return fmt.Errorf("cannot write GRUB's stub: %w", err)
	}
	if _, err := run(ctx, "mkfs.vfat", "-F", "16", "-n", "ESP", "-i", espSerial(rootUUID),
		"--offset", fmt.Sprint(espStart), disk, fmt.Sprint(espSectors/2)); err != nil {
		return err
	}
	at := fmt.Sprintf("%s@@%d", disk, espStart*sectorSize)
	if _, err := run(ctx, "mmd", "-i", at, "::/EFI", "::/EFI/BOOT", "::/EFI/debian"); err != nil {
		return err
	}
	for _, c := range [][2]string{
		{shimSigned, "::/EFI/BOOT/BOOTX64.EFI"},
		{grubSigned, "::/EFI/BOOT/grubx64.efi"},
		{stub, "::/EFI/debian/grub.cfg"},
	} {
		if _, err := run(ctx, "mcopy", "-i", at, c[0], c[1]); err != nil {
			return err
		}
	}
	return nil
}

// espSerial is the FAT volume serial: eight hexadecimal digits.
func espSerial(rootUUID string) string { return rootUUID[:8] }
