//go:build !amd64

package lab

// ProbeKVM says how to run machines here: they are x86 machines, which KVM on other processors cannot run.
func ProbeKVM() Accel { return TCG }
