package erase

import (
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
)

// The layout and bits are not visible from outside, and a wrong one formats a disk wrongly.
func TestNVMeLayout(t *testing.T) {
	require.Equal(t, uintptr(72), unsafe.Sizeof(adminCommand{}), "struct nvme_admin_cmd; its size is part of the ioctl number")
	require.Equal(t, uintptr(24), unsafe.Offsetof(adminCommand{}.addr)) // after opcode, flags, nsid, cdw2, cdw3, metadata
	namespace := make([]byte, 4096)
	require.Equal(t, uint32(1<<9), formatDword(namespace, 1), "user data erase, format 0")
	namespace[26], namespace[29] = 0x13, 0x09 // format 3, extended metadata; protection type 1 at the start
	require.Equal(t, uint32(2<<9|3|1<<4|1<<5|1<<8), formatDword(namespace, 2))
	namespace[26], namespace[29] = 0x20, 0 // format 16: its upper bits stand elsewhere
	require.Equal(t, uint32(1<<9|1<<12), formatDword(namespace, 1))

	controller := make([]byte, 4096)
	_, _, err := ability(controller)
	require.ErrorContains(t, err, "no format command")
	controller[256] = 2
	ses, wide, err := ability(controller)
	require.NoError(t, err)
	require.Equal(t, uint32(1), ses)
	require.False(t, wide)
	controller[524] = 4 | 2
	ses, wide, err = ability(controller)
	require.NoError(t, err)
	require.Equal(t, uint32(2), ses)
	require.True(t, wide)
}
