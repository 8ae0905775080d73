package ipmi_test

import (
	"context"
	"net"
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/ipmi"
	"github.com/ingot-metal/ingot/lab/vbmc"
)

// off is a machine that is never on.
type off struct{}

func (off) Power(context.Context) (bool, error)                         { return false, nil }
func (off) SetPower(context.Context, vbmc.PowerAction, vbmc.Boot) error { return nil }

// TestVendorMethods sends commands of any sort, and looks at the BMC's journal.
func TestVendorMethods(t *testing.T) {
	for _, backend := range []string{ipmi.BackendNative, ipmi.BackendTool} {
		t.Run(backend, func(t *testing.T) {
			var log vbmc.Log
			server := &vbmc.Server{Machine: off{}, IPMIListen: "127.0.0.1:0", Username: "admin", Password: "secret", Journal: &log}
			require.NoError(t, server.Listen())
			ctx, stop := context.WithCancel(context.Background())
			done := make(chan error, 1)
			go func() { done <- server.Run(ctx) }()
			t.Cleanup(func() { stop(); require.NoError(t, <-done) })
			host, port, err := net.SplitHostPort(server.IPMIAddr())
			require.NoError(t, err)
			number, err := strconv.Atoi(port)
			require.NoError(t, err)
			info := map[string]any{"ipmi_address": host, "ipmi_port": number, "ipmi_username": "admin", "ipmi_password": "secret"}
			m, err := ipmi.New(info, ipmi.Options{Backend: backend, Timeout: 200 * time.Millisecond, Suites: &ipmi.Suites{}})
			require.NoError(t, err)
			vendor, ok := ingot.As[ingot.Vendor](m)
			require.True(t, ok)
			for _, call := range []struct {
				method string
				args   map[string]any
				verb   string
			}{
				{"send_raw", map[string]any{"raw_bytes": "0x00 0x04 0 1"}, "Chassis Identify"},
				{"bmc_reset", map[string]any{}, "Warm Reset"},
				{"bmc_reset", map[string]any{"warm": true}, "Warm Reset"},
				{"bmc_reset", map[string]any{"warm": false}, "Cold Reset"},
				{"bmc_reset", map[string]any{"warm": "false"}, "Cold Reset"},
			} {
				require.NoError(t, vendor.CheckVendor(call.method, call.args))
				before := counted(&log, call.verb)
				_, err := vendor.CallVendor(within(t, 20*time.Second), call.method, call.args)
				require.NoError(t, err)
				require.Equal(t, before+1, counted(&log, call.verb), "%s %v", call.method, call.args)
				if closer, ok := ingot.As[ingot.Closer](m); ok {
					require.NoError(t, closer.Close())
				}
			}
			for says, raw := range map[string]any{"raw_bytes (string of bytes) was not specified": nil, "is none": "0x00 xyz", "not both a network function and a command": "0x00"} {
				err := vendor.CheckVendor("send_raw", map[string]any{"raw_bytes": raw})
				require.ErrorContains(t, err, says)
				require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
			}
		})
	}
}

func counted(log *vbmc.Log, verb string) int {
	n := 0
	for _, e := range log.Entries() {
		if e.Verb == verb && e.Outcome == vbmc.OutcomeOK {
			n++
		}
	}
	return n
}
