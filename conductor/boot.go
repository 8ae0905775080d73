package conductor

import (
	"context"
	"crypto/subtle"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strings"
	"time"

	"github.com/ingot-metal/ingot"
)

// What shall this machine boot now?

// Decide answers a machine from its node (ingot.BootDecider). A machine that no port belongs to gets silence; one whose
// operation boots it gets the ramdisk; all others their own disk.
func (c *Conductor) Decide(ctx context.Context, req ingot.BootRequest) (ingot.BootSpec, error) {
	node, err := c.Nodes.NodeByMACs(ctx, []string{req.MAC})
	switch {
	case ingot.CodeOf(err) == ingot.NotFound:
		return ingot.BootSpec{Action: ingot.BootSilence, Why: "no port has this address"}, nil
	case err != nil:
		return ingot.BootSpec{}, err
	}
	ports, err := c.Nodes.ListPorts(ctx, ingot.PortQuery{Address: req.MAC})
	if err != nil {
		return ingot.BootSpec{}, err
	}
	if len(ports) == 1 && !ports[0].PXEEnabled {
		return ingot.BootSpec{Action: ingot.BootSilence, Node: node.UUID, Why: "the port is not for network boot (pxe_enabled is false)"}, nil
	}
	if node.Boot.Action != ingot.BootKernel {
		return ingot.BootSpec{Action: ingot.BootLocalDisk, Node: node.UUID, Why: "no operation boots this machine in state " + string(node.ProvisionState)}, nil
	}
	files := "/boot/file/" + node.Boot.Token + "/"
	return ingot.BootSpec{
		Action: ingot.BootKernel, Node: node.UUID, Why: node.Boot.Purpose + " ramdisk",
		Kernel: files + kernelName, Initrd: files + initramfsName, Cmdline: c.cmdline(&node, req),
	}, nil
}

// The names of the boot files under a boot token.
const (
	kernelName      = "vmlinuz"
	initramfsName   = "initramfs"
	configDriveName = "config-drive"
)

// cmdline is the ramdisk's kernel command line, with ironic-python-agent's parameters.
func (c *Conductor) cmdline(n *ingot.Node, req ingot.BootRequest) string {
	args := []string{
		"ipa-api-url={boot}", "boot_method=ipxe",
		"BOOTIF=01-" + strings.ReplaceAll(req.MAC, ":", "-"), "nofb", "nomodeset", "vga=normal",
	}
	if n.Boot.Purpose == "inspect" {
		args = append(args, "ipa-inspection-callback-url={boot}/v1/continue_inspection", "ipa-inspection-collectors=default")
	}
	if extra := firstText(ingot.Text(n.InstanceInfo, "kernel_append_params"), ingot.Text(n.DriverInfo, "kernel_append_params"), c.Settings.KernelParams); extra != "" {
		args = append(args, extra)
	}
	return strings.Join(args, " ")
}

// Saw keeps evidence of what the boot service did for a machine, off the caller's path (ingot.BootDecider).
func (c *Conductor) Saw(e ingot.BootEvidence) {
	select {
	case c.evidence <- e:
	default: // evidence is worth less than the boot that it would hold up
	}
}

// KeepEvidence writes evidence to the nodes it belongs to, until ctx ends.
func (c *Conductor) KeepEvidence(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case e := <-c.evidence:
			if err := c.writeEvidence(ctx, e); err != nil && ctx.Err() == nil {
				c.Log.Debug("cannot keep boot evidence", "mac", e.MAC, "what", e.What, "error", err)
			}
		}
	}
}

