//go:build cgo && libvirt_dlopen

package main

import "testing"

// TestComputeScripts runs testdata/compute/*.txtar: what only a service with compute hosts has.
func TestComputeScripts(t *testing.T) { runScripts(t, "testdata/compute", "fake-hardware", "libvirt") }
