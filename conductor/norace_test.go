//go:build !race

package conductor_test

// underRace says that the race detector is on.
const underRace = false
