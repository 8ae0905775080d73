package store_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// fullNode has a value in every field that the store keeps.
func fullNode(t testing.TB, s *store.Store) ingot.Node {
	t.Helper()
	chassis := newChassis(t, s)
	yes, no := true, false
	at := time.Date(2026, 5, 4, 3, 2, 1, 123456000, time.UTC)
	n := ingot.Node{
		UUID: uuid.NewString(), Name: "full", Driver: "ipmi",
		DriverInfo:   map[string]any{"ipmi_address": "192.0.2.7", "ipmi_password": ingot.Secret("pw"), "nested": map[string]any{"list": []any{map[string]any{"admin_password": ingot.Secret("in a list")}, "x"}, "a/b~c": ingot.Secret("odd key")}},
		Properties:   map[string]any{"cpus": 8.0, "empty": map[string]any{}, "null": nil, "no": false},
		Extra:        map[string]any{"text": "<&>\u2028 \u00e4", "big": 1e300},
		InstanceInfo: map[string]any{"image_source": "http://192.0.2.1/i", "rescue_password": ingot.Secret("pw2")},
		InstanceUUID: uuid.NewString(), InstanceName: "in", ChassisUUID: chassis,
		PowerState: ingot.PowerOn, TargetPowerState: ingot.PowerOff, ProvisionState: ingot.Deploying, TargetProvisionState: ingot.Active,
		ProvisionUpdatedAt: at, LastError: "e", Maintenance: true, MaintenanceReason: "mr", Fault: ingot.FaultClean, ConsoleEnabled: true,
		BootMode: ingot.ModeUEFI, SecureBoot: &no,
		RAIDConfig: map[string]any{"r": 1.0}, TargetRAIDConfig: map[string]any{"t": 1.0},
		CleanStep: map[string]any{"step": "c"}, DeployStep: map[string]any{"step": "d"}, ServiceStep: map[string]any{"step": "s"},
		InspectionStartedAt: at.Add(time.Second), InspectionFinishedAt: at.Add(2 * time.Second),
		ResourceClass: "rc", Traits: []string{"CUSTOM_A", "HW_CPU_X86_VMX"}, ConductorGroup: "cg", Conductor: "c1", AutomatedClean: &yes, Protected: true, ProtectedReason: "pr",
		Owner: "o", Lessee: "l", Description: "d", AllocationUUID: uuid.NewString(), Retired: true, RetiredReason: "rr",
		NetworkData: map[string]any{"links": []any{}}, Shard: "sh", ParentNode: uuid.NewString(), DisablePowerOff: true,
		Internal: map[string]any{"agent_secret_token": ingot.Secret("t"), "steps": []any{1.0}},
		Agent:    ingot.Agent{URL: "https://192.0.2.8:9999", Token: "the token", TokenFor: "192.0.2.8", Heartbeat: at},
		Boot:     ingot.BootTarget{Action: ingot.BootKernel, Purpose: "deploy", Token: "boot token"},
		Evidence: []ingot.Evidence{{At: at, What: "offered 192.0.2.8"}},
	}
	for _, kind := range ingot.InterfaceKinds() {
		*n.Interfaces.Field(kind) = "the " + kind
	}
	return n
}

func TestNodeComesBackAsItWas(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := fullNode(t, s)
		require.NoError(t, s.CreateNode(ctx, &n, nil))
		require.EqualValues(t, 1, n.Version)
		require.False(t, n.CreatedAt.IsZero())
		for _, ident := range []string{n.UUID, n.Name} {
			got, err := s.Node(ctx, ident)
			require.NoError(t, err)
			require.Empty(t, cmp.Diff(n, got))
		}
		// Secrets of one kind print alike: compare the texts too.
		got, err := s.Node(ctx, n.UUID)
		require.NoError(t, err)
		require.Equal(t, "pw", ingot.Text(got.DriverInfo, "ipmi_password"))
		require.Equal(t, "the token", got.Agent.Token.Reveal())
		require.Equal(t, "boot token", got.Boot.Token)

		var empty ingot.Node
		require.NoError(t, s.CreateNode(ctx, &empty, nil))
		got, err = s.Node(ctx, empty.UUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(empty, got))
	})
}

func TestLargeIntegersStayExact(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		n := ingot.Node{Extra: map[string]any{"serial": uint64(18446744073709551615), "small": 3}}
		require.NoError(t, s.CreateNode(context.Background(), &n, nil))
		got, err := s.Node(context.Background(), n.UUID)
		require.NoError(t, err)
		require.Equal(t, "18446744073709551615", fmt.Sprint(got.Extra["serial"]))
		require.Equal(t, 3.0, got.Extra["small"])
	})
}

