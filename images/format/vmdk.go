package format

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
)

// vmdk judges a VMDK: a sparse extent with the descriptor inside is one file; anything else names other files, which is
// the way by which a VMDK reads its host (VMware "Virtual Disk Format 5.0").
func (s *scan) vmdk(info *Info) error {
	info.VirtualSize = 0
	refuse := func(format string, args ...any) { info.Unsafe = append(info.Unsafe, fmt.Sprintf(format, args...)) }
	if !bytes.HasPrefix(s.head, []byte("KDMV")) || len(s.head) < 512 {
		refuse("it is a VMDK descriptor that names other files; convert it to one file with qemu-img convert")
		return nil
	}
	le := binary.LittleEndian
	sectors, descAt, descLen := le.Uint64(s.head[12:]), le.Uint64(s.head[28:]), le.Uint64(s.head[36:])
	if sectors > math.MaxInt64/512 {
		refuse("its virtual size is %d sectors", sectors)
		return nil
	}
	info.VirtualSize = int64(sectors) * 512
	if version := le.Uint32(s.head[4:]); version < 1 || version > 3 {
		refuse("its VMDK version is %d", version)
	}
	if le.Uint64(s.head[56:]) == math.MaxUint64 {
		refuse("its grain directory is in a footer, which replaces the header that was judged")
	}
	if descAt != 1 || descLen == 0 {
		refuse("its descriptor is not in the second sector")
		return nil
	}
	desc, err := s.read(512, int(min(descLen, 2047)*512))
	if err != nil {
		return err
	}
	vmdkDescriptor(strings.ToLower(string(bytes.TrimRight(desc, "\x00"))), refuse)
	return nil
}

// vmdkDescriptor accepts only lines that it understands, and only an extent in the file itself.
func vmdkDescriptor(text string, refuse func(string, ...any)) {
	extents, single := 0, false
	for line := range strings.SplitSeq(text, "\n") {
		line = strings.TrimSpace(line)
		key, value, assign := strings.Cut(line, "=")
		word, _, _ := strings.Cut(line, " ")
		switch {
		case line == "" || line[0] == '#' || strings.HasPrefix(line, "ddb"):
		case word == "rw" || word == "rdonly" || word == "noaccess":
			extents++
			if strings.ContainsAny(line, "/\\") {
				refuse("an extent of its VMDK descriptor names a path")
			}
		case !assign || strings.Contains(strings.TrimSpace(key), " "):
			refuse("its VMDK descriptor has a line that is not understood")
			return
		case strings.TrimSpace(key) == "createtype":
			kind := strings.Trim(strings.TrimSpace(value), `"`)
			single = kind == "monolithicsparse" || kind == "streamoptimized"
		case strings.TrimSpace(key) == "parentfilenamehint":
			refuse("its VMDK descriptor names a parent file; flatten it with qemu-img convert")
		}
	}
	if !single {
		refuse("its VMDK type is neither monolithicSparse nor streamOptimized")
	}
	if extents != 1 {
		refuse("its VMDK descriptor has %d extents", extents)
	}
}
