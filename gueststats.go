package ingot

import "time"

// GuestStats are what a guest that runs has used since its machine was started, as its host counts it. What the host does
// not count is zero.
type GuestStats struct {
	Guest string // the node's UUID
	CPU   time.Duration
	// Memory is what the guest has now and Resident what that takes of its host, in bytes.
	Memory, Resident uint64
	Disk             Traffic // of all disks
	Network          Traffic // of all NICs: in is what the guest received
}

// Traffic is what went in (was read, was received) and out.
type Traffic struct {
	BytesIn, BytesOut uint64
	// CountIn and CountOut are requests of disks, packets of networks; Errors are what failed or was dropped.
	CountIn, CountOut, Errors uint64
}