func TestTextThatPostgreSQLRefusesIsCleaned(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		n := ingot.Node{LastError: "BMC said \xff\x00!", Extra: map[string]any{"k": "a\x00b"}}
		require.NoError(t, s.CreateNode(context.Background(), &n, nil))
		got, err := s.Node(context.Background(), n.UUID)
		require.NoError(t, err)
		require.Equal(t, "BMC said \uFFFD!", got.LastError)
		require.Equal(t, "a\x00b", got.Extra["k"])
	})
}

func TestNodeNotFound(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		newNode(t, s, "")
		for _, ident := range []string{"nope", uuid.NewString(), ""} {
			_, err := s.Node(ctx, ident)
			refused(t, err, ingot.NotFound, "Node %s could not be found.", ident)
		}
		_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: "nope"})
		refused(t, err, ingot.NotFound, "Node nope could not be found.")
		refused(t, s.DeleteNode(ctx, "nope", 0), ingot.NotFound, "Node nope could not be found.")
	})
}

func TestDuplicatesNameTheOther(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		one := ingot.Node{Name: "one", InstanceUUID: uuid.NewString()}
		require.NoError(t, s.CreateNode(ctx, &one, []ingot.Port{{Address: "AA:00:00:00:00:01", Name: "p"}}))
		ports, err := s.ListPorts(ctx, ingot.PortQuery{NodeUUID: one.UUID})
		require.NoError(t, err)
		require.Len(t, ports, 1)

		err = s.CreateNode(ctx, &ingot.Node{UUID: one.UUID}, nil)
		refused(t, err, ingot.Conflict, "A node with UUID %s already exists.", one.UUID)
		err = s.CreateNode(ctx, &ingot.Node{Name: "one"}, nil)
		refused(t, err, ingot.Conflict, "A node with name one already exists. It belongs to node %s.", one.UUID)
		err = s.CreateNode(ctx, &ingot.Node{UUID: "6b1e6a9c-0000-4000-8000-000000000001", InstanceUUID: one.InstanceUUID}, nil)
		refused(t, err, ingot.Conflict, "Instance %s is already associated with a node, it cannot be associated with this other node 6b1e6a9c-0000-4000-8000-000000000001. It belongs to node %s.", one.InstanceUUID, one.UUID)
		err = s.CreateNode(ctx, &ingot.Node{Name: "two"}, []ingot.Port{{Address: "aa:00:00:00:00:01"}})
		refused(t, err, ingot.Conflict, "A port with MAC address aa:00:00:00:00:01 already exists. It is port %s of node %s.", ports[0].UUID, one.UUID)

		nodes, err := s.ListNodes(ctx, ingot.NodeQuery{})
		require.NoError(t, err)
		require.Len(t, nodes, 1, "a refused create leaves nothing behind")

		two := newNode(t, s, "two")
		_, err = s.ChangeNode(ctx, ingot.NodeChange{UUID: two.UUID, Change: func(n *ingot.Node) error { n.Name = "one"; return nil }})
		refused(t, err, ingot.Conflict, "A node with name one already exists. It belongs to node %s.", one.UUID)
		err = s.Ports().Create(ctx, &ingot.Port{NodeUUID: two.UUID, Address: "aa:00:00:00:00:02", Name: "p"})
		refused(t, err, ingot.Conflict, "A port with name p already exists. It is port %s of node %s.", ports[0].UUID, one.UUID)
	})
}

func TestCreateRaceHasOneWinner(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		var made, conflicts atomic.Int32
		parallel(8, func(int) {
			err := s.CreateNode(context.Background(), &ingot.Node{Name: "same"}, []ingot.Port{{Address: "aa:00:00:00:00:09"}})
			switch ingot.CodeOf(err) {
			case "":
				made.Add(1)
			case ingot.Conflict:
				conflicts.Add(1)
			}
		})
		require.EqualValues(t, 1, made.Load())
		require.EqualValues(t, 7, conflicts.Load())
	})
}

