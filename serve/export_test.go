package serve

import (
	"context"
	"crypto/tls"
	"testing"

	"github.com/ingot-metal/ingot"
)

// PrepareImage has the service's process prepare an image for agents.
func PrepareImage(ctx context.Context, a *App, source ingot.ImageSource) (ingot.ImageReady, error) {
	return a.images.Prepare(ctx, source)
}

// BootAddress is where the boot listener is.
func BootAddress(a *App) string { return a.bootListen[0].Addr().String() }

// PeerTLS is how a process with the secret's seed speaks to others.
func PeerTLS(t *testing.T, seed []byte) *tls.Config {
	t.Helper()
	config, err := peerTLS([][]byte{seed})
	if err != nil {
		t.Fatal(err)
	}
	return config
}
