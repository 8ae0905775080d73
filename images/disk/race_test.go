//go:build race

package disk_test

// racing tells that the race detector is built in, whose own memory and time would be measured.
const racing = true
