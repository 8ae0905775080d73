// Package libvirttest starts a libvirtd for a test: the real one, with QEMU's emulation, in namespaces of its own.
package libvirttest
