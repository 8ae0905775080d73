package lab

// Accel is how QEMU runs machines.
type Accel string

// The ways.
const (
	KVM Accel = "kvm"
	TCG Accel = "tcg" // emulation: slower, and works everywhere
)

// arguments choose accelerator and processor. Under emulation each further processor feature that software then uses
// costs time: qemu64 has what Debian needs, and little else. A nested machine can run KVM guests of its own: emulated, one
// whose AMD-V and nested paging are emulated too. Its vector instructions would cost more than they do good. Give it one
// processor: with two, QEMU 7.2 now and then lets its guest stop for ever, or all of it.
func (a Accel) arguments(nested bool) []string {
	if a == KVM {
		return []string{"-accel", "kvm", "-cpu", "host"}
	}
	if nested {
		return []string{"-accel", "tcg,thread=multi,tb-size=1024", "-cpu", "EPYC,+svm,+npt,-avx,-avx2"}
	}
	return []string{"-accel", "tcg,thread=multi,tb-size=512", "-cpu", "qemu64"}
}
