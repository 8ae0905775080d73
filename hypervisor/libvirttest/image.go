//go:build cgo && libvirt_dlopen

package libvirttest

// Hello is a disk whose boot sector says hello on the serial port.
func Hello() []byte {
	disk := make([]byte, 1<<20)
	copy(disk, []byte{
		0x31, 0xc0, 0x8e, 0xd8, // xor ax, ax; mov ds, ax
		0xba, 0xf8, 0x03, // mov dx, 0x3f8
		0xbe, 0x15, 0x7c, // mov si, text
		0xac, 0x84, 0xc0, 0x74, 0x03, 0xee, 0xeb, 0xf8, // each byte up to 0: out dx, al
		0xf4, 0xeb, 0xfd, // hlt, for ever
	})
	copy(disk[21:], "hello from the image\r\n\x00")
	disk[510], disk[511] = 0x55, 0xaa
	return disk
}
