package ramdisk

// ParseModinfo is open to the fuzz test: modules are bytes from outside.
var ParseModinfo = parseModinfo
