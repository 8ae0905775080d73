package store_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestBackup copies a database while it is written to, and goes on from the copy: what was answered before the backup began
// is there, and every transaction is there whole or not at all.
func TestBackup(t *testing.T) {
	ctx := context.Background()
	cfg := storetest.SQLiteConfig(t)
	s := storetest.Open(t, cfg)
	nodes := manySecrets(t, s, 20)
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			n := ingot.Node{Name: fmt.Sprint("later-", i), Driver: "fake-hardware"}
			if err := s.CreateNode(ctx, &n, []ingot.Port{{Address: fmt.Sprintf("02:00:00:00:%02x:%02x", i/256, i%256)}}); err != nil {
				stopped <- err
				return
			}
		}
	}()
	backup := filepath.Join(t.TempDir(), "backup")
	err := store.Backup(ctx, cfg.Path, backup)
	close(stop)
	require.NoError(t, <-stopped)
	require.NoError(t, err)
	info, err := os.Stat(backup)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o600), info.Mode().Perm())
	require.Equal(t, ingot.Invalid, ingot.CodeOf(store.Backup(ctx, cfg.Path, backup)), "nothing is written over")

	data, err := os.ReadFile(cfg.Path + ".key")
	require.NoError(t, err)
	again := storetest.SQLiteConfig(t)
	require.NoError(t, os.WriteFile(again.Path+".key", data, 0o600))
	require.NoError(t, store.Restore(ctx, backup, again.Path))
	restored := storetest.Open(t, again)
	readSecrets(t, restored, nodes)
	all, err := restored.ListNodes(ctx, ingot.NodeQuery{Page: ingot.Page{Limit: -1}})
	require.NoError(t, err)
	for _, n := range all {
		ports, err := restored.ListPorts(ctx, ingot.PortQuery{NodeUUID: n.UUID, Page: ingot.Page{Limit: -1}})
		require.NoError(t, err)
		require.Equal(t, n.Name != "", len(ports) == 1, "a node and its port are one transaction")
	}
}

// TestBackupOfPostgreSQL goes on from what pg_dump wrote, as docs/howto/scale-out.md says: with what was claimed put back when
// its conductor joins again, and events that are numbered after those that are there.
func TestBackupOfPostgreSQL(t *testing.T) {
	ctx := context.Background()
	cfg, other := storetest.PostgresConfig(t), storetest.PostgresConfig(t)
	s := storetest.Open(t, cfg)
	require.NoError(t, s.Join(ctx, ingot.Conductor{Hostname: "c", Process: "1"}, ""))
	nodes := manySecrets(t, s, 3)
	start(t, s, nodes[1])
	claimed, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: "c"}, 10)
	require.NoError(t, err)
	require.NotEmpty(t, claimed)
	require.NoError(t, s.AppendEvents(ctx, ingot.Event{Type: "before"}))
	file := filepath.Join(t.TempDir(), "dump")
	for _, command := range [][]string{{"pg_dump", "--format=custom", "--file=" + file, cfg.URL}, {"pg_restore", "--exit-on-error", "--clean", "--if-exists", "--no-owner", "--dbname=" + other.URL, file}} {
		if _, err := exec.LookPath(command[0]); err != nil {
			t.Skip("needs ", command[0], " (postgresql-client)")
		}
		said, err := exec.CommandContext(ctx, command[0], command[1:]...).CombinedOutput()
		require.NoError(t, err, string(said))
	}
	restored := storetest.Open(t, other)
	readSecrets(t, restored, nodes)
	require.NoError(t, restored.Join(ctx, ingot.Conductor{Hostname: "c", Process: "2"}, "1"))
	again, err := restored.ClaimOperations(ctx, ingot.Claimer{Hostname: "c"}, 10)
	require.NoError(t, err)
	require.Len(t, again, len(claimed))
	before, last, err := restored.Events(ctx, 0, 10_000)
	require.NoError(t, err)
	require.NotEmpty(t, before)
	require.NoError(t, restored.AppendEvents(ctx, ingot.Event{Type: "after"}))
	later, _, err := restored.Events(ctx, last, 10)
	require.NoError(t, err)
	require.Len(t, later, 1)
	require.Equal(t, "after", later[0].Type)
}

func TestRestoresThatAreRefused(t *testing.T) {
	ctx := context.Background()
	cfg := storetest.SQLiteConfig(t)
	s := storetest.Open(t, cfg)
	newNode(t, s, "n")
	backup := filepath.Join(t.TempDir(), "backup")
	require.NoError(t, store.Backup(ctx, cfg.Path, backup))
	whole, err := os.ReadFile(backup)
	require.NoError(t, err)
	require.Equal(t, ingot.Locked, ingot.CodeOf(store.Restore(ctx, backup, cfg.Path)), "a service has it")
	require.NoError(t, s.Close())
	require.ErrorContains(t, store.Restore(ctx, backup, cfg.Path), "ingot.db is there: move away what is left")
	require.ErrorContains(t, store.Backup(ctx, filepath.Join(t.TempDir(), "none"), backup+"2"), "no such file")
	require.NoFileExists(t, backup+"2")

	place := filepath.Join(t.TempDir(), "ingot.db")
	for name, c := range map[string]struct {
		data []byte
		says string
	}{
		"half of one":     {whole[:len(whole)/2], "malformed"},
		"something else":  {[]byte("SQLite format 3? no"), "cannot restore"},
		"another's":       {nil, "it is no database of Ingot's"},
		"a changed page":  {changed(whole), "damaged"},
		"what is missing": {nil, "cannot restore"},
	} {
		t.Run(name, func(t *testing.T) {
			from := filepath.Join(t.TempDir(), "from")
			if name != "what is missing" {
				require.NoError(t, os.WriteFile(from, c.data, 0o600))
			}
			err := store.Restore(ctx, from, place)
			require.Equal(t, ingot.Invalid, ingot.CodeOf(err), "%v", err)
			require.ErrorContains(t, err, c.says)
			require.NoFileExists(t, place)
		})
	}
	require.NoError(t, store.Restore(ctx, backup, place))
	require.NoError(t, os.WriteFile(place+".key", []byte("another secret altogether\n"), 0o600))
	_, err = store.Open(ctx, store.Config{Path: place})
	require.ErrorContains(t, err, "is not the one that it was written with")
}

// changed has a page in the middle overwritten.
func changed(whole []byte) []byte {
	other := append([]byte(nil), whole...)
	at := len(other) / 4096 / 2 * 4096
	for i := range 4096 {
		other[at+i] = byte(i)
	}
	return other
}
