package store_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store/storetest"
)

// TestWhatPostgresAsksToTryAgain: transactions that PostgreSQL gives up for the sake of others are run again, unseen; when
// that does not end, the database cannot be used for now, and nothing was written.
func TestWhatPostgresAsksToTryAgain(t *testing.T) {
	ctx := context.Background()
	server := storetest.NewServer(t)
	s := storetest.Open(t, server.Config(""))
	server.Ask(`CREATE SEQUENCE tried;
		CREATE FUNCTION give_up() RETURNS trigger AS $$ BEGIN
			IF nextval('tried') <= TG_ARGV[1]::int THEN RAISE EXCEPTION 'given up' USING ERRCODE = TG_ARGV[0]; END IF;
			RETURN NEW;
		END $$ LANGUAGE plpgsql`)
	create := func(name, code, times string) error {
		server.Ask("DROP TRIGGER IF EXISTS give_up ON nodes; CREATE TRIGGER give_up BEFORE INSERT ON nodes FOR EACH ROW EXECUTE FUNCTION give_up('" + code + "', '" + times + "'); SELECT setval('tried', 1, false)")
		n := ingot.Node{Name: name, Driver: "fake-hardware"}
		return s.CreateNode(ctx, &n, nil)
	}
	for name, code := range map[string]string{"serialization": "40001", "deadlock": "40P01"} {
		require.NoError(t, create(name, code, "3"))
		_, err := s.Node(ctx, name)
		require.NoError(t, err)
		require.Equal(t, "4", server.Query("SELECT last_value FROM tried"), "three times in vain")
		require.Equal(t, ingot.Unavailable, ingot.CodeOf(create(name+"-always", code, "1000000")))
		_, err = s.Node(ctx, name+"-always")
		require.Equal(t, ingot.NotFound, ingot.CodeOf(err))
	}
}
