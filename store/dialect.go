package store

import (
	"errors"

	"github.com/jackc/pgx/v5/pgconn"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"
)

// dialect is what differs between the two databases; all other SQL is the same text for both.
type dialect struct {
	name string // sqlite or postgres, also the folder of its migrations
	// forUpdate locks the rows that a SELECT in a transaction gave; SQLite's transactions have the whole file.
	forUpdate string
	// skipLocked is forUpdate that leaves out rows which another transaction has.
	skipLocked string
	like       string // compares without regard to case
}

func sqliteDialect() dialect { return dialect{name: "sqlite", like: "LIKE"} }

func postgresDialect() dialect {
	return dialect{name: "postgres", forUpdate: " FOR UPDATE", skipLocked: " FOR UPDATE SKIP LOCKED", like: "ILIKE"}
}

// duplicate says whether err is a value that must be unique and is there already.
func (d dialect) duplicate(err error) bool {
	var pg *pgconn.PgError
	if errors.As(err, &pg) {
		return pg.Code == "23505" // unique_violation
	}
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlitelib.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlitelib.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	return false
}

// again says whether a transaction that met err may succeed when it is run once more: PostgreSQL chose it to end a
// deadlock, or it met a row that another transaction was just writing, which it will see the next time.
func (d dialect) again(err error) bool {
	var pg *pgconn.PgError
	if !errors.As(err, &pg) {
		return false
	}
	switch pg.Code {
	case "40001", "40P01", "23505": // serialization_failure, deadlock_detected, unique_violation
		return true
	}
	return false
}
