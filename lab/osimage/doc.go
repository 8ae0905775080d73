// Package osimage builds the operating system image that the lab deploys: Debian 12 on a whole disk, small and quick to
// boot under QEMU's emulation.
//
// The disk is a GPT with a BIOS boot partition, an EFI system partition and an ext4 root. It boots from SeaBIOS (GRUB in
// the BIOS boot partition) and from UEFI firmware, also with Secure Boot (Debian's signed shim and GRUB). cloud-init reads
// a config drive (label config-2) and nothing else; systemd-networkd gets addresses by DHCP; the console is ttyS0.
//
// Nothing is mounted and no loop device is used: mmdebstrap makes a folder, mke2fs and mtools fill file systems inside the
// disk file, and GRUB's BIOS part is put in place by writing the bytes that grub-bios-setup would write.
package osimage
