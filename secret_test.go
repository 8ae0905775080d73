package ingot_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
)

func TestSecretsAreNeverShown(t *testing.T) {
	sealed := ingot.Seal(map[string]any{
		"ipmi_address": "10.0.0.1", "ipmi_password": "hunter2", "nested": map[string]any{"agent_secret_token": "hunter2"},
	})
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("node", "info", sealed, "alone", ingot.Secret("hunter2"))
	encoded, err := json.Marshal(sealed)
	require.NoError(t, err)
	for _, shown := range []string{string(encoded), log.String(), fmt.Sprint(sealed), fmt.Sprintf("%+v %#v %s", sealed, sealed, sealed)} {
		require.NotContains(t, shown, "hunter2")
	}
	require.Contains(t, string(encoded), "10.0.0.1")
	require.Equal(t, "hunter2", ingot.Text(sealed, "ipmi_password"))
}

func TestCapability(t *testing.T) {
	for name, m := range map[string]map[string]any{
		"pairs":  {"capabilities": "boot_option:local, boot_mode:uefi"},
		"object": {"capabilities": map[string]any{"boot_mode": "uefi"}},
		"JSON":   {"capabilities": `{"boot_mode": "uefi"}`},
	} {
		require.Equal(t, "uefi", ingot.Capability(m, "boot_mode"), name)
		require.Empty(t, ingot.Capability(m, "secure_boot"), name)
	}
}

func TestErrorsTellWhetherToTryAgain(t *testing.T) {
	cause := ingot.Errorf(ingot.Unauthorized, "BMC 10.0.0.1 refused the password")
	wrapped := fmt.Errorf("cannot verify node a: %w", cause)
	require.True(t, ingot.IsFatal(wrapped))
	require.Equal(t, ingot.Unauthorized, ingot.CodeOf(wrapped))
	require.False(t, ingot.IsFatal(fmt.Errorf("timed out")))
	require.False(t, ingot.IsFatal(ingot.Errorf(ingot.Locked, "busy")))
	require.True(t, ingot.IsFatal(ingot.Fatal(fmt.Errorf("no"))))
	require.NoError(t, ingot.Fatal(nil))
	require.Empty(t, ingot.CodeOf(nil))
}
