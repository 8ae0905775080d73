package conductor_test

import (
	"flag"
	"os"
	"strconv"
	"testing"
)

// lanes is how many tests run at once, where the command line names no other number: most of their time they wait for
// agents and leases, and a machine of two cores carries so many.
const lanes = 8

// TestMain keeps the tests' databases in memory where the machine has a place for that: they kill processes, not the
// power, and a slow disk would be most of their time.
func TestMain(m *testing.M) {
	if info, err := os.Stat("/dev/shm"); err == nil && info.IsDir() && os.Getenv("TMPDIR") == "" {
		os.Setenv("TMPDIR", "/dev/shm")
	}
	flag.Parse()
	chosen := underRace // which leaves no core idle
	flag.Visit(func(f *flag.Flag) { chosen = chosen || f.Name == "test.parallel" })
	if !chosen {
		if err := flag.Set("test.parallel", strconv.Itoa(lanes)); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
