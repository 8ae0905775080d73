package store_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// unkind are statements after which processes of the release before would fail, who go on beside those of this one while
// an upgrade is under way.
var unkind = []*regexp.Regexp{
	regexp.MustCompile(`(?i)\bRENAME\b`),
	regexp.MustCompile(`(?i)\bDROP\s+(TABLE|COLUMN|VIEW)\b`),
	regexp.MustCompile(`(?i)\bALTER\s+COLUMN\b`),
	regexp.MustCompile(`(?i)\bADD\s+(CONSTRAINT|CHECK|UNIQUE|FOREIGN)\b`),
}

// A unique index is one of them, unless its table is as new.
var (
	uniqueIndex = regexp.MustCompile(`(?i)\bCREATE\s+UNIQUE\s+INDEX\s+\S+\s+ON\s+(\w+)`)
	newTable    = regexp.MustCompile(`(?i)\bCREATE\s+TABLE\s+(\w+)`)
)

// kind are those of them that were looked at: file and the statement's beginning, and why they do no harm.
var kind = map[string]string{}

// TestMigrationsLetTheReleaseBeforeGoOn reads what migrations do on the way up (CONTRIBUTING.md, "A table").
func TestMigrationsLetTheReleaseBeforeGoOn(t *testing.T) {
	files, err := filepath.Glob("migrations/*/*.sql")
	require.NoError(t, err)
	require.Greater(t, len(files), 20)
	for _, file := range files {
		if strings.HasSuffix(file, "00001_start.sql") {
			continue // there was none before
		}
		for _, wrong := range unkindIn(up(t, file)) {
			require.Contains(t, kind, file+": "+wrong, "a process of the release before does not survive it: drop or tighten in the release after the one that stopped using it, and say so in the test's list")
		}
	}
}

// TestUnkindStatementsAreSeen: the search finds what it is for.
func TestUnkindStatementsAreSeen(t *testing.T) {
	for _, text := range []string{
		"ALTER TABLE nodes RENAME COLUMN name TO title", "ALTER TABLE nodes RENAME TO servers", "alter table nodes drop column name", "DROP TABLE nodes",
		"ALTER TABLE nodes ALTER COLUMN name TYPE BIGINT", "ALTER TABLE nodes ADD COLUMN a TEXT NOT NULL", "CREATE UNIQUE INDEX x ON nodes (serial)", "ALTER TABLE a ADD CONSTRAINT b CHECK (c > 1)",
	} {
		require.NotEmpty(t, unkindIn(text), text)
	}
	for _, text := range []string{"ALTER TABLE nodes ADD COLUMN a TEXT NOT NULL DEFAULT ''", "ALTER TABLE nodes ADD COLUMN a TEXT", "CREATE INDEX x ON nodes (serial)", "CREATE TABLE t (a TEXT NOT NULL); CREATE UNIQUE INDEX x ON t (a)"} {
		require.Empty(t, unkindIn(text), text)
	}
}

// newColumn is a column that rows of a process which does not know it would have to fill.
var newColumn = regexp.MustCompile(`(?i)\bADD\s+(COLUMN\s+)?\S+\s+[^,;]*NOT\s+NULL`)

func unkindIn(statements string) []string {
	var found, made []string
	for _, table := range newTable.FindAllStringSubmatch(statements, -1) {
		made = append(made, table[1])
	}
	for statement := range strings.SplitSeq(statements, ";") {
		statement = strings.TrimSpace(statement)
		for _, pattern := range unkind {
			if pattern.MatchString(statement) {
				found = append(found, statement)
			}
		}
		if on := uniqueIndex.FindStringSubmatch(statement); on != nil && !slices.Contains(made, on[1]) {
			found = append(found, statement)
		}
		if newColumn.MatchString(statement) && !strings.Contains(strings.ToUpper(statement), "DEFAULT") {
			found = append(found, statement)
		}
	}
	return found
}

// up is a migration's statements on the way up, without comments.
func up(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	require.NoError(t, err)
	text, _, found := strings.Cut(string(data), "-- +goose Down")
	require.True(t, found, "%s has no way down", file)
	var kept []string
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "--")
		kept = append(kept, line)
	}
	return strings.Join(kept, "")
}

// TestDownAndUpAgain takes the schema back, one migration after the other, and up again: what every version keeps is still
// there.
func TestDownAndUpAgain(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		ctx := context.Background()
		if cfg.URL != "" {
			cfg.Secret = storetest.Secret
		}
		s := storetest.Open(t, cfg)
		n := ingot.Node{Name: "n", Driver: "fake-hardware", DriverInfo: map[string]any{"password": "p"}}
		require.NoError(t, s.CreateNode(ctx, &n, []ingot.Port{{Address: "02:00:00:00:00:01"}}))
		start(t, s, n.UUID)
		require.NoError(t, s.Close())
		require.ErrorContains(t, store.Downgrade(ctx, cfg, 0), "give one from 1 to ")
		require.ErrorContains(t, store.Downgrade(ctx, cfg, 1_000_000), "give one from 1 to ")
		require.NoError(t, store.Downgrade(ctx, cfg, 1))
		var version int
		require.NoError(t, raw(t, cfg).Get(&version, "SELECT max(version_id) FROM goose_db_version"))
		require.Equal(t, 1, version)
		s = storetest.Open(t, cfg)
		got, err := s.Node(ctx, "n")
		require.NoError(t, err)
		require.Equal(t, "p", ingot.Text(got.DriverInfo, "password"))
		ports, err := s.ListPorts(ctx, ingot.PortQuery{NodeUUID: n.UUID, Page: ingot.Page{Limit: -1}})
		require.NoError(t, err)
		require.Len(t, ports, 1)
		claimOne(t, s, "c")
		if cfg.URL != "" {
			require.NoError(t, s.Join(ctx, ingot.Conductor{Hostname: "c", Process: "1"}, ""))
			refused(t, store.Downgrade(ctx, cfg, 1), ingot.Locked, "cannot take the schema back while conductor c is alive: stop all processes first")
		} else {
			require.Equal(t, ingot.Locked, ingot.CodeOf(store.Downgrade(ctx, cfg, 1)))
		}
	})
}
