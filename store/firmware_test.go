package store_test

import (
	"context"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

func TestBIOSSettings(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n, other := newNode(t, s, "n"), newNode(t, s, "other")
		low, yes := 1, true
		turbo := ingot.BIOSSetting{Name: "Turbo", Value: "on", BIOSRegistry: ingot.BIOSRegistry{Type: "Enumeration", Allowed: []string{"on", "off"}, ReadOnly: &yes}}
		cores := ingot.BIOSSetting{Name: "Cores", Value: "4", BIOSRegistry: ingot.BIOSRegistry{Type: "Integer", LowerBound: &low}}
		require.NoError(t, s.PutBIOSSettings(ctx, n.UUID, []ingot.BIOSSetting{turbo, cores, {Name: "Gone"}}))
		require.NoError(t, s.PutBIOSSettings(ctx, other.UUID, []ingot.BIOSSetting{turbo}))
		refused(t, s.PutBIOSSettings(ctx, "nope", nil), ingot.NotFound, "Node nope could not be found.")

		made := clock.Now()
		clock.move(time.Second)
		cores.Value = "8"
		require.NoError(t, s.PutBIOSSettings(ctx, n.UUID, []ingot.BIOSSetting{turbo, cores}))
		turbo.CreatedAt, cores.CreatedAt, cores.UpdatedAt = made, made, clock.Now()
		got, err := s.BIOSSettings(ctx, n.UUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]ingot.BIOSSetting{cores, turbo}, got), "what is as before keeps its time")

		require.NoError(t, s.DeleteNode(ctx, n.UUID, 0))
		got, err = s.BIOSSettings(ctx, n.UUID)
		require.NoError(t, err)
		require.Empty(t, got)
		got, err = s.BIOSSettings(ctx, other.UUID)
		require.NoError(t, err)
		require.Len(t, got, 1)
	})
}

func TestFirmwareComponents(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		refused(t, s.PutFirmwareComponents(ctx, "nope", nil), ingot.NotFound, "Node nope could not be found.")
		bmc := ingot.FirmwareComponent{Component: "bmc", CurrentVersion: "1", Vendor: "v", Model: "m", SerialNumber: "s"}
		bios := ingot.FirmwareComponent{Component: "bios", CurrentVersion: "1"}
		require.NoError(t, s.PutFirmwareComponents(ctx, n.UUID, []ingot.FirmwareComponent{bmc, bios, {Component: "gone"}}))
		made := clock.Now()
		clock.move(time.Second)
		bmc.CurrentVersion, bmc.LastVersionFlashed = "2", "2"
		require.NoError(t, s.PutFirmwareComponents(ctx, n.UUID, []ingot.FirmwareComponent{bmc, bios}))
		flashed := clock.Now()
		clock.move(time.Second)
		bmc.LastVersionFlashed = "" // it is only read
		require.NoError(t, s.PutFirmwareComponents(ctx, n.UUID, []ingot.FirmwareComponent{bmc, bios}))

		bmc.InitialVersion, bmc.LastVersionFlashed, bmc.CreatedAt, bmc.UpdatedAt = "1", "2", made, flashed
		bios.InitialVersion, bios.CreatedAt = "1", made
		got, err := s.FirmwareComponents(ctx, n.UUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff([]ingot.FirmwareComponent{bios, bmc}, got))
	})
}
