package main

import (
	"context"
	"net/url"
	"strings"

	"github.com/ingot-metal/ingot"
)

// nodeVMedia is `ingot node vmedia`.
type nodeVMedia struct {
	List   vmediaList   `cmd:"" help:"List the drives, and what is in them."`
	Attach vmediaAttach `cmd:"" help:"Put an image into a drive, which the BMC reads at its URL."`
	Detach vmediaDetach `cmd:"" help:"Empty drives."`
}

// vmediaList is `ingot node vmedia list`.
type vmediaList struct{ oneNode }

// Run prints the drives.
func (c *vmediaList) Run(ctx context.Context, s *session) error {
	items, err := s.Resource("nodes", c.Node, "vmedia").All(ctx)
	if err != nil {
		return err
	}
	return s.printList(items, []string{"media_types", "inserted", "image"})
}

// vmediaAttach is `ingot node vmedia attach`.
type vmediaAttach struct {
	aside
	Device string `arg:"" enum:"cdrom,disk,floppy" help:"cdrom, disk or floppy."`
	Image  string `arg:"" name:"url" help:"URL of the image, as the BMC reaches it."`
}

// Run puts the image in.
func (c *vmediaAttach) Run(ctx context.Context, s *session) error {
	return c.run(ctx, s, "vmedia attach", ingot.KindMediaAttach, func(ctx context.Context) error {
		return s.Resource("nodes", c.Node, "vmedia").Post(ctx, object{"device_type": c.Device, "image_url": c.Image})
	})
}

// vmediaDetach is `ingot node vmedia detach`.
type vmediaDetach struct {
	aside
	Devices []string `arg:"" optional:"" name:"device" enum:"cdrom,disk,floppy" help:"cdrom, disk or floppy; none is all."`
}

// Run empties the drives.
func (c *vmediaDetach) Run(ctx context.Context, s *session) error {
	q := url.Values{}
	if len(c.Devices) > 0 {
		q.Set("device_types", strings.Join(c.Devices, ","))
	}
	return c.run(ctx, s, "vmedia detach", ingot.KindMediaDetach, func(ctx context.Context) error {
		return s.Resource("nodes", c.Node, "vmedia").Remove(ctx, q)
	})
}
