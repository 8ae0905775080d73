package store_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

func TestOperationFromStartToEnd(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n := ingot.Node{Name: "n"}
		require.NoError(t, s.CreateNode(ctx, &n, []ingot.Port{{Address: "aa:00:00:00:00:01"}, {Address: "aa:00:00:00:00:02"}}))
		op, err := s.StartOperation(ctx, ingot.Start{
			Operation:   ingot.Operation{Kind: ingot.KindDeploy, NodeUUID: n.UUID, Params: map[string]any{"rescue_password": "pw", "list": []any{"x"}}, Requester: "ann"},
			NodeVersion: 1,
			Change:      func(n *ingot.Node) { n.ProvisionState, n.TargetProvisionState = ingot.Deploying, ingot.Active },
			History:     []ingot.History{{Event: "started", User: "ann"}},
			Events:      []ingot.Event{{Type: "node.state"}},
		})
		require.NoError(t, err)
		require.Equal(t, ingot.LaneProvision, op.Lane)
		require.Equal(t, ingot.Forward, op.Phase)
		require.Equal(t, 1, op.Attempt)
		live, err := s.LiveOperation(ctx, n.UUID, ingot.LaneProvision)
		require.NoError(t, err)
		require.Equal(t, op.UUID, live.UUID)
		require.Equal(t, ingot.Secret("pw"), live.Params["rescue_password"])

		pass := claimOne(t, s, "c1")
		require.NotEmpty(t, pass.Operation.Claim)
		require.Equal(t, "c1", pass.Operation.Conductor)
		require.Equal(t, "c1", pass.Node.Reservation)
		require.Equal(t, ingot.Deploying, pass.Node.ProvisionState)
		require.Len(t, pass.Ports, 2)
		require.Equal(t, clock.Now(), pass.Now)
		fresh, err := s.Node(ctx, n.UUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(pass.Node, fresh))
		require.Equal(t, "c1", fresh.Conductor)

		steps := []ingot.OperationStep{
			{Position: 0, Interface: "deploy", Step: "write_image", Args: map[string]any{"password": ingot.Secret("q"), "n": 1.0}, Priority: 80, Abortable: true, Source: "agent", State: ingot.StepRunning, Attempt: 1},
			{Position: 1, Interface: "deploy", Step: "boot", State: ingot.StepPending},
			{Position: 2, Interface: "deploy", Step: "gone", State: ingot.StepPending},
		}
		next := pass.Operation
		next.Position, next.Slot, next.Tries, next.Memory, next.Note = "write", 1, 3, map[string]any{"token": "m", "id": "x"}, "waiting"
		next.AgentFingerprint, next.DueAt = "fp", clock.Now().Add(5*time.Second)
		require.NoError(t, s.CommitPass(ctx, ingot.Result{
			Operation: next, Steps: steps,
			Changes:   []func(*ingot.Node){func(n *ingot.Node) { n.LastError = "one" }, func(n *ingot.Node) { n.LastError += " two" }},
			Ports:     []ingot.Port{{Address: "AA:00:00:00:00:02"}, {Address: "AA:00:00:00:00:03"}},
			Inventory: &ingot.Inventory{Hostname: "found"}, Plugin: map[string]any{"raw": 1.0},
			History: []ingot.History{{Event: "step"}}, Events: []ingot.Event{{Type: "operation.step"}},
		}))

		none, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: "c1"}, 10)
		require.NoError(t, err)
		require.Empty(t, none, "not due yet")
		due, err := s.NextDue(ctx, ingot.Claimer{Hostname: "c"})
		require.NoError(t, err)
		require.Equal(t, next.DueAt, due)
		clock.move(5 * time.Second)
		pass = claimOne(t, s, "c2")
		require.Equal(t, "one two", pass.Node.LastError)
		require.Len(t, pass.Ports, 3)
		require.Empty(t, cmp.Diff(steps, pass.Steps))
		require.Equal(t, "q", ingot.Text(pass.Steps[0].Args, "password"))
		next.Memory = map[string]any{"token": ingot.Secret("m"), "id": "x"}
		next.Claim, next.Conductor = pass.Operation.Claim, "c2"
		require.Empty(t, cmp.Diff(next, pass.Operation))
		inventory, plugin, err := s.Inventory(ctx, n.UUID)
		require.NoError(t, err)
		require.Equal(t, "found", inventory.Hostname)
		require.Equal(t, map[string]any{"raw": 1.0}, plugin)

		steps[0].State, steps[0].Args, steps[1].Attempt = ingot.StepDone, nil, 2
		end := pass.Operation
		end.Outcome = ingot.Done
		require.NoError(t, s.CommitPass(ctx, ingot.Result{
			Operation: end, Steps: steps[:2],
			Changes: []func(*ingot.Node){func(n *ingot.Node) { n.ProvisionState = ingot.Active }}, History: []ingot.History{{Event: "ended"}},
		}))
		kept, err := s.Steps(ctx, op.UUID)
		require.NoError(t, err)
		require.Empty(t, cmp.Diff(steps[:2], kept))
		ended, err := s.Operation(ctx, op.UUID)
		require.NoError(t, err)
		require.Equal(t, ingot.Done, ended.Outcome)
		require.Equal(t, clock.Now(), ended.EndedAt)
		require.Empty(t, ended.Claim)
		_, err = s.LiveOperation(ctx, n.UUID, ingot.LaneProvision)
		refused(t, err, ingot.NotFound, "Node %s has no operation under way on its provision lane.", n.UUID)
		fresh, err = s.Node(ctx, n.UUID)
		require.NoError(t, err)
		require.Equal(t, ingot.Active, fresh.ProvisionState)
		require.Empty(t, fresh.Reservation)
		history, err := s.ListHistory(ctx, n.UUID, ingot.Page{})
		require.NoError(t, err)
		require.Len(t, history, 3)
		due, err = s.NextDue(ctx, ingot.Claimer{Hostname: "c"})
		require.NoError(t, err)
		require.True(t, due.IsZero())
		start(t, s, n.UUID) // the lane is free again
	})
}

