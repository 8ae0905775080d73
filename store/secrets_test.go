package store_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/jmoiron/sqlx"
	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

const marker = "hunter2-in-the-clear"

// raw opens the database beside the store. SQLite's is in WAL mode, which readers of other processes may join.
func raw(t *testing.T, cfg store.Config) *sqlx.DB {
	t.Helper()
	driver, source := "pgx", cfg.URL
	if cfg.Path != "" {
		driver, source = "sqlite", "file:"+cfg.Path+"?_busy_timeout=10000"
	}
	db, err := sqlx.Open(driver, source)
	require.NoError(t, err)
	t.Cleanup(func() { db.Close() }) //nolint:errcheck // nothing was written
	return db
}

// dump is all that the database holds: SQLite's files, or every row of PostgreSQL's tables as text, with binary
// columns both as they are and as hexadecimal.
func dump(t *testing.T, cfg store.Config) []byte {
	t.Helper()
	var all bytes.Buffer
	if cfg.Path != "" {
		files, err := filepath.Glob(cfg.Path + "*")
		require.NoError(t, err)
		for _, file := range files {
			if strings.HasSuffix(file, ".key") {
				continue
			}
			data, err := os.ReadFile(file)
			require.NoError(t, err)
			all.Write(data)
		}
		return all.Bytes()
	}
	db := raw(t, cfg)
	var tables []string
	require.NoError(t, db.Select(&tables, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'"))
	require.Greater(t, len(tables), 10)
	for _, table := range tables {
		var rows []string
		require.NoError(t, db.Select(&rows, "SELECT row_to_json(t)::text FROM "+table+" t"))
		all.WriteString(strings.Join(rows, "\n"))
	}
	all.WriteString(strings.ReplaceAll(all.String(), fmt.Sprintf("%x", marker), marker))
	return all.Bytes()
}

func TestSecretsAreNotInTheDatabase(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		ctx := context.Background()
		s := storetest.Open(t, cfg)
		n := ingot.Node{
			Description:  "in the clear, to see that the search works: " + marker[:10],
			DriverInfo:   map[string]any{"ipmi_password": marker, "list": []any{map[string]any{"admin_pass": marker}}, "typed": ingot.Secret(marker), "snmp_community": []string{marker}},
			InstanceInfo: map[string]any{"configdrive": ingot.Secret(marker)},
			Internal:     map[string]any{"agent_secret_token": marker},
			Extra:        map[string]any{"typed": map[string]any{"inner": ingot.Secret(marker)}},
			DeployStep:   map[string]any{"args": map[string]any{"password": marker}},
			Agent:        ingot.Agent{Token: marker}, Boot: ingot.BootTarget{Token: marker},
		}
		require.NoError(t, s.CreateNode(ctx, &n, nil))
		_, err := s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindRescue, NodeUUID: n.UUID, Params: map[string]any{"rescue_password": marker}}})
		require.NoError(t, err)
		pass := claimOne(t, s, "c")
		pass.Operation.Memory = map[string]any{"password": marker, "drive": ingot.Secret(marker)}
		require.NoError(t, s.CommitPass(ctx, ingot.Result{
			Operation: pass.Operation, Steps: []ingot.OperationStep{{Step: "s", Args: map[string]any{"password": marker}}},
			Events: []ingot.Event{{Type: "e", Data: map[string]any{"x": ingot.Secret(marker)}}},
		}))
		require.NoError(t, s.PutBlob(ctx, "token-"+marker, "text/plain", []byte(marker), time.Time{}))

		data := dump(t, cfg)
		require.True(t, bytes.Contains(data, []byte(marker[:10])), "the search finds what is there")
		require.False(t, bytes.Contains(data, []byte(marker)), "a secret is in the database")

		got, err := s.Node(ctx, n.UUID)
		require.NoError(t, err)
		require.Equal(t, marker, got.DriverInfo["list"].([]any)[0].(map[string]any)["admin_pass"].(ingot.Secret).Reveal())
		require.Equal(t, marker, got.DriverInfo["snmp_community"].([]any)[0].(ingot.Secret).Reveal())
		require.Equal(t, marker, got.Extra["typed"].(map[string]any)["inner"].(ingot.Secret).Reveal())
		op, err := s.Operation(ctx, pass.Operation.UUID)
		require.NoError(t, err)
		require.Equal(t, marker, ingot.Text(op.Memory, "drive"))
		blob, _, err := s.Blob(ctx, "token-"+marker)
		require.NoError(t, err)
		require.Equal(t, marker, string(blob))

		// A secret inside a struct would be kept as stars: refused rather than lost.
		_, err = s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error {
			n.Extra = map[string]any{"x": struct{ P ingot.Secret }{marker}}
			return nil
		}})
		require.ErrorContains(t, err, "use a map")
	})
}

