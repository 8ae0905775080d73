package osimage

// Parts of the builder that are tested without building.
var (
	HostSources    = hostSources
	AcquireOptions = acquireOptions
	PatchBIOS      = patchBIOS
	WriteOverlay   = writeOverlay
	WriteSums      = writeSums
	CleanRoot      = cleanRoot
	Lock           = lock
	DebstrapArgs   = debstrapArgs
	GrubConfig     = grubConfig
)

// MissingTools is what Build says when a tool is not there.
func MissingTools(names ...string) error {
	var list []need
	for _, n := range names {
		list = append(list, need{n, "package-of-" + n})
	}
	return checkNeeds(list)
}
