package modules_test

import (
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot/deploy-agent/internal/modules"
)

const event = "add@/devices/pci0000:00/0000:00:02.0/virtio0\x00ACTION=add\x00DEVPATH=/devices/pci0000:00/0000:00:02.0/virtio0\x00" +
	"SUBSYSTEM=virtio\x00MODALIAS=virtio:d00000001v00001AF4\x00SEQNUM=1107\x00"

func TestAddedModalias(t *testing.T) {
	for msg, want := range map[string]string{
		event: "virtio:d00000001v00001AF4",
		strings.Replace(event, "add@", "remove@", 1):       "",
		strings.Replace(event, "add@", "change@", 1):       "",
		strings.Replace(event, "MODALIAS", "XMODALIAS", 1): "",
		"add@/devices/x": "",
		"":               "",
		"libudev\x00\xfe\xed\xca\xfeadd@/devices/x\x00MODALIAS=pci:x\x00": "",
	} {
		require.Equal(t, want, modules.AddedModalias([]byte(msg)), "%q", msg)
	}
}

func FuzzAddedModalias(f *testing.F) {
	f.Add([]byte(event))
	f.Add([]byte("add@\x00MODALIAS="))
	f.Add([]byte("\x00\x00"))
	f.Fuzz(func(t *testing.T, msg []byte) {
		if got := modules.AddedModalias(msg); got != "" {
			require.Contains(t, string(msg), got)
			require.NotContains(t, got, "\x00")
		}
	})
}

// TestUevents has the kernel announce a device again, which root can ask of any device.
func TestUevents(t *testing.T) {
	u, err := modules.ListenUevents()
	require.NoError(t, err)
	defer u.Close()
	_, err = u.Next(t.Context(), time.Millisecond)
	require.ErrorIs(t, err, modules.ErrQuiet)

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = u.Next(ctx, time.Hour)
	require.ErrorIs(t, err, context.Canceled)

	const file = "/sys/devices/system/cpu/cpu0/uevent"
	if err := os.WriteFile(file, []byte("add"), 0); err != nil {
		t.Skipf("cannot make the kernel announce a device: %v", err)
	}
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	_, want, ok := strings.Cut(string(text), "MODALIAS=")
	if !ok {
		t.Skip("this kernel's processors have no modalias")
	}
	got, err := u.Next(t.Context(), time.Minute)
	require.NoError(t, err)
	require.Equal(t, strings.TrimSpace(want), got)
}