func TestCiphertextOpensOnlyInItsRow(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		ctx := context.Background()
		s := storetest.Open(t, cfg)
		one := ingot.Node{Name: "one", DriverInfo: map[string]any{"password": "p1"}}
		two := ingot.Node{Name: "two", DriverInfo: map[string]any{"password": "p2"}}
		require.NoError(t, s.CreateNode(ctx, &one, nil))
		require.NoError(t, s.CreateNode(ctx, &two, nil))
		db := raw(t, cfg)
		_, err := db.Exec("UPDATE nodes SET secrets = (SELECT secrets FROM nodes WHERE name = 'one') WHERE name = 'two'")
		require.NoError(t, err)
		_, err = s.Node(ctx, "one")
		require.NoError(t, err)
		_, err = s.Node(ctx, "two")
		require.Equal(t, ingot.Internal, ingot.CodeOf(err))
		require.ErrorContains(t, err, "was changed or belongs elsewhere")
	})
}

func TestKeyFile(t *testing.T) {
	ctx := context.Background()
	cfg := storetest.SQLiteConfig(t)
	keyFile := cfg.Path + ".key"
	s := storetest.Open(t, cfg)
	n := ingot.Node{Name: "n", DriverInfo: map[string]any{"password": "old"}}
	require.NoError(t, s.CreateNode(ctx, &n, nil))
	require.NoError(t, s.Close())
	for _, file := range []string{keyFile, cfg.Path, cfg.Path + ".lock"} {
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.Equal(t, os.FileMode(0o600), info.Mode().Perm(), file)
	}
	good, err := os.ReadFile(keyFile)
	require.NoError(t, err)

	require.NoError(t, os.Chmod(keyFile, 0o640))
	_, err = store.Open(ctx, cfg)
	refused(t, err, ingot.Invalid, "cannot use the key file %s: others can open it (mode 0640); run chmod 600 %s", keyFile, keyFile)
	require.NoError(t, os.Chmod(keyFile, 0o600))

	require.NoError(t, os.Remove(keyFile))
	_, err = store.Open(ctx, cfg)
	refused(t, err, ingot.Invalid, "cannot open the database: its key file %s is missing; put it back from a backup", keyFile)
	require.NoFileExists(t, keyFile)

	require.NoError(t, os.WriteFile(keyFile, []byte("another secret altogether\n"), 0o600))
	_, err = store.Open(ctx, cfg)
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	require.ErrorContains(t, err, "is not the one that it was written with; put the right one back, or start with an empty database")

	require.NoError(t, os.WriteFile(keyFile, []byte("short\n"), 0o600))
	_, err = store.Open(ctx, cfg)
	require.ErrorContains(t, err, "cannot use a secret of 5 characters")
	require.NoError(t, os.WriteFile(keyFile, nil, 0o600))
	_, err = store.Open(ctx, cfg)
	require.ErrorContains(t, err, "it is empty")

	// A new secret before the old one: what is written from now on is under the new one, and the old can be read.
	require.NoError(t, os.WriteFile(keyFile, append([]byte("the new secret, long enough\n"), good...), 0o600))
	s = storetest.Open(t, cfg)
	got, err := s.Node(ctx, "n")
	require.NoError(t, err)
	require.Equal(t, "old", ingot.Text(got.DriverInfo, "password"))
	_, err = s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.DriverInfo["password"] = "new"; return nil }})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	require.NoError(t, os.WriteFile(keyFile, []byte("the new secret, long enough\n"), 0o600))
	s = storetest.Open(t, cfg)
	got, err = s.Node(ctx, "n")
	require.NoError(t, err)
	require.Equal(t, "new", ingot.Text(got.DriverInfo, "password"))
}

