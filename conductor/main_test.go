package conductor_test

import (
	"os"
	"testing"
)

// TestMain keeps the tests' databases in memory where the machine has a place for that: they kill processes, not the
// power, and a slow disk would be most of their time.
func TestMain(m *testing.M) {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() && os.Getenv("TMPDIR") == "" {
		os.Setenv("TMPDIR", "/dev/shm")
	}
	os.Exit(m.Run())
}
