//go:build cgo && libvirt_dlopen

package hypervisor_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/hypervisor/libvirttest"
)

// TestTLS reaches a real libvirtd over TLS. Each has to show a certificate that the other's authority has signed.
func TestTLS(t *testing.T) {
	started(t)
	_, pki, port := libvirttest.StartTLS(t)
	probe := func(pki string) error {
		hosts := &hypervisor.Hosts{}
		defer hosts.Close()
		facts, err := hosts.Probe(context.WithoutCancel(t.Context()), ingot.Hypervisor{
			NodeUUID: uuid.NewString(), URI: "qemu+tls://127.0.0.1:" + port + "/system?pkipath=" + pki,
		}, nil)
		if err == nil {
			require.NotEmpty(t, facts.VirtTypes)
		}
		return err
	}
	require.NoError(t, probe(pki))

	stranger := t.TempDir()
	other := libvirttest.NewAuthority(t, stranger)
	other.Sign(t, stranger, "client")
	require.ErrorContains(t, probe(stranger), "its certificate is not signed by the authority in cacert.pem", "it does not know the daemon's authority")
	own, err := os.ReadFile(filepath.Join(stranger, "cacert.pem"))
	require.NoError(t, err)
	daemons, err := os.ReadFile(filepath.Join(pki, "cacert.pem"))
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(stranger, "cacert.pem"), append(own, daemons...), 0o600))
	require.ErrorContains(t, probe(stranger), "it does not accept this service's certificate", "the daemon does not know the client's")
	require.ErrorContains(t, probe(t.TempDir()), "cacert.pem")
}
