// Package giveout gives the machine's root disk out, for an instance that goes on elsewhere.
package giveout

import (
	"context"
	"errors"
	"log/slog"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/httpapi"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
	"github.com/ingot-metal/ingot/images/disk"
)

// Reader reads the disk that a deploy would write to.
type Reader struct {
	Chooser *target.Chooser
	Log     *slog.Logger
}

// Open chooses the disk and looks at what of it has to go along. Its error is an *ingot.AgentError: 400 for a disk that
// cannot be given out as it is wished.
func (r *Reader) Open(ctx context.Context, wish ingot.DiskWish) (httpapi.Disk, error) {
	chosen, err := r.Chooser.Root(ctx)
	if err != nil {
		var e *ingot.AgentError
		if errors.As(err, &e) {
			return nil, e
		}
		return nil, command.Failed("%s", err)
	}
	device, err := disk.Open(chosen.Name)
	if err != nil {
		return nil, command.Failed("%s", err)
	}
	c, err := disk.CopyOf(device, wish.Size, wish.WithoutConfigDrive)
	if err != nil {
		device.Close()
		if errors.Is(err, disk.ErrTooLarge) {
			return nil, command.InvalidParams("disk %s does not fit: %s", chosen.Name, err)
		}
		return nil, command.InvalidParams("disk %s can not be given out: %s", chosen.Name, err)
	}
	r.Log.Info("giving out the disk", "disk", chosen.Name, "size", wish.Size, "without config drive", wish.WithoutConfigDrive)
	return &opened{device, c, wish.Size, r.Log}, nil
}

// opened is a disk on its way.
type opened struct {
	device *disk.Device
	copy   *disk.Copy
	size   int64
	log    *slog.Logger
}

// Send sends all that is not zero.
func (o *opened) Send(ctx context.Context, to *ingot.DiskSender) error {
	sent := int64(0)
	err := o.copy.Each(ctx, ingot.DiskChunk, func(at int64, p []byte) error {
		sent += int64(len(p))
		return to.Send(at, p)
	})
	if err != nil {
		return err
	}
	o.log.Info("the disk was given out", "bytes", sent)
	return to.End(o.size)
}

// Close lets go of the disk.
func (o *opened) Close() error { return o.device.Close() }
