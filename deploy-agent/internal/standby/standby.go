// Package standby writes images and takes the machine down: ironic-python-agent's standby extension.
package standby

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/clock"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/steps"
	"github.com/ingot-metal/ingot/deploy-agent/internal/system"
	"github.com/ingot-metal/ingot/deploy-agent/internal/target"
	"github.com/ingot-metal/ingot/images/disk"
)

// grace is the time between the answer to a command that takes the machine down and its going down.
const grace = 500 * time.Millisecond

// Standby is the extension.
type Standby struct {
	Chooser *target.Chooser
	HTTP    *http.Client
	Clock   clock.Clock
	Log     *slog.Logger
	// Sync flushes everything that was written to the disks.
	Sync func() error
	// GoDown ends the agent with the cause: system.ErrPowerOff or system.ErrReboot.
	GoDown func(cause error)

	mu      sync.Mutex
	written string            // what is on the disk, as identity tells; "" for nothing
	uuids   map[string]string // partition UUIDs of what was written
}

// Commands are the extension's.
func (s *Standby) Commands() []command.Command {
	return []command.Command{
		{
			Name: "standby.prepare_image", Async: true, Takes: []string{"image_info", "configdrive"},
			Check: func(p command.Params) error { _, err := decodeInfo(p); return err },
			Run:   func(ctx context.Context, c *command.Call) (any, error) { return s.PrepareImage(ctx, c, c.Params) },
		},
		{Name: "standby.run_image", Async: true, Run: func(ctx context.Context, _ *command.Call) (any, error) {
			return nil, s.down(ctx, system.ErrReboot)
		}},
		{Name: "standby.power_off", Async: true, Run: func(ctx context.Context, _ *command.Call) (any, error) {
			return nil, s.down(ctx, system.ErrPowerOff)
		}},
		{Name: "standby.sync", Run: func(context.Context, *command.Call) (any, error) { return nil, s.sync() }},
		{Name: "standby.get_partition_uuids", Run: func(context.Context, *command.Call) (any, error) {
			return s.partitionUUIDs(), nil
		}},
	}
}

// Step is write_image: prepare_image as a deploy or service step, which is how recent Ironic asks for it.
func (s *Standby) Step() steps.Step {
	return steps.Step{
		Name: "write_image", Interface: "deploy", In: map[steps.Kind]int{steps.Deploy: 0, steps.Service: 0},
		Args: map[string]steps.Arg{
			"image_info":  {Description: "What to write, and where it is.", Required: true},
			"configdrive": {Description: "A config drive as base64 of gzip, or its URL."},
		},
		Run: func(ctx context.Context, call *steps.Call) (any, error) {
			said, err := s.PrepareImage(ctx, call.Call, call.Args)
			return map[string]any{"result": "prepare_image: " + said}, err
		},
	}
}

func (s *Standby) sync() error {
	if err := s.Sync(); err != nil {
		return command.Failed("Flushing file system buffers failed: %s", err)
	}
	return nil
}

// down flushes the disks and has the machine go down once the answer to this command is out.
func (s *Standby) down(ctx context.Context, cause error) error {
	if err := s.sync(); err != nil {
		s.Log.Error("cannot flush the disks before going down", "error", err)
	}
	go func() {
		if clock.Wait(ctx, s.Clock, grace) == nil {
			s.GoDown(cause)
		}
	}()
	return nil
}

func (s *Standby) partitionUUIDs() map[string]any {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := map[string]any{}
	for name, uuid := range s.uuids {
		out[name] = uuid
	}
	return out
}

// Forget says that what was written is on the disk no longer.
func (s *Standby) Forget() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written, s.uuids = "", nil
}

// PrepareImage writes the image and the config drive, each if the disk does not hold it from before, and gives
// ironic-python-agent's sentence.
func (s *Standby) PrepareImage(ctx context.Context, call *command.Call, params command.Params) (string, error) {
	info, err := decodeInfo(params)
	if err != nil {
		return "", err
	}
	drive := info.ConfigDrive
	if err := params.Decode("configdrive", &drive); err != nil {
		return "", err
	}
	var volume []byte
	if drive != nil && *drive != "" { // fetched first: the disk is not touched for a deploy that cannot end well
		if volume, err = s.configDrive(ctx, strings.TrimSpace(*drive)); err != nil {
			return "", err
		}
	}
	chosen, err := s.Chooser.Root(ctx)
	if err != nil {
		return "", err
	}
	device, err := disk.Open(chosen.Name)
	if err != nil {
		return "", writeFailed(chosen.Name, err)
	}
	defer device.Close()
	if err := s.image(ctx, call, info, chosen, device); err != nil {
		return "", err
	}
	if volume != nil {
		part, err := disk.AddConfigDrive(ctx, device, volume)
		if err != nil {
			return "", command.Fail("InstanceDeployFailure", 500, "Failed to create config drive", "%s", err)
		}
		s.Log.Info("config drive written", "disk", chosen.Name, "partition", part.Number, "bytes", len(volume))
	}
	return s.finish(ctx, info, chosen.Name, device)
}

