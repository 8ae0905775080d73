package lab

// Accel is how QEMU runs machines.
type Accel string

// The ways.
const (
	KVM Accel = "kvm"
	TCG Accel = "tcg" // emulation: slower, and works everywhere
)

// arguments choose accelerator and processor. Under emulation each further processor feature that software then uses
// costs time: qemu64 has what Debian needs, and little else.
func (a Accel) arguments() []string {
	if a == KVM {
		return []string{"-accel", "kvm", "-cpu", "host"}
	}
	return []string{"-accel", "tcg,thread=multi,tb-size=512", "-cpu", "qemu64"}
}