func TestDerivedKeysDependOnSecretAndPurpose(t *testing.T) {
	cfg := storetest.SQLiteConfig(t)
	s := storetest.Open(t, cfg)
	key, err := s.DeriveKeys("a")
	require.NoError(t, err)
	require.Len(t, key, 1)
	require.Len(t, key[0], 32)
	other, err := s.DeriveKeys("b")
	require.NoError(t, err)
	require.NotEqual(t, key, other)
	stranger, err := storetest.SQLite(t).DeriveKeys("a")
	require.NoError(t, err)
	require.NotEqual(t, key, stranger)
	require.NoError(t, s.Close())
	again, err := storetest.Open(t, cfg).DeriveKeys("a")
	require.NoError(t, err)
	require.Equal(t, key, again)
}

func TestSharedDatabaseNeedsItsSecret(t *testing.T) {
	ctx := context.Background()
	cfg := storetest.PostgresConfig(t)
	require.NoError(t, storetest.Open(t, cfg).Close())
	cfg.Secret = ""
	_, err := store.Open(ctx, cfg)
	refused(t, err, ingot.Invalid, "cannot open a shared database without its secret: give the same secret or key file to every process that uses it")
	cfg.Secret = "some other secret of some length"
	_, err = store.Open(ctx, cfg)
	require.ErrorContains(t, err, "cannot open the database: the secret that was given")
	cfg.Secret, cfg.KeyFile = "", filepath.Join(t.TempDir(), "key")
	_, err = store.Open(ctx, cfg)
	require.Equal(t, ingot.Invalid, ingot.CodeOf(err))
	require.NoFileExists(t, cfg.KeyFile)
	require.NoError(t, os.WriteFile(cfg.KeyFile, []byte(storetest.Secret.Reveal()+"\n"), 0o600))
	storetest.Open(t, cfg)
}

// TestUnreadableOperationDoesNotStopTheOthers breaks one operation's secrets.
func TestUnreadableOperationDoesNotStopTheOthers(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		ctx := context.Background()
		s := storetest.Open(t, cfg)
		bad, good := newNode(t, s, "bad"), newNode(t, s, "good")
		op, err := s.StartOperation(ctx, ingot.Start{Operation: ingot.Operation{Kind: ingot.KindVerify, NodeUUID: bad.UUID, Params: map[string]any{"password": "x"}}})
		require.NoError(t, err)
		start(t, s, good.UUID)
		_, err = raw(t, cfg).Exec("UPDATE operations SET secrets = NULL, params = '{broken' WHERE uuid = '" + op.UUID + "'")
		require.NoError(t, err)
		pass := claimOne(t, s, "c")
		require.Equal(t, good.UUID, pass.Node.UUID)
		passes, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: "c"}, 10)
		require.NoError(t, err)
		require.Empty(t, passes, "it is set aside")
	})
}

// FuzzDocument sends free JSON through a node's driver_info and back.
func FuzzDocument(f *testing.F) {
	for _, seed := range []string{`{}`, `{"password":"p"}`, `{"a":{"token":["x",{"b":1}]},"~/":[null,true,1e3,12345678901234567890]}`, `{"":{"secret":""}}`, `{"x":"\u0000\ud800"}`} {
		f.Add(seed)
	}
	s := storetest.SQLite(f)
	n := newNode(f, s, "n")
	f.Fuzz(func(t *testing.T, text string) {
		var document map[string]any
		if decode(text, &document) != nil {
			return
		}
		ctx := context.Background()
		if _, err := s.ChangeNode(ctx, ingot.NodeChange{UUID: n.UUID, Change: func(n *ingot.Node) error { n.DriverInfo = document; return nil }}); err != nil {
			t.Fatal(err)
		}
		got, err := s.Node(ctx, n.UUID)
		if err != nil {
			t.Fatal(err)
		}
		if want, have := plain(document), plain(got.DriverInfo); want != have {
			t.Fatalf("wrote %s\nread  %s", want, have)
		}
	})
}
