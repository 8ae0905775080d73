package store_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

const newSecret = ingot.Secret("the new secret, as long as it must be")

// TestRotate changes the secret while the rotation is killed again and again: every record can be read at any time with
// both secrets, afterwards with the new one, and then no more with the old one.
func TestRotate(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		ctx := context.Background()
		cfg.Secret = storetest.Secret
		s := storetest.Open(t, cfg)
		nodes := manySecrets(t, s, 250)
		require.NoError(t, s.Close())

		cfg.Secret = newSecret + "\n" + storetest.Secret
		killed := 0
		for pause := time.Millisecond; pause < 200*time.Millisecond; pause *= 2 {
			c, lines := other(t, "rotate", "INGOT_STORE_PATH="+cfg.Path, "INGOT_STORE_URL="+cfg.URL, "INGOT_STORE_SECRET="+cfg.Secret.Reveal())
			time.AfterFunc(pause, func() { c.Process.Kill() }) //nolint:errcheck // it may have ended
			for lines.Scan() {
			}
			if c.Wait() != nil {
				killed++
			}
			s = storetest.Open(t, cfg)
			readSecrets(t, s, nodes)
			require.NoError(t, s.Close())
		}
		require.NotZero(t, killed)

		s = storetest.Open(t, cfg)
		_, err := s.Rotate(ctx)
		require.NoError(t, err)
		again, err := s.Rotate(ctx)
		require.NoError(t, err)
		require.Zero(t, again, "nothing is left to do")
		require.NoError(t, s.Close())
		cfg.Secret = storetest.Secret
		_, err = store.Open(ctx, cfg)
		require.ErrorContains(t, err, "is not the one that it was written with")
		cfg.Secret = newSecret
		s = storetest.Open(t, cfg)
		readSecrets(t, s, nodes)
	})
}

// manySecrets makes nodes with a password each, and one of everything else that is kept encrypted.
func manySecrets(t *testing.T, s *store.Store, n int) []string {
	t.Helper()
	ctx := context.Background()
	nodes := make([]string, n)
	for i := range nodes {
		node := ingot.Node{UUID: uuid.NewString(), Driver: "fake-hardware", ProvisionState: ingot.Enroll, DriverInfo: map[string]any{"password": fmt.Sprint("p", i)}}
		require.NoError(t, s.CreateNode(ctx, &node, nil))
		nodes[i] = node.UUID
	}
	_, err := s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindRescue, NodeUUID: nodes[0], Params: map[string]any{"rescue_password": marker}}})
	require.NoError(t, err)
	pass := claimOne(t, s, "c")
	require.NoError(t, s.CommitPass(ctx, ingot.Result{Operation: pass.Operation, Steps: []ingot.OperationStep{
		{Step: "s", Args: map[string]any{"password": marker}}, {Position: 1, Step: "t", Args: map[string]any{"password": marker}},
	}}))
	require.NoError(t, s.PutBlob(ctx, "drive", "text/plain", []byte(marker), time.Time{}))
	return nodes
}

func readSecrets(t *testing.T, s *store.Store, nodes []string) {
	t.Helper()
	ctx := context.Background()
	for i, id := range nodes {
		node, err := s.Node(ctx, id)
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint("p", i), ingot.Text(node.DriverInfo, "password"))
		require.EqualValues(t, 1, node.Version, "nothing about the node has changed")
	}
	op, err := s.LiveOperation(ctx, nodes[0], ingot.LaneProvision)
	require.NoError(t, err)
	require.Equal(t, marker, ingot.Text(op.Params, "rescue_password"))
	steps, err := s.Steps(ctx, op.UUID)
	require.NoError(t, err)
	require.Equal(t, marker, ingot.Text(steps[1].Args, "password"))
	data, _, err := s.Blob(ctx, "drive")
	require.NoError(t, err)
	require.Equal(t, marker, string(data))
}

// TestASecretThatIsStillNeeded: who removes the old secret before everything is encrypted anew is told, and so is who
// puts the old one back alone.
func TestASecretThatIsStillNeeded(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		ctx := context.Background()
		cfg.Secret = storetest.Secret
		s := storetest.Open(t, cfg)
		require.NoError(t, s.CreateNode(ctx, &ingot.Node{Driver: "fake-hardware", DriverInfo: map[string]any{"password": "old"}}, nil))
		require.NoError(t, s.Close())
		cfg.Secret = newSecret + "\n" + storetest.Secret
		s = storetest.Open(t, cfg)
		require.NoError(t, s.CreateNode(ctx, &ingot.Node{Driver: "fake-hardware", DriverInfo: map[string]any{"password": "new"}}, nil))
		require.NoError(t, s.Close())
		for _, alone := range []ingot.Secret{newSecret, storetest.Secret} {
			cfg.Secret = alone
			_, err := store.Open(ctx, cfg)
			require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
			require.ErrorContains(t, err, "cannot open the database: what is in nodes is encrypted with key")
			require.ErrorContains(t, err, "run `ingot db rotate-secret`")
		}
	})
}

// TestEveryCiphertextIsRotated finds binary columns in the schema that the rotation does not know.
func TestEveryCiphertextIsRotated(t *testing.T) {
	cfg := storetest.PostgresConfig(t)
	storetest.Open(t, cfg)
	var columns []string
	require.NoError(t, raw(t, cfg).Select(&columns, "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'bytea'"))
	known := strings.Join(store.SealedColumns(), "\n")
	for _, c := range columns {
		require.Contains(t, known, c)
	}
	require.Len(t, columns, len(store.SealedColumns()))
}