func TestStartIsRefused(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n, other := newNode(t, s, "n"), newNode(t, s, "other")
		begin := func(change func(*ingot.Start)) error {
			in := ingot.Start{Operation: ingot.Operation{Kind: ingot.KindVerify, NodeUUID: n.UUID}, Change: func(n *ingot.Node) { n.LastError = "touched" }}
			change(&in)
			_, err := s.StartOperation(ctx, in)
			return err
		}
		refused(t, begin(func(in *ingot.Start) { in.NodeVersion = 7 }), ingot.Conflict, "Node %s was changed by another request meanwhile; read it again and retry.", n.UUID)
		refused(t, begin(func(in *ingot.Start) { in.Operation.NodeUUID = "nope" }), ingot.NotFound, "Node nope could not be found.")
		first := start(t, s, n.UUID)
		refused(t, begin(func(*ingot.Start) {}), ingot.Locked, "Node %s is locked by host localhost, please retry after the current operation is completed.", n.UUID)
		require.NoError(t, begin(func(in *ingot.Start) { in.Operation.Kind = ingot.KindPower }), "the power lane is another")
		refused(t, begin(func(in *ingot.Start) { in.Operation.NodeUUID, in.Others = other.UUID, []string{n.UUID} }), ingot.Locked,
			"Node %s is locked by host localhost, please retry after the current operation is completed.", n.UUID)

		limited := func(in *ingot.Start) {
			in.Operation.NodeUUID, in.Limit, in.LimitKinds, in.LimitName = other.UUID, 1, []ingot.Kind{ingot.KindVerify, ingot.KindDeploy}, "cleaning"
		}
		refused(t, begin(limited), ingot.Unavailable, "Unable to process request at this time. The concurrent action limit for cleaning has been reached. Please contact your administrator and try again later.")
		fresh, err := s.Node(ctx, other.UUID)
		require.NoError(t, err)
		require.Empty(t, fresh.LastError, "a refused start changes nothing")
		for _, p := range claims(t, s, "c") {
			p.Operation.Outcome = ingot.Failure
			require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: p.Operation}))
		}
		require.NoError(t, begin(limited))
		ended, err := s.Operation(ctx, first.UUID)
		require.NoError(t, err)
		require.Equal(t, ingot.Failure, ended.Outcome)
	})
}

func claims(t *testing.T, s *store.Store, conductor string) []ingot.Pass {
	t.Helper()
	passes, err := s.ClaimOperations(context.Background(), ingot.Claimer{Hostname: conductor}, 100)
	require.NoError(t, err)
	return passes
}

func TestLimitHoldsUnderARace(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		nodes := make([]ingot.Node, 12)
		for i := range nodes {
			nodes[i] = newNode(t, s, fmt.Sprintf("n%d", i))
		}
		parallel(len(nodes), func(i int) {
			_, err := s.StartOperation(context.Background(), ingot.Start{
				Operation: ingot.Operation{Kind: ingot.KindDeploy, NodeUUID: nodes[i].UUID},
				Limit:     5, LimitKinds: []ingot.Kind{ingot.KindDeploy},
			})
			if err != nil && ingot.CodeOf(err) != ingot.Unavailable {
				t.Error(err)
			}
		})
		require.Len(t, claims(t, s, "c"), 5)
	})
}

func TestReplaceEndsAndFencesTheOther(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		old := start(t, s, n.UUID)
		pass := claimOne(t, s, "c1")
		deletion, err := s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindDelete, NodeUUID: n.UUID}, Replace: true})
		require.NoError(t, err)
		fenced(t, s, pass)
		ended, err := s.Operation(ctx, old.UUID)
		require.NoError(t, err)
		require.Equal(t, ingot.Replaced, ended.Outcome)
		require.False(t, ended.EndedAt.IsZero())
		events, _, err := s.Events(ctx, 0, 100)
		require.NoError(t, err)
		last := events[len(events)-1]
		require.Equal(t, "operation.ended", last.Type, "whoever follows the operation hears of its end")
		require.Equal(t, []any{old.UUID, "verify", "replaced"}, []any{last.Data["operation"], last.Data["kind"], last.Data["outcome"]})
		require.Equal(t, deletion.UUID, claimOne(t, s, "c1").Operation.UUID)
	})
}