func TestChangeNode(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		clock.move(time.Minute)
		set := func(version int64, change func(*ingot.Node)) (ingot.Node, error) {
			return s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Version: version, Change: func(n *ingot.Node) error { change(n); return nil }})
		}
		got, err := set(1, func(n *ingot.Node) {
			n.ProvisionState = ingot.Verifying
			n.DriverInfo = map[string]any{"password": "x"}
		})
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Version)
		require.Equal(t, clock.Now(), got.UpdatedAt)
		require.Equal(t, clock.Now(), got.ProvisionUpdatedAt)

		_, err = set(1, func(n *ingot.Node) { n.LastError = "lost" })
		refused(t, err, ingot.Conflict, "Node %s was changed by another request meanwhile; read it again and retry.", n.UUID)

		// What leaves the row as it was, or touches only what the store writes about itself, keeps the version.
		clock.move(time.Minute)
		got, err = set(2, func(n *ingot.Node) { n.DriverInfo = map[string]any{"password": ingot.Secret("x")} })
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Version)
		got, err = set(2, func(n *ingot.Node) { n.Evidence = []ingot.Evidence{{What: "offered"}} })
		require.NoError(t, err)
		require.EqualValues(t, 2, got.Version)
		require.NotEqual(t, clock.Now(), got.UpdatedAt)

		got, err = set(2, func(n *ingot.Node) { n.DriverInfo["password"] = "y" })
		require.NoError(t, err)
		require.EqualValues(t, 3, got.Version)

		cause := errors.New("no")
		_, err = s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, History: []ingot.History{{Event: "never"}}, Change: func(n *ingot.Node) error {
			n.Name = "changed"
			return ingot.Errorf(ingot.Invalid, "refused: %w", cause)
		}})
		require.ErrorIs(t, err, cause)
		fresh, err := s.Node(ctx, n.UUID)
		require.NoError(t, err)
		require.Equal(t, "n", fresh.Name)
		require.Equal(t, "y", ingot.Text(fresh.DriverInfo, "password"))
		history, err := s.ListHistory(ctx, n.UUID, ingot.Page{})
		require.NoError(t, err)
		require.Empty(t, history)
	})
}

func TestConcurrentChangesAreAllKept(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		parallel(16, func(i int) {
			_, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error {
				if n.Extra == nil {
					n.Extra = map[string]any{}
				}
				n.Extra[fmt.Sprint(i)] = i
				return nil
			}})
			if err != nil {
				t.Error(err)
			}
		})
		got, err := s.Node(ctx, n.UUID)
		require.NoError(t, err)
		require.Len(t, got.Extra, 16)
		require.EqualValues(t, 17, got.Version)
	})
}

func TestDeleteNode(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := ingot.Node{Conductor: "host1"}
		require.NoError(t, s.CreateNode(ctx, &n, []ingot.Port{{Address: "aa:00:00:00:00:01"}}))
		require.NoError(t, s.PutInventory(ctx, n.UUID, &ingot.Inventory{Hostname: "h"}, nil))
		op := start(t, s, n.UUID)
		refused(t, s.DeleteNode(ctx, n.UUID, 0), ingot.Locked, "Node %s is locked by host host1, please retry after the current operation is completed.", n.UUID)
		pass := claimOne(t, s, "host2")
		refused(t, s.DeleteNode(ctx, n.UUID, 0), ingot.Locked, "Node %s is locked by host host2, please retry after the current operation is completed.", n.UUID)
		pass.Operation.Outcome = ingot.Done
		require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: pass.Operation, History: []ingot.History{{Event: "e"}}, Steps: []ingot.OperationStep{{Step: "s"}}}))
		refused(t, s.DeleteNode(ctx, n.UUID, 99), ingot.Conflict, "Node %s was changed by another request meanwhile; read it again and retry.", n.UUID)
		require.NoError(t, s.DeleteNode(ctx, n.UUID, 1, ingot.Event{Type: "node.deleted"}))

		_, err := s.Ports().Get(ctx, "aa:00:00:00:00:01")
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
		_, err = s.Operation(ctx, op.UUID)
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
		_, _, err = s.Inventory(ctx, n.UUID)
		refused(t, err, ingot.NotFound, "Node inventory record for node %s could not be found.", n.UUID)
	})
}

func TestNodeByMACs(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		var one, two ingot.Node
		require.NoError(t, s.CreateNode(ctx, &one, []ingot.Port{{Address: "aa:00:00:00:00:01"}, {Address: "aa:00:00:00:00:02"}}))
		require.NoError(t, s.CreateNode(ctx, &two, []ingot.Port{{Address: "aa:00:00:00:00:03"}}))
		got, err := s.NodeByMACs(ctx, []string{"ff:00:00:00:00:00", "AA:00:00:00:00:02", "aa:00:00:00:00:01"})
		require.NoError(t, err)
		require.Equal(t, one.UUID, got.UUID)
		_, err = s.NodeByMACs(ctx, []string{"aa:00:00:00:00:01", "aa:00:00:00:00:03"})
		refused(t, err, ingot.Conflict, "Multiple nodes with port addresses aa:00:00:00:00:01, aa:00:00:00:00:03 were found: %s and %s", one.UUID, two.UUID)
		_, err = s.NodeByMACs(ctx, []string{"ff:00:00:00:00:00"})
		refused(t, err, ingot.NotFound, "Node with port addresses ff:00:00:00:00:00 was not found")
		_, err = s.NodeByMACs(ctx, nil)
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	})
}
