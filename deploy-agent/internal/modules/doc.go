// Package modules finds and loads kernel modules without modprobe: it reads the index files of /lib/modules/RELEASE
// (modules.dep(5)), matches device modaliases against alias patterns, and loads modules with finit_module(2) in the order
// that their dependencies ask for. The ramdisk builder uses the same index to choose what to pack.
package modules