// fenced checks that a commit of the pass is refused and leaves nothing behind.
func fenced(t *testing.T, s *store.Store, pass ingot.Pass) {
	t.Helper()
	ctx := context.Background()
	before, err := s.Operation(ctx, pass.Operation.UUID)
	require.NoError(t, err)
	stale := pass.Operation
	stale.Position, stale.Note = "stale", "stale"
	err = s.CommitPass(ctx, ingot.Result{
		Operation: stale,
		Changes:   []func(*ingot.Node){func(n *ingot.Node) { n.LastError = "stale" }},
		Steps:     []ingot.OperationStep{{Step: "stale"}},
		Ports:     []ingot.Port{{Address: "ff:00:00:00:00:ff"}},
		Inventory: &ingot.Inventory{}, History: []ingot.History{{Event: "stale"}}, Events: []ingot.Event{{Type: "stale"}},
	})
	require.Equal(t, ingot.Fenced, ingot.CodeOf(err), "%v", err)
	after, err := s.Operation(ctx, pass.Operation.UUID)
	require.NoError(t, err)
	require.Empty(t, cmp.Diff(before, after))
	n, err := s.Node(ctx, pass.Node.UUID)
	require.NoError(t, err)
	require.NotEqual(t, "stale", n.LastError)
	steps, err := s.Steps(ctx, pass.Operation.UUID)
	require.NoError(t, err)
	require.Equal(t, len(pass.Steps), len(steps))
	_, err = s.Ports().Get(ctx, "ff:00:00:00:00:ff")
	require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	history, err := s.ListHistory(ctx, n.UUID, ingot.Page{})
	require.NoError(t, err)
	for _, h := range history {
		require.NotEqual(t, "stale", h.Event)
	}
	events, _, err := s.Events(ctx, 0, 1000)
	require.NoError(t, err)
	for _, e := range events {
		require.NotEqual(t, "stale", e.Type)
	}
}

func TestInterruptFencesThePassUnderWay(t *testing.T) {
	bothWithClock(t, func(t *testing.T, s *store.Store, clock *fakeClock) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		_, err := s.InterruptOperation(ctx, ingot.Interrupt{NodeUUID: n.UUID, Lane: ingot.LaneProvision})
		refused(t, err, ingot.NotFound, "Node %s has no operation under way on its provision lane.", n.UUID)
		start(t, s, n.UUID)
		pass := claimOne(t, s, "c1")
		clock.move(time.Minute)
		in := ingot.Interrupt{
			NodeUUID: n.UUID, NodeVersion: 9, Lane: ingot.LaneProvision, Reason: "aborted by ann",
			Change: func(n *ingot.Node) { n.ProvisionState = ingot.CleanFailed }, History: []ingot.History{{Event: "abort"}},
		}
		_, err = s.InterruptOperation(ctx, in)
		refused(t, err, ingot.Conflict, "Node %s was changed by another request meanwhile; read it again and retry.", n.UUID)
		in.NodeVersion = n.Version
		op, err := s.InterruptOperation(ctx, in)
		require.NoError(t, err)
		require.Equal(t, ingot.Cancel, op.Phase)
		require.Equal(t, "aborted by ann", op.Error)
		require.Equal(t, clock.Now(), op.PhaseSince)
		fenced(t, s, pass)
		got, err := s.Node(ctx, n.UUID)
		require.NoError(t, err)
		require.Equal(t, ingot.CleanFailed, got.ProvisionState)
		require.Empty(t, got.Reservation)

		// Once more does not start the abort, and with it its deadline, anew.
		clock.move(time.Minute)
		in.NodeVersion = 0
		again, err := s.InterruptOperation(ctx, in)
		require.NoError(t, err)
		require.Equal(t, op.PhaseSince, again.PhaseSince)
		next := claimOne(t, s, "c2")
		require.Empty(t, cmp.Diff(op.PhaseSince, next.Operation.PhaseSince))
		require.NotEqual(t, pass.Operation.Claim, next.Operation.Claim)
		next.Operation.Outcome = ingot.Aborted
		require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: next.Operation}))
	})
}

func TestCommitNeedsTheClaim(t *testing.T) {
	both(t, func(t *testing.T, s *store.Store) {
		ctx := context.Background()
		n := newNode(t, s, "n")
		start(t, s, n.UUID)
		pass := claimOne(t, s, "c1")
		fenced(t, s, ingot.Pass{Operation: withClaim(pass.Operation, ""), Node: pass.Node})
		fenced(t, s, ingot.Pass{Operation: withClaim(pass.Operation, "guess"), Node: pass.Node})
		require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: pass.Operation}))
		fenced(t, s, pass) // committed already
		fenced(t, s, ingot.Pass{Operation: withClaim(pass.Operation, ""), Node: pass.Node})
	})
}

func withClaim(op ingot.Operation, claim string) ingot.Operation {
	op.Claim = claim
	return op
}
