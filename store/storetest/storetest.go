// Package storetest gives tests a store of their own on SQLite and on a private PostgreSQL.
package storetest

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
)

// Secret is the secret of the stores on PostgreSQL.
const Secret ingot.Secret = "the secret of a test's database"

// SQLite opens a store on a new file in the test's folder; it is closed with the test.
func SQLite(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, SQLiteConfig(t))
}

// Postgres opens a store on a new PostgreSQL database; it is closed with the test. Without PostgreSQL on the machine the
// test is skipped.
func Postgres(t testing.TB) *store.Store {
	t.Helper()
	return Open(t, PostgresConfig(t))
}

// Each runs the test on both databases, as subtests named sqlite and postgres. Every call of open closes what the last
// one gave and opens the same database again, as a restart does.
func Each(t *testing.T, test func(t *testing.T, open func() *store.Store)) {
	t.Helper()
	EachConfig(t, func(t *testing.T, cfg store.Config) {
		var last *store.Store
		test(t, func() *store.Store {
			t.Helper()
			if last != nil {
				if err := last.Close(); err != nil {
					t.Fatalf("cannot close the store: %v", err)
				}
			}
			last = Open(t, cfg)
			return last
		})
	})
}

// EachConfig is Each for tests that open the store themselves.
func EachConfig(t *testing.T, test func(t *testing.T, cfg store.Config)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) { test(t, SQLiteConfig(t)) })
	t.Run("postgres", func(t *testing.T) { test(t, PostgresConfig(t)) })
}

// Open opens the store and closes it with the test; closing it earlier does no harm.
func Open(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(context.Background(), cfg)
	if err != nil {
		t.Fatalf("cannot open the store: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("cannot close the store: %v", err)
		}
	})
	return s
}

// SQLiteConfig is for a new file in the test's folder.
func SQLiteConfig(t testing.TB) store.Config {
	t.Helper()
	return store.Config{Path: filepath.Join(t.TempDir(), "ingot.db"), Host: "localhost"}
}

// PostgresConfig is for an empty database on the test binary's PostgreSQL, or on the one that INGOT_TEST_POSTGRES names
// by a connection string, whose user may create databases.
func PostgresConfig(t testing.TB) store.Config {
	t.Helper()
	return store.Config{URL: newDatabase(t), Secret: Secret, Host: "localhost"}
}
