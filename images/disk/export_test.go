package disk

// SetExtents makes w convert qcow2 images in parts of n extents.
func SetExtents(w *Writer, n int) { w.extents = n }
