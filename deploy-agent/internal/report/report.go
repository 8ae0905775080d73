// Package report tells Ironic about the machine: its inventory, its logs, and both together at inspection.
package report

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	ingot "github.com/ingot-metal/ingot"
	"github.com/ingot-metal/ingot/deploy-agent/internal/command"
	"github.com/ingot-metal/ingot/deploy-agent/internal/ironic"
)

// Machine is what can be told.
type Machine interface {
	Inventory() ingot.Inventory
	PCI() []map[string]string
}

// Reporter gathers.
type Reporter struct {
	Machine Machine
	// RootDisk is the disk that would be installed on.
	RootDisk func() (ingot.InventoryDisk, error)
	// Log writes what the agent logged so far.
	Log func(w io.Writer) error
	// Kernel gives the kernel's log.
	Kernel func() ([]byte, error)
	// Files are further files for the logs, such as /proc/cmdline.
	Files []string
	Now   func() time.Time
}

// maxFile bounds each file in the logs, in bytes: the end of a longer one is kept.
const maxFile = 1 << 20

// Commands are poll.get_hardware_info and log.collect_system_logs.
func (r *Reporter) Commands() []command.Command {
	return []command.Command{
		{Name: "poll.get_hardware_info", Run: func(context.Context, *command.Call) (any, error) {
			return r.Machine.Inventory(), nil
		}},
		{Name: "log.collect_system_logs", Run: func(context.Context, *command.Call) (any, error) {
			logs, err := r.Logs()
			return map[string]any{"system_logs": logs}, err
		}},
	}
}

// Logs is base64 of a tar.gz with the agent's log, the kernel's, the inventory and the files.
func (r *Reporter) Logs() (string, error) {
	var out bytes.Buffer
	encoder := base64.NewEncoder(base64.StdEncoding, &out)
	zip := gzip.NewWriter(encoder)
	w := tar.NewWriter(zip)
	if err := r.pack(w); err != nil {
		return "", fmt.Errorf("cannot collect the logs: %w", err)
	}
	for _, c := range []io.Closer{w, zip, encoder} {
		if err := c.Close(); err != nil {
			return "", fmt.Errorf("cannot pack the logs: %w", err)
		}
	}
	return out.String(), nil
}

func (r *Reporter) pack(w *tar.Writer) error {
	var log bytes.Buffer
	if err := r.Log(&log); err != nil {
		return err
	}
	inventory, err := json.MarshalIndent(r.Machine.Inventory(), "", "  ")
	if err != nil {
		return err
	}
	parts := []struct {
		name string
		data []byte
	}{{"agent.log", log.Bytes()}, {"inventory.json", inventory}}
	add := func(name string, data []byte, err error) {
		if err != nil {
			name, data = name+".error", []byte(err.Error()+"\n")
		}
		parts = append(parts, struct {
			name string
			data []byte
		}{name, data})
	}
	if r.Kernel != nil {
		data, err := r.Kernel()
		add("dmesg", data, err)
	}
	for _, path := range r.Files {
		data, err := os.ReadFile(path)
		add(strings.ReplaceAll(strings.Trim(path, "/"), "/", "_"), data, err)
	}
	for _, p := range parts {
		data := p.data[max(0, len(p.data)-maxFile):]
		header := &tar.Header{Name: p.name, Mode: 0o644, Size: int64(len(data)), ModTime: r.Now()}
		if err := w.WriteHeader(header); err != nil {
			return err
		}
		if _, err := w.Write(data); err != nil {
			return err
		}
	}
	return nil
}

// The inspection collectors of ironic-python-agent that this agent has; without a choice the first two run. logs is
// last, so that it holds what the others logged.
const (
	collectDefault = "default"
	collectPCI     = "pci-devices"
	collectLogs    = "logs"
)

// Inspection runs the collectors that the kernel command line names. A collector that is not there or fails is told in
// Error; the rest is sent all the same.
func (r *Reporter) Inspection(collectors []string) ironic.Inspection {
	if len(collectors) == 0 {
		collectors = []string{collectDefault, collectLogs}
	}
	data := ironic.Inspection{Configuration: map[string]any{
		"collectors": collectors,
		"managers":   []map[string]string{{"name": "ingot_hardware_manager", "version": "1.0"}},
	}}
	var failures []string
	for _, name := range collectors {
		var err error
		switch name {
		case collectDefault:
			r.inventory(&data)
		case collectPCI:
			data.PCI = r.Machine.PCI()
		case collectLogs:
			data.Logs, err = r.Logs()
		default:
			err = fmt.Errorf("there is no such collector; the collectors are %s, %s and %s", collectDefault, collectPCI, collectLogs)
		}
		if err != nil {
			failures = append(failures, fmt.Sprintf("* collector %s failed: %s", name, err))
		}
	}
	if len(failures) > 0 {
		text := "The following errors were encountered:\n" + strings.Join(failures, "\n")
		data.Error = &text
	}
	return data
}

func (r *Reporter) inventory(data *ironic.Inspection) {
	data.Inventory = r.Machine.Inventory()
	data.BootInterface = data.Inventory.Boot.PXEInterface
	if disk, err := r.RootDisk(); err == nil {
		data.RootDisk = &disk
	}
}
