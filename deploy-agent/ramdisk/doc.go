// Package ramdisk makes the kernel and the initramfs that machines boot for inspection, cleaning and deployment: a Debian
// kernel package as it is, and an archive with the agent as /init, the drivers it may need, and nothing else. No shell, no
// udev, no modprobe: the agent loads drivers itself (deploy-agent/internal/modules).
//
// Only apt-get, apt-cache and dpkg-deb are needed on the building machine, and no root. Equal inputs make equal bytes.
package ramdisk
