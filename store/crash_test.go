package store_test

import (
	"bufio"
	"cmp"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/store"
	"github.com/ingot-metal/ingot/store/storetest"
)

// actAsOther is what the test binary does as another process: open the database and hold it, or write until killed.
func actAsOther(act string) error {
	ctx := context.Background()
	secret := cmp.Or(ingot.Secret(os.Getenv("INGOT_STORE_SECRET")), storetest.Secret)
	s, err := store.Open(ctx, store.Config{Path: os.Getenv("INGOT_STORE_PATH"), URL: os.Getenv("INGOT_STORE_URL"), Secret: secret})
	if err != nil {
		return err
	}
	defer s.Close() //nolint:errcheck // the process ends
	fmt.Println("open")
	if act == "hold" {
		_, err := io.Copy(io.Discard, os.Stdin)
		return err
	}
	if act == "rotate" {
		_, err := s.Rotate(ctx)
		return err
	}
	node := os.Getenv("INGOT_STORE_NODE")
	for {
		if err := countOnce(ctx, s, node); err != nil {
			return err
		}
	}
}

// countOnce runs an operation of one pass. Start and commit each raise the node's count and the number of its events and
// history entries together, and then say so.
func countOnce(ctx context.Context, s *store.Store, node string) error {
	raise := func(n *ingot.Node) {
		count, _ := n.Extra["count"].(float64)
		n.Extra = map[string]any{"count": count + 1}
		n.DriverInfo = map[string]any{"password": fmt.Sprint(count + 1)}
	}
	said := func() {
		n, err := s.Node(ctx, node)
		if err == nil {
			fmt.Println(n.Extra["count"])
		}
	}
	if err := s.ReleaseClaims(ctx, ""); err != nil {
		return err
	}
	if _, err := s.LiveOperation(ctx, node, ingot.LaneProvision); ingot.CodeOf(err) == ingot.NotFound {
		if _, err := s.StartOperation(ctx, ingot.Start{
			Operation: ingot.Operation{Kind: ingot.KindVerify, NodeUUID: node},
			Change:    func(n *ingot.Node) { raise(n); n.ProvisionState = ingot.Verifying }, History: []ingot.History{{Event: "x"}}, Events: []ingot.Event{{Type: "x"}},
		}); err != nil {
			return err
		}
		said()
	}
	passes, err := s.ClaimOperations(ctx, ingot.Claimer{Hostname: "c"}, 1)
	if err != nil {
		return err
	}
	for _, p := range passes {
		p.Operation.Outcome = ingot.Done
		if err := s.CommitPass(ctx, ingot.Result{
			Operation: p.Operation, Steps: []ingot.OperationStep{{Step: "a"}, {Position: 1, Step: "b"}},
			Changes: []func(*ingot.Node){raise, func(n *ingot.Node) { n.ProvisionState = ingot.Manageable }},
			History: []ingot.History{{Event: "x"}}, Events: []ingot.Event{{Type: "x"}},
		}); err != nil {
			return err
		}
		said()
	}
	return nil
}

// other starts the test binary as another process.
func other(t *testing.T, act string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	require.NoError(t, err)
	c := exec.Command(exe)
	c.Env = append(os.Environ(), append(env, "INGOT_STORE_ACT="+act)...)
	c.Stderr = os.Stderr
	_, err = c.StdinPipe()
	require.NoError(t, err)
	out, err := c.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, c.Start())
	t.Cleanup(func() {
		c.Process.Kill() //nolint:errcheck // it may have ended
		c.Wait()         //nolint:errcheck // it was killed
	})
	lines := bufio.NewScanner(out)
	require.True(t, lines.Scan(), "the other process said nothing")
	require.Equal(t, "open", lines.Text())
	return c, lines
}

// TestKillLeavesNothingHalfDone kills a writing process again and again at random moments: each transaction is there
// whole or not at all, and what was answered is there.
func TestKillLeavesNothingHalfDone(t *testing.T) {
	storetest.EachConfig(t, func(t *testing.T, cfg store.Config) {
		cfg.Secret = storetest.Secret
		ctx := context.Background()
		s := storetest.Open(t, cfg)
		n := newNode(t, s, "n")
		require.NoError(t, s.Close())
		for range 12 {
			c, lines := other(t, "count", "INGOT_STORE_PATH="+cfg.Path, "INGOT_STORE_URL="+cfg.URL, "INGOT_STORE_NODE="+n.UUID)
			kill := time.AfterFunc(time.Duration(5+rand.IntN(60))*time.Millisecond, func() { c.Process.Kill() }) //nolint:errcheck // seen below
			answered := 0
			for lines.Scan() {
				if strings.HasPrefix(lines.Text(), "error") {
					t.Fatal(lines.Text())
				}
				if count, err := strconv.Atoi(lines.Text()); err == nil {
					answered = count
				}
			}
			kill.Stop()
			c.Wait() //nolint:errcheck // it was killed

			s := storetest.Open(t, cfg)
			got, err := s.Node(ctx, n.UUID)
			require.NoError(t, err)
			count, _ := got.Extra["count"].(float64)
			require.GreaterOrEqual(t, int(count), answered, "what was answered is there")
			if count > 0 {
				require.Equal(t, fmt.Sprint(count), ingot.Text(got.DriverInfo, "password"))
			}
			require.EqualValues(t, count+1, got.Version)
			events, _, err := s.Events(ctx, 0, 100_000)
			require.NoError(t, err)
			require.Len(t, events, int(count))
			history, err := s.ListHistory(ctx, n.UUID, ingot.Page{Limit: -1})
			require.NoError(t, err)
			require.Len(t, history, min(int(count), 300))
			_, live := s.LiveOperation(ctx, n.UUID, ingot.LaneProvision)
			require.Equal(t, int(count)%2 == 1, live == nil, "an odd count is a started operation")
			require.Equal(t, live == nil, got.ProvisionState == ingot.Verifying)
			operations, err := s.Operations(ctx, n.UUID, 1)
			require.NoError(t, err)
			if len(operations) == 1 {
				steps, err := s.Steps(ctx, operations[0].UUID)
				require.NoError(t, err)
				require.Equal(t, operations[0].Live(), len(steps) == 0)
			}
			require.NoError(t, s.Close())
		}
	})
}

func TestSecondProcessIsRefused(t *testing.T) {
	cfg := storetest.SQLiteConfig(t)
	cfg.Secret = storetest.Secret
	c, _ := other(t, "hold", "INGOT_STORE_PATH="+cfg.Path)
	_, err := store.Open(context.Background(), cfg)
	refused(t, err, ingot.Locked, "cannot open the database %s: process %d has it (lock file %s.lock); stop that process first, or use PostgreSQL, which many can share", cfg.Path, c.Process.Pid, cfg.Path)
	require.NoError(t, c.Process.Kill())
	c.Wait() //nolint:errcheck // it was killed
	storetest.Open(t, cfg)

	_, err = store.Open(context.Background(), cfg)
	refused(t, err, ingot.Locked, "cannot open the database %s: process %d has it (lock file %s.lock); stop that process first, or use PostgreSQL, which many can share", cfg.Path, os.Getpid(), cfg.Path)
}
