package httpapi

import (
	"context"
	"net/http"
	"strconv"

	ingot "github.com/ingot-metal/ingot"
)

// Disk is a disk that is ready to be sent.
type Disk interface {
	Send(ctx context.Context, to *ingot.DiskSender) error
	Close() error
}

// disk answers GET /v1/disk?size=BYTES[&without_config_drive=true] with the root disk as ingot.DiskSender sends it. It is
// Ingot's own; ironic-python-agent has nothing of the kind.
func (a *API) disk(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	size, err := strconv.ParseInt(query.Get("size"), 10, 64)
	if err != nil || size <= 0 {
		fault(w, http.StatusBadRequest, "400 Bad Request: size is not a number of bytes")
		return
	}
	disk, err := a.OpenDisk(r.Context(), ingot.DiskWish{Size: size, WithoutConfigDrive: query.Get("without_config_drive") == "true"})
	if err != nil {
		agentFault(w, err)
		return
	}
	defer disk.Close() //nolint:errcheck // it was only read
	w.Header().Set("Content-Type", "application/octet-stream")
	if err := disk.Send(r.Context(), ingot.NewDiskSender(w)); err != nil {
		a.Log.Error("cannot send the disk to its end", "error", err)
		panic(http.ErrAbortHandler) // which the other side sees as cut off
	}
}