func (c *Conductor) writeEvidence(ctx context.Context, e ingot.BootEvidence) error {
	node, err := c.Nodes.NodeByMACs(ctx, []string{e.MAC})
	if ingot.CodeOf(err) == ingot.NotFound {
		return nil
	}
	if err != nil {
		return err
	}
	now := c.Now()
	_, err = c.Nodes.ChangeNode(ctx, ingot.NodeChange{
		UUID: node.UUID,
		Change: func(n *ingot.Node) error {
			if last := len(n.Evidence) - 1; last >= 0 && n.Evidence[last].What == e.What {
				n.Evidence[last].At = now
				return nil
			}
			n.Evidence = append(n.Evidence, ingot.Evidence{At: now, What: e.What})
			n.Evidence = n.Evidence[max(0, len(n.Evidence)-c.Settings.EvidenceKept):]
			return nil
		},
		Events: []ingot.Event{{At: now, Type: "node.boot", Node: node.UUID, Data: map[string]any{"what": e.What, "mac": e.MAC, "network": e.Network}}},
	})
	return err
}

// BootFile opens a file of the machine that holds the boot token: its kernel, initramfs or config drive. The token is
// the node's UUID, a dot, and a random part that changes with every attempt.
func (c *Conductor) BootFile(ctx context.Context, token, name string) (io.ReadSeekCloser, int64, error) {
	uuid, _, _ := strings.Cut(token, ".")
	node, err := c.Nodes.Node(ctx, uuid)
	if err != nil || node.Boot.Token == "" || subtle.ConstantTimeCompare([]byte(node.Boot.Token), []byte(token)) != 1 {
		return nil, 0, ingot.Errorf(ingot.NotFound, "no boot file %s under this token", name)
	}
	ownKernel, ownRamdisk := ingot.Text(node.DriverInfo, "deploy_kernel"), ingot.Text(node.DriverInfo, "deploy_ramdisk")
	if rescue := ingot.Text(node.DriverInfo, "rescue_kernel"); rescue != "" && node.Boot.Purpose == rescuePurpose {
		ownKernel, ownRamdisk = rescue, ingot.Text(node.DriverInfo, "rescue_ramdisk")
	}
	switch name {
	case kernelName:
		return openFile(firstText(ownKernel, c.Ramdisk[kernelName]))
	case initramfsName:
		return openFile(firstText(ownRamdisk, c.Ramdisk[initramfsName]))
	case configDriveName:
		data, _, err := c.Blobs.Blob(ctx, configDriveKey(node.UUID))
		if err != nil {
			return nil, 0, err
		}
		return bytesFile(data), int64(len(data)), nil
	}
	return nil, 0, ingot.Errorf(ingot.NotFound, "no boot file is called %s", name)
}

// openFile opens a file by path or file:// URL.
func openFile(place string) (io.ReadSeekCloser, int64, error) {
	path := strings.TrimPrefix(place, "file://")
	f, err := os.Open(path)
	if err != nil {
		return nil, 0, fmt.Errorf("cannot open boot file: %w", err)
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, 0, fmt.Errorf("cannot open boot file: %w", err)
	}
	return f, info.Size(), nil
}

// bytesFile is data as an open file.
func bytesFile(data []byte) io.ReadSeekCloser {
	return struct {
		io.ReadSeeker
		io.Closer
	}{strings.NewReader(string(data)), io.NopCloser(nil)}
}

// atBoot replaces {boot} in a URL by the boot listener's base URL as this machine reaches it.
func (r *Run) atBoot(url string) string {
	return strings.ReplaceAll(url, "{boot}", r.c.BootURL(agentAddress(r.Node.Agent)))
}

// agentAddress is the address that the agent's API listens on; invalid when it is not known.
func agentAddress(a ingot.Agent) netip.Addr {
	_, rest, _ := strings.Cut(a.URL, "://")
	addr, err := netip.ParseAddrPort(strings.TrimSuffix(rest, "/"))
	if err != nil {
		return netip.Addr{}
	}
	return addr.Addr()
}

func firstText(texts ...string) string {
	for _, t := range texts {
		if t != "" {
			return t
		}
	}
	return ""
}

// blobsKept is how long a machine's small files are kept after they were last written.
const blobsKept = 30 * 24 * time.Hour
