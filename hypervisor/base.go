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

// baseFor finds the whole base of a checksum among the volumes of a pool; "" when there is none.
func baseFor(checksum string, volumes []string) string {
	for _, name := range slices.Sorted(slices.Values(volumes)) {
		if strings.HasPrefix(name, basePrefix+checksum+".") && !strings.HasSuffix(name, baseDone) && slices.Contains(volumes, name+baseDone) {
			return name
		}
	}
	return ""
}

// basesIn are the checksums of the whole bases among the volumes of a pool.
func basesIn(volumes []string) []string {
	var sums []string
	for _, name := range slices.Sorted(slices.Values(volumes)) {
		rest, isBase := strings.CutPrefix(name, basePrefix)
		sum, _, named := strings.Cut(rest, ".")
		if isBase && named && !strings.HasSuffix(name, baseDone) && slices.Contains(volumes, name+baseDone) && !slices.Contains(sums, sum) {
			sums = append(sums, sum)
		}
	}
	return sums
}