// image writes the image unless this agent wrote the same to the same disk before (a repeated command).
func (s *Standby) image(ctx context.Context, call *command.Call, info imageInfo, chosen ingot.InventoryDisk, device *disk.Device) error {
	algo, value, err := s.checksum(ctx, info)
	if err != nil {
		return err
	}
	identity := strings.Join([]string{info.ID, algo, value, chosen.Name}, "\n")
	s.mu.Lock()
	have := s.written == identity
	s.mu.Unlock()
	if have {
		s.Log.Info("the image is on the disk already", "image", info.ID, "disk", chosen.Name)
		return nil
	}
	s.Forget()
	if err := s.write(ctx, call, info, disk.Source{Checksum: value, ChecksumAlgo: algo}, chosen.Name, device); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.written = identity
	return nil
}

// write tries the image's URLs in turn; only a server that cannot give the file leads to the next.
func (s *Standby) write(ctx context.Context, call *command.Call, info imageInfo, source disk.Source, name string, device *disk.Device) error {
	header, err := info.header()
	if err != nil {
		return err
	}
	source.Header, source.Client = header, s.client(info)
	writer := disk.Writer{
		Now: s.Clock.Now, Wait: func(ctx context.Context, d time.Duration) error { return clock.Wait(ctx, s.Clock, d) },
		Progress: func(p disk.Progress) {
			call.Progress(ingot.AgentProgress{Phase: p.Phase, Done: p.Done, Total: max(p.Total, 0), Rate: p.Rate})
		},
	}
	var failures []error
	for _, from := range info.URLs {
		source.URL = from
		if source.Format, err = s.format(ctx, info, from); err != nil {
			return err
		}
		began := s.Clock.Now()
		s.Log.Info("writing the image", "image", info.ID, "url", shown(from), "format", source.Format, "disk", name)
		result, err := writer.Write(ctx, source, device)
		if err == nil {
			s.Log.Info("image written", "bytes", result.ImageSize, "downloaded", result.FileSize, "reconnects", result.Reconnects,
				"verified", result.ReadBack, "time", s.Clock.Now().Sub(began).Round(time.Millisecond))
			return nil
		}
		failures = append(failures, err)
		if !elsewhere(err) {
			break
		}
	}
	return imageFailed(info.ID, name, errors.Join(failures...))
}

// elsewhere says whether another URL may help.
func elsewhere(err error) bool {
	for _, kind := range []error{disk.ErrNotFound, disk.ErrHTTP, disk.ErrStalled, disk.ErrTruncated, disk.ErrNoRanges} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return false
}

// imageFailed gives err the class that ironic-python-agent would give it.
func imageFailed(id, name string, err error) error {
	switch {
	case errors.Is(err, disk.ErrChecksum):
		return command.Fail("ImageChecksumError", 500, "Error verifying image checksum", "Image failed to verify against checksum. image ID: %s; %s", id, err)
	case errors.Is(err, disk.ErrSource), errors.Is(err, disk.ErrFormat), errors.Is(err, disk.ErrDecode):
		return command.Fail("InvalidImage", 500, "Invalid image", "Image %s: %s", id, err)
	case errors.Is(err, disk.ErrTooLarge), errors.Is(err, disk.ErrReadBack):
		return writeFailed(name, err)
	}
	return downloadFailed(id, "%s", err)
}

func writeFailed(name string, err error) error {
	return command.Fail("ImageWriteError", 500, "Error writing image to device", "Writing image to device %s failed: %s", name, err)
}

// finish judges the partition table, has the kernel read it, and notes what Ironic asks for later.
func (s *Standby) finish(ctx context.Context, info imageInfo, name string, device *disk.Device) (string, error) {
	if err := device.Sync(); err != nil {
		return "", writeFailed(name, err)
	}
	pause := func(ctx context.Context, d time.Duration) error { return clock.Wait(ctx, s.Clock, d) }
	if err := device.RereadPartitions(ctx, pause); err != nil {
		s.Log.Warn("the kernel still sees the old partitions", "disk", name, "error", err)
	}
	table, err := disk.ReadTable(device)
	if err != nil && !errors.Is(err, disk.ErrNoTable) {
		return "", command.Fail("DeploymentError", 500, "Deploy step failed", "Unable to find a valid partition table on the disk after writing the image. Error: %s", err)
	}
	if len(table.Partitions) == 0 {
		return "", command.Fail("DeploymentError", 500, "Deploy step failed", "No partitions found on the device %s after writing the image.", name)
	}
	var id [4]byte
	if _, err := device.ReadAt(id[:], 440); err != nil { // the MBR's disk signature, which Ironic calls the root UUID
		return "", writeFailed(name, err)
	}
	root := fmt.Sprintf("0x%02x%02x%02x%02x", id[3], id[2], id[1], id[0])
	s.mu.Lock()
	s.uuids = map[string]string{"root uuid": root}
	s.mu.Unlock()
	return fmt.Sprintf("image (%s) written to device %s root_uuid=%s", info.ID, name, root), nil
}
