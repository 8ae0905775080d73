package lab

import (
	"encoding/binary"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The part of Linux's KVM API that the probe needs (Documentation/virt/kvm/api.rst, include/uapi/linux/kvm.h).
const (
	kvmGetAPIVersion       = 0xae00
	kvmCreateVM            = 0xae01
	kvmGetVCPUMmapSize     = 0xae04
	kvmGetSupportedCPUID   = 0xc008ae05
	kvmCreateVCPU          = 0xae41
	kvmSetTSSAddr          = 0xae47
	kvmSetUserMemoryRegion = 0x4020ae46
	kvmRun                 = 0xae80
	kvmSetRegs             = 0x4090ae82
	kvmGetSregs            = 0x8138ae83
	kvmSetSregs            = 0x4138ae84
	kvmGetRegs             = 0x8090ae81
	kvmSetCPUID2           = 0x4008ae90

	kvmVersion  = 12
	kvmExitHalt = 5
)

// Where things lie in the probe's guest memory.
const (
	probeMemory = 2 << 20
	pageMap4    = 0x1000
	pageMap3    = 0x2000
	pageMap2    = 0x3000
	probeCode   = 0x4000
	probeData   = 0x5000 // 64 bytes aligned: XRSTOR's area; CMPXCHG16B's operand behind it
	probeDone   = 0x600d // RAX at the end
	// probeTime is what the whole guest may take: a processor needs a few milliseconds, an emulator behind KVM's
	// interface, with which a kernel would take minutes to start, many seconds.
	probeTime = 2 * time.Second
)

// probePayload is 64-bit code: instructions that kernels and firmware start with and that partial implementations of KVM
// cannot run, then a loop that is long for an emulator.
func probePayload() []byte {
	return []byte{
		0xdb, 0xe3, // fninit
		0xbf, 0x00, 0x50, 0x00, 0x00, // mov edi, probeData
		0x31, 0xd2, // xor edx, edx
		0xb8, 0x01, 0x00, 0x00, 0x00, // mov eax, 1
		0x48, 0x0f, 0xae, 0x2f, // xrstor64 [rdi]
		0x31, 0xc0, // xor eax, eax
		0x31, 0xdb, // xor ebx, ebx
		0x31, 0xc9, // xor ecx, ecx
		0xf0, 0x48, 0x0f, 0xc7, 0x8f, 0x00, 0x04, 0x00, 0x00, // lock cmpxchg16b [rdi+0x400]
		0x75, 0x0e, // jnz fail
		0xb9, 0x40, 0x4b, 0x4c, 0x00, // mov ecx, 5000000
		0xff, 0xc9, // loop: dec ecx
		0x75, 0xfc, // jnz loop
		0xb8, 0x0d, 0x60, 0x00, 0x00, // mov eax, probeDone
		0xf4, // fail: hlt
	}
}

// ProbeKVM says how to run machines here: KVM when a test guest runs under it, else TCG. That /dev/kvm is there, or that
// firmware runs, is no proof. It takes two seconds at most.
func ProbeKVM() Accel {
	if tryKVM() != nil {
		return TCG
	}
	return KVM
}

// tryKVM runs the test guest; the error is why KVM cannot be used.
func tryKVM() error {
	dev, err := os.OpenFile("/dev/kvm", os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer dev.Close()
	if version, err := ioctl(dev.Fd(), kvmGetAPIVersion, 0); err != nil || version != kvmVersion {
		return fmt.Errorf("cannot use KVM: version %d, %v", version, err)
	}
	vm, err := ioctl(dev.Fd(), kvmCreateVM, 0)
	if err != nil {
		return fmt.Errorf("cannot make a guest: %w", err)
	}
	defer unix.Close(int(vm))
	memory, err := probeGuest(vm)
	if err != nil {
		return err
	}
	defer unix.Munmap(memory) //nolint:errcheck // it was mapped whole
	cpu, err := ioctl(vm, kvmCreateVCPU, 0)
	if err != nil {
		return fmt.Errorf("cannot make a processor: %w", err)
	}
	defer unix.Close(int(cpu))
	if err := prepareCPU(dev.Fd(), cpu); err != nil {
		return err
	}
	size, err := ioctl(dev.Fd(), kvmGetVCPUMmapSize, 0)
	if err != nil {
		return fmt.Errorf("cannot ask for the size of a processor: %w", err)
	}
	state, err := unix.Mmap(int(cpu), 0, int(size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	if err != nil {
		return fmt.Errorf("cannot map a processor: %w", err)
	}
	defer unix.Munmap(state) //nolint:errcheck // it was mapped whole
	return runProbe(cpu, state)
}

// probeGuest gives a guest its memory: page tables that map the first 2 MiB to themselves, and the code.
func probeGuest(vm uintptr) ([]byte, error) {
	memory, err := unix.Mmap(-1, 0, probeMemory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_ANON)
	if err != nil {
		return nil, fmt.Errorf("cannot map a guest's memory: %w", err)
	}
	const present, writable, large = 1, 2, 1 << 7
	binary.LittleEndian.PutUint64(memory[pageMap4:], pageMap3|present|writable)
	binary.LittleEndian.PutUint64(memory[pageMap3:], pageMap2|present|writable)
	binary.LittleEndian.PutUint64(memory[pageMap2:], present|writable|large)
	copy(memory[probeCode:], probePayload())
	region := struct {
		slot, flags            uint32
		guest, size, userspace uint64
	}{0, 0, 0, probeMemory, uint64(uintptr(unsafe.Pointer(&memory[0])))}
	// Intel processors without unrestricted guests want a place for a task state segment.
	_, _ = ioctl(vm, kvmSetTSSAddr, 0xfffbd000)
	if _, err := ioctl(vm, kvmSetUserMemoryRegion, uintptr(unsafe.Pointer(&region))); err != nil {
		return memory, fmt.Errorf("cannot give a guest memory: %w", err)
	}
	return memory, nil
}

// prepareCPU puts a processor into 64-bit mode at the code, with the features of the host.
func prepareCPU(dev, cpu uintptr) error {
	cpuid := make([]uint32, 2+256*10) // struct kvm_cpuid2 with room for 256 entries of 40 bytes
	cpuid[0] = 256
	if _, err := ioctl(dev, kvmGetSupportedCPUID, uintptr(unsafe.Pointer(&cpuid[0]))); err != nil {
		return fmt.Errorf("cannot ask for processor features: %w", err)
	}
	if _, err := ioctl(cpu, kvmSetCPUID2, uintptr(unsafe.Pointer(&cpuid[0]))); err != nil {
		return fmt.Errorf("cannot set processor features: %w", err)
	}
	var s [312]byte // struct kvm_sregs
	if _, err := ioctl(cpu, kvmGetSregs, uintptr(unsafe.Pointer(&s[0]))); err != nil {
		return fmt.Errorf("cannot read a processor: %w", err)
	}
	// Six data segments and TR, LDT of 24 bytes each: base, limit, selector, type, present, dpl, db, s, l, g.
	for i, kind := range []byte{11, 3, 3, 3, 3, 3} { // cs, ds, es, fs, gs, ss
		segment := s[i*24 : i*24+24]
		clear(segment)
		binary.LittleEndian.PutUint32(segment[8:], 0xffffffff)
		binary.LittleEndian.PutUint16(segment[12:], uint16(8+8*min(i, 1)))
		segment[14], segment[15], segment[18], segment[20] = kind, 1, 1, 1
		if i == 0 {
			segment[19] = 1 // 64-bit code
		} else {
			segment[17] = 1
		}
	}
	const control = 8*24 + 2*16 // behind the segments, GDT and IDT: cr0, cr2, cr3, cr4, cr8, efer
	for i, value := range map[int]uint64{
		0: 1<<31 | 1<<5 | 1<<4 | 1<<1 | 1, // PG, NE, ET, MP, PE
		2: pageMap4,
		3: 1<<18 | 1<<9 | 1<<5, // OSXSAVE, OSFXSR, PAE
		5: 1<<10 | 1<<8,        // LMA, LME
	} {
		binary.LittleEndian.PutUint64(s[control+8*i:], value)
	}
	if _, err := ioctl(cpu, kvmSetSregs, uintptr(unsafe.Pointer(&s[0]))); err != nil {
		return fmt.Errorf("cannot switch a processor to 64 bits: %w", err)
	}
	var regs [18]uint64 // rax … r15, rip, rflags
	regs[16], regs[17] = probeCode, 2
	if _, err := ioctl(cpu, kvmSetRegs, uintptr(unsafe.Pointer(&regs[0]))); err != nil {
		return fmt.Errorf("cannot set a processor's registers: %w", err)
	}
	return nil
}

// runProbe runs the guest to its end, or to the end of its time: then a signal gets the thread out of the kernel.
func runProbe(cpu uintptr, state []byte) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var late atomic.Bool
	thread, over := unix.Gettid(), make(chan struct{})
	defer close(over)
	go func() {
		again := time.NewTimer(probeTime)
		defer again.Stop()
		for {
			select {
			case <-over:
				return
			case <-again.C:
				late.Store(true)
				_ = unix.Tgkill(unix.Getpid(), thread, unix.SIGURG) // which Go's runtime takes calmly
				again.Reset(10 * time.Millisecond)
			}
		}
	}()
	for {
		_, err := ioctl(cpu, kvmRun, 0)
		if late.Load() {
			return fmt.Errorf("cannot use KVM: a guest of a few milliseconds did not end within %s", probeTime)
		}
		if err == unix.EINTR {
			continue
		}
		if err != nil {
			return fmt.Errorf("cannot run a guest: %w", err)
		}
		break
	}
	if reason := binary.LittleEndian.Uint32(state[8:]); reason != kvmExitHalt {
		return fmt.Errorf("cannot use KVM: the guest ended for reason %d", reason)
	}
	var regs [18]uint64
	if _, err := ioctl(cpu, kvmGetRegs, uintptr(unsafe.Pointer(&regs[0]))); err != nil || regs[0] != probeDone {
		return fmt.Errorf("cannot use KVM: the guest ended with %#x, %v", regs[0], err)
	}
	return nil
}

func ioctl(fd, request, argument uintptr) (uintptr, error) {
	result, _, errno := unix.Syscall(unix.SYS_IOCTL, fd, request, argument)
	if errno != 0 {
		return result, errno
	}
	return result, nil
}
