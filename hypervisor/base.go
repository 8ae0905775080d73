package hypervisor

import (
	"slices"
	"strings"
)

// A base is a volume with an image that guests' disks begin as. Its name is base-CHECKSUM.RANDOM, so that no two writers
// ever have the same one, and it counts only beside a volume of the same name with .ok behind it, which is made when all
// of it was written and found right. Nothing writes to it afterwards.
const (
	basePrefix = "base-"
	baseDone   = ".ok"
)

// canaryName is the domain that shows what a host can run, and the volume that it boots from.
const canaryName = "ingot-canary"

// baseFor finds the whole base of a checksum among the volumes of a pool; "" when there is none.
func baseFor(checksum string, volumes []string) string {
	for _, name := range slices.Sorted(slices.Values(volumes)) {
		if strings.HasPrefix(name, basePrefix+checksum+".") && !strings.HasSuffix(name, baseDone) && slices.Contains(volumes, name+baseDone) {
			return name
		}
	}
	return ""
}

// baseSum is the checksum that a base is named for; false for any other volume, and for the marks of bases.
func baseSum(name string) (string, bool) {
	rest, isBase := strings.CutPrefix(name, basePrefix)
	sum, _, named := strings.Cut(rest, ".")
	return sum, isBase && named && !strings.HasSuffix(name, baseDone)
}

// basesIn are the checksums of the whole bases among the volumes of a pool.
func basesIn(volumes []string) []string {
	var sums []string
	for _, name := range slices.Sorted(slices.Values(volumes)) {
		sum, isBase := baseSum(name)
		if isBase && slices.Contains(volumes, name+baseDone) && !slices.Contains(sums, sum) {
			sums = append(sums, sum)
		}
	}
	return sums
}
