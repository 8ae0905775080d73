package store_test

import (
	"context"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// comesBack creates a record, reads it by an ident and from a list, deletes it, and finds it gone.
func comesBack[T, Q any](t *testing.T, records *store.Records[T, Q], v T, ident, missing string, query Q) {
	t.Helper()
	ctx := context.Background()
	require.NoError(t, records.Create(ctx, &v))
	got, err := records.Get(ctx, ident)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(v, got))
	list, err := records.List(ctx, query)
	require.NoError(t, err)
	require.Len(t, list, 1)
	require.Equal(t, ingot.Conflict, ingot.CodeOf(records.Create(ctx, &v)), "there is one already")
	require.NoError(t, records.Delete(ctx, id1, 1))
	_, err = records.Get(ctx, ident)
	refused(t, err, ingot.NotFound, "%s", missing)
}

const id1 = "aaaaaaaa-0000-4000-8000-000000000001"

// TestRecordsComeBackAsTheyWere: with the secrets in their lists, which are encrypted at rest.
func TestRecordsComeBackAsTheyWere(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		steps := []map[string]any{
			{"interface": "bios", "step": "a", "args": map[string]any{"password": ingot.Secret("hush"), "n": 1.0}},
			{"interface": "raid", "step": "b", "args": map[string]any{"list": []any{map[string]any{"token": ingot.Secret("t")}}}},
		}
		extra := map[string]any{"x": []any{"y"}}
		comesBack(t, s.Templates(), ingot.DeployTemplate{UUID: id1, Name: "CUSTOM_A", Description: "d", Steps: steps, Extra: extra},
			"CUSTOM_A", "Deploy template CUSTOM_A could not be found.", ingot.TemplateQuery{Names: []string{"CUSTOM_B", "CUSTOM_A"}})
		comesBack(t, s.Runbooks(), ingot.Runbook{UUID: id1, Name: "r", Description: "d", Steps: steps, DisableRamdisk: true, Owner: "p", Traits: []string{"CUSTOM_A"}, Extra: extra},
			"r", "Runbook r could not be found.", ingot.RunbookQuery{Project: "p"})
		comesBack(t, s.Rules(), ingot.InspectionRule{UUID: id1, Description: "d", Priority: 7, Phase: "main", Sensitive: true, Conditions: steps[:1], Actions: steps},
			id1, "Rule "+id1+" could not be found.", ingot.RuleQuery{Phase: "main"})
		comesBack(t, s.Allocations(), ingot.Allocation{
			UUID: id1, Name: "a", Owner: "p", ResourceClass: "c", Candidates: []string{id1}, Traits: []string{"CUSTOM_A"}, Extra: extra, State: ingot.AllocationError, LastError: "e",
		}, "a", "Allocation a could not be found.", ingot.AllocationQuery{ResourceClass: "c", State: ingot.AllocationError, Owner: "p", Project: "p"})
	})
}

// TestAnAllocationTakesItsNodeWithIt: in one transaction, or not at all.
func TestAnAllocationTakesItsNodeWithIt(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := ingot.Node{Driver: "fake-hardware", ProvisionState: ingot.Available, PowerState: ingot.PowerOff, ResourceClass: "big", InstanceInfo: map[string]any{"k": ingot.Secret("s"), "l": 1.0}}
		require.NoError(t, s.CreateNode(ctx, &n, nil))
		a := ingot.Allocation{ResourceClass: "big", State: ingot.Allocating}
		b := ingot.Allocation{ResourceClass: "big", State: ingot.Allocating}
		require.NoError(t, s.Allocations().Create(ctx, &a))
		require.NoError(t, s.Allocations().Create(ctx, &b))
		give := func(id string) error {
			_, err := s.Allocations().Change(ctx, id, 0, func(a *ingot.Allocation) error {
				a.NodeUUID, a.State = n.UUID, ingot.AllocationActive
				return nil
			})
			return err
		}
		require.NoError(t, give(a.UUID))
		refused(t, give(b.UUID), ingot.Conflict, "Failed to process allocation %s: node %s does not suit it any more.", b.UUID, n.UUID)
		got, err := s.Allocations().Get(ctx, b.UUID)
		require.NoError(t, err)
		require.Empty(t, got.NodeUUID)
		taken, err := s.Node(ctx, n.UUID)
		require.NoError(t, err)
		require.Equal(t, map[string]any{"k": ingot.Secret("s"), "l": 1.0, "traits": []any{}}, taken.InstanceInfo)
		require.NoError(t, s.Allocations().Delete(ctx, a.UUID, 0))
		free, err := s.Node(ctx, n.UUID)
		require.NoError(t, err)
		require.Empty(t, free.InstanceUUID+free.AllocationUUID)
		require.NoError(t, give(b.UUID))
	})
}

// TestGuestBMCs: the port is one guest's, the password is kept apart, and all goes with the node.
func TestGuestBMCs(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		one, two := newNode(t, s, "one"), newNode(t, s, "two")
		b := ingot.GuestBMC{
			NodeUUID: one.UUID, Port: 6300, Username: "admin", Password: "hush hush", Boot: ingot.BootOverride{Device: "pxe", EFI: true},
		}
		require.NoError(t, s.GuestBMCs().Create(ctx, &b))
		got, err := s.GuestBMCs().Get(ctx, one.UUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(b, got))
		refused(t, s.GuestBMCs().Create(ctx, &ingot.GuestBMC{NodeUUID: two.UUID, Port: 6300}), ingot.Conflict,
			"Port 6300 is that of the virtual BMC of node %s.", one.UUID)
		refused(t, s.GuestBMCs().Create(ctx, &ingot.GuestBMC{NodeUUID: id1, Port: 6301}), ingot.NotFound, "Node %s could not be found.", id1)
		require.NoError(t, s.DeleteNode(ctx, one.UUID, one.Version))
		_, err = s.GuestBMCs().Get(ctx, one.UUID)
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err), "it goes with its guest")
	})
}
