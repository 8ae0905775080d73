// Package hypervisor is hardware type libvirt: compute hosts behind libvirt connections, and the guests on them, each a
// machine like any other. What needs libvirt's library is built with cgo and the tag libvirt_dlopen only, and opens the
// library when it is first used; other builds have a stub that refuses.
package hypervisor
