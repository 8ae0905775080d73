//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"libvirt.org/go/libvirt"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
)

// TestABusyPool: a pool that something is copied into is no fault of the request: it is asked again. The text is libvirt 9's.
func TestABusyPool(t *testing.T) {
	for text, code := range map[string]ingot.Code{
		"internal error: pool 'default' has asynchronous jobs running.": ingot.Unavailable,
		"internal error: something else":                                ingot.Internal,
	} {
		err := hypervisor.Explained(libvirt.Error{Code: libvirt.ERR_INTERNAL_ERROR, Domain: libvirt.FROM_STORAGE, Message: text})
		require.Equal(t, code, ingot.CodeOf(err))
		require.EqualError(t, err, "cannot remove the guest: compute host qemu:///system: "+text)
	}
}
