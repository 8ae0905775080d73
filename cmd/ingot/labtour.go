package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/api/client/live"
	"github.com/ingot-metal/ingot/hypervisor"
	"github.com/ingot-metal/ingot/lab"
	"github.com/ingot-metal/ingot/lab/osimage"
)

// labTour is `ingot lab tour`, which `make lab` runs.
type labTour struct {
	labRack
	Driver      string `default:"ipmi" enum:"ipmi,redfish" help:"How Ingot talks to the BMC."`
	Compute     bool   `help:"Make the server a compute host and launch a guest on it: 3 GiB of memory, and six minutes under emulation."`
	ImageFormat string `name:"image-format" default:"qcow2" enum:"qcow2,raw" help:"Format of the lab's image to deploy."`
}

// computePatience bounds each phase of a tour with a compute host, most of which is emulated processors at work.
const computePatience = 30 * time.Minute

// errTour is a tour that failed and has been reported.
var errTour = errors.New("the tour failed")

// Run goes through the main job. With a terminal the rack then stays up until Ctrl-C.
func (t *labTour) Run(ctx context.Context) error {
	ctx, stop := untilHangup(ctx)
	defer stop()
	view := &live.View{Out: os.Stdout}
	view.Width, view.Terminal = terminal(os.Stdout)
	if t.Compute && !hypervisor.Built {
		return errors.New("cannot make a compute host: this build has no libvirt; use bin/ingot")
	}
	images, disk, err := t.prepare(ctx, view)
	if err != nil {
		return err
	}
	if t.Compute {
		t.MemoryMiB, t.Nested = max(t.MemoryMiB, 3072), true
	}
	r, err := t.rack(1, &lab.Service{Listen: t.APIListen, Ramdisk: disk, Images: []string{t.Cache}, Guests: t.Compute})
	if err != nil {
		return err
	}
	if err := r.Open(ctx); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		ended <- r.Run(ctx)
		cancel()
	}()
	err = t.tour(ctx, r, view, images)
	if err == nil && view.Terminal {
		<-ctx.Done()
	}
	cancel()
	return errors.Join(err, <-ended)
}

// prepare builds images and ramdisk unless they are in the cache. The first image is the server's; the other one a guest's.
func (t *labTour) prepare(ctx context.Context, view *live.View) (images []string, disk string, err error) {
	if err := os.MkdirAll(t.Cache, 0o755); err != nil {
		return nil, "", fmt.Errorf("cannot make the cache folder: %w", err)
	}
	wanted := []osimage.Options{{CacheDir: t.Cache, Log: view.Log()}}
	if t.Compute {
		wanted = []osimage.Options{{CacheDir: t.Cache, Log: view.Log(), Compute: true}, wanted[0]}
	}
	view.Begin("image")
	for _, options := range wanted {
		if err = osimage.Build(ctx, options); err != nil {
			break
		}
		image := options.Image().QCow2
		if t.ImageFormat == "raw" {
			image = options.Image().Raw
		}
		images = append(images, image)
	}
	view.End(err)
	if err != nil {
		return nil, "", err
	}
	view.Begin("ramdisk")
	disk, err = t.ramdisk(ctx, view.Log())
	view.End(err)
	return images, disk, err
}

// tour runs the job and says how it went.
func (t *labTour) tour(ctx context.Context, r *lab.Rack, view *live.View, images []string) error {
	api := &client.Client{BaseURL: r.APIURL()}
	job := &lab.Tour{Rack: r, API: api, Node: "node-0", Driver: t.Driver, Image: images[0], View: view}
	if t.Compute {
		job.Compute, job.Patience = &lab.Compute{Guest: "guest-0", Image: images[1]}, computePatience
	}
	if err := job.Run(ctx); err != nil {
		if ctx.Err() != nil {
			return errors.New("the tour was ended before it was over")
		}
		fmt.Println("\ningot: the tour failed:", err)
		r.Report(ctx, os.Stdout, api, "node-0")
		return errTour
	}
	fmt.Print(view.Table())
	if view.Terminal {
		rack := ""
		if r.Name != "lab" {
			rack = " --rack " + r.Name
		}
		fmt.Printf("\nThe rack stays up until Ctrl-C, its API at %s. In another terminal: ingot lab ssh%s, ingot lab console%s\n", r.APIURL(), rack, rack)
	}
	fmt.Println("ssh: ok")
	return nil
}

// terminal says whether somebody watches, and how many columns there are; 0 when that is not known.
func terminal(f *os.File) (columns int, yes bool) {
	size, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0, false
	}
	return int(size.Col), true
}
