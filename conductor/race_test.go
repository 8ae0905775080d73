//go:build race

package conductor_test

// underRace says that the race detector is on: it makes everything some times slower, so the loops then run
// over the deploy on SQLite alone, and over everything without it.
const underRace = true
