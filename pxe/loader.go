package pxe

import (
	"io/fs"

	"github.com/ingot-metal/ingot"
)

// The loaders' names. iPXE's undionly.kpxe and snponly.efi drive the card through the firmware that loaded them, so
// they work with every card that the firmware can boot from, at 75 and 175 kB.
const (
	loaderBIOS  = "undionly.kpxe"
	loaderX64   = "snponly.efi"
	loaderARM64 = "snponly-arm64.efi" // not in Debian's package; served where an operator puts it
)

// loaderFor is the loader's name for an architecture; "" for those that there is none for.
func loaderFor(arch ingot.Arch) string {
	switch arch {
	case ingot.ArchBIOS:
		return loaderBIOS
	case ingot.ArchX64, ingot.ArchX64Alt, ingot.ArchX64HTTP:
		return loaderX64
	case ingot.ArchARM64, ingot.ArchARM64HTTP:
		return loaderARM64
	}
	return ""
}

// loader is the loader for an architecture; false when there is none or its file is missing.
func (s *Server) loader(arch ingot.Arch) (string, bool) {
	name := loaderFor(arch)
	if name == "" {
		return "", false
	}
	info, err := fs.Stat(s.Loaders, name)
	return name, err == nil && info.Mode().IsRegular()
}

// openLoader opens a loader by the name that a client sent, which has to be one of ours exactly: no path, nothing
// else of the folder.
func (s *Server) openLoader(name string) (fs.File, error) {
	switch name {
	case loaderBIOS, loaderX64, loaderARM64:
		return s.Loaders.Open(name)
	}
	return nil, fs.ErrNotExist
}
