package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/ingot-metal/ingot/api/client"
	"github.com/ingot-metal/ingot/api/client/live"
	"github.com/ingot-metal/ingot/lab"
	"github.com/ingot-metal/ingot/lab/osimage"
)

// labTour is `ingot lab tour`, which `make lab` runs.
type labTour struct {
	labRack
	Driver      string `default:"ipmi" enum:"ipmi,redfish" help:"How Ingot talks to the BMC."`
	ImageFormat string `name:"image-format" default:"qcow2" enum:"qcow2,raw" help:"Format of the lab's image to deploy."`
}

// errTour is a tour that failed and has been reported.
var errTour = errors.New("the tour failed")

// Run goes through the main job. With a terminal the rack then stays up until Ctrl-C.
func (t *labTour) Run(ctx context.Context) error {
	ctx, stop := untilHangup(ctx)
	defer stop()
	view := &live.View{Out: os.Stdout}
	view.Width, view.Terminal = terminal(os.Stdout)
	image, disk, err := t.prepare(ctx, view)
	if err != nil {
		return err
	}
	r, err := t.rack(1, &lab.Service{Listen: t.APIListen, Ramdisk: disk, Images: []string{filepath.Dir(image)}})
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
	err = t.tour(ctx, r, view, image)
	if err == nil && view.Terminal {
		<-ctx.Done()
	}
	cancel()
	return errors.Join(err, <-ended)
}

// prepare builds image and ramdisk unless they are in the cache.
func (t *labTour) prepare(ctx context.Context, view *live.View) (image, disk string, err error) {
	if err := os.MkdirAll(t.Cache, 0o755); err != nil {
		return "", "", fmt.Errorf("cannot make the cache folder: %w", err)
	}
	view.Begin("image")
	options := osimage.Options{CacheDir: t.Cache, Log: view.Log()}
	err = osimage.Build(ctx, options)
	view.End(err)
	if err != nil {
		return "", "", err
	}
	if image = options.Image().QCow2; t.ImageFormat == "raw" {
		image = options.Image().Raw
	}
	view.Begin("ramdisk")
	disk, err = t.ramdisk(ctx, view.Log())
	view.End(err)
	return image, disk, err
}

// tour runs the job and says how it went.
func (t *labTour) tour(ctx context.Context, r *lab.Rack, view *live.View, image string) error {
	api := &client.Client{BaseURL: r.APIURL()}
	job := &lab.Tour{Rack: r, API: api, Node: "node-0", Driver: t.Driver, Image: image, View: view}
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
