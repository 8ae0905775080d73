package api_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/api"
	"github.com/ingot-metal/ingot/api/client"
)

// TestLeases: which machine has which address on a network, lapsed leases marked.
func TestLeases(t *testing.T) {
	t.Parallel()
	s := start(t, func(a *api.API) { a.Networks = []ingot.Network{{Name: "rack"}} })
	until := time.Now().Add(time.Hour).Unix()
	require.NoError(t, s.Store.CommitLeases(t.Context(), []ingot.Lease{
		{Network: "rack", MAC: "52:54:00:00:00:01", Address: netip.MustParseAddr("10.77.0.130"), Until: until},
		{Network: "rack", MAC: "52:54:00:00:00:02", Address: netip.MustParseAddr("10.77.0.129"), Hostname: "n2", Until: 1},
		{Network: "other", MAC: "52:54:00:00:00:03", Address: netip.MustParseAddr("10.77.0.131"), Until: until},
	}))
	leases, err := (&client.Client{BaseURL: s.URL}).Leases(t.Context(), "rack")
	require.NoError(t, err)
	require.Equal(t, []client.Lease{
		{MAC: "52:54:00:00:00:02", Address: "10.77.0.129", Hostname: "n2", Until: "1970-01-01T00:00:01+00:00", Over: true},
		{MAC: "52:54:00:00:00:01", Address: "10.77.0.130", Until: time.Unix(until, 0).UTC().Format("2006-01-02T15:04:05+00:00")},
	}, leases)
	require.Equal(t, "Network nosuch could not be found.", s.must(t, 404, "GET", "/v1/networks/nosuch/leases", nil).fault())
}
